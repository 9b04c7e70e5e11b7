"""What the address of the accounts page says: search, order, and the drawer that is open over the list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

DRAWERS = ("connect", "reconnect", "settings", "day", "remove")
SORTS = ("email", "status", "used")


@dataclass(frozen=True)
class AccountsQuery:
    """`drawer` is one of `DRAWERS` or empty; `account` the public id it is about."""

    q: str = ""
    sort: str = "email"
    drawer: str = ""
    account: str = ""

    def address(self) -> str:
        """Return the page's address for this query."""
        said = {
            "q": self.q,
            "sort": "" if self.sort == "email" else self.sort,
            "open": self.drawer,
            "account": self.account,
        }
        text = urlencode({name: value for name, value in said.items() if value})
        return f"/accounts?{text}" if text else "/accounts"


def read_query(given: Mapping[str, str]) -> AccountsQuery:
    """Return the query of an address; what is not known in it is left out."""
    sort = given.get("sort", "")
    drawer = given.get("open", "")
    return AccountsQuery(
        q=given.get("q", "")[:200].strip(),
        sort=sort if sort.removeprefix("-") in SORTS else "email",
        drawer=drawer if drawer in DRAWERS else "",
        account=given.get("account", "")[:40],
    )
