"""What the inbox shows, as its address says: filters in the query, the open conversation in the path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fluenzr_app.db.ids import BadPublicId, parse_public_id
from fluenzr_app.inbox.conversations import LABELS, Filters

ROUTE = "/inbox"
TABS = ("unread", "all", "archived")
STATUSES = ("unread", "read", "replied")
FILTERS = ("campaign", "account", "status", "label", "since", "until")
_LONGEST = 200


@dataclass(frozen=True)
class InboxQuery:
    """One view. `tab` is unread, all (but the archived) or archived; days are those of the workspace, both included."""

    tab: str = "unread"
    q: str = ""
    campaign: str = ""
    account: str = ""
    status: str = ""
    label: str = ""
    since: str = ""
    until: str = ""
    conversation: str = ""

    @property
    def is_filtered(self) -> bool:
        """Whether more is asked for than one of the tabs."""
        return bool(self.q or self.filters_set)

    @property
    def filters_set(self) -> int:
        """How many filters are set, the search not counted."""
        return sum(bool(getattr(self, name)) for name in FILTERS)

    def filters(self, zone: ZoneInfo) -> Filters:
        """Return what the room is asked."""
        status = self.tab if self.tab in ("unread", "archived") else self.status
        return Filters(
            status=status,
            campaign_id=parse_public_id("cmp", self.campaign) if self.campaign else None,
            account_id=parse_public_id("acc", self.account) if self.account else None,
            label=self.label or None,
            since=_midnight(self.since, zone, 0),
            until=_midnight(self.until, zone, 1),
            query=self.q,
        )

    def address(self) -> str:
        """Return the address of this view; what is as at first is left out."""
        first = InboxQuery()
        pairs = [
            (each.name, getattr(self, each.name))
            for each in fields(self)
            if each.name != "conversation" and getattr(self, each.name) != getattr(first, each.name)
        ]
        path = f"{ROUTE}/{self.conversation}" if self.conversation else ROUTE
        return f"{path}?{urlencode(pairs)}" if pairs else path

    def in_tab(self, tab: str) -> InboxQuery:
        """Return another tab with the same search and filters, without the conversation that was open."""
        if tab not in TABS:
            return self
        return replace(self, tab=tab, status=self.status if tab == "all" else "", conversation="")

    def with_filters(self, given: Mapping[str, str]) -> InboxQuery:
        """Return the view with these filters in place of its own; what is not known is left out."""
        chosen = {name: str(given.get(name, ""))[:_LONGEST].strip() for name in FILTERS}
        # The other tabs are a status themselves.
        tab = "all" if chosen["status"] else self.tab
        return _checked(replace(self, conversation="", tab=tab, **chosen))

    def without_filters(self) -> InboxQuery:
        """Return the view with its search alone."""
        return InboxQuery(tab=self.tab, q=self.q)


def read_query(path: str, given: Mapping[str, str]) -> InboxQuery:
    """Return the view that an address asks for; what is not known in it is left out."""
    named = path.removeprefix(ROUTE).strip("/")
    tab = given.get("tab", "unread")
    asked = InboxQuery(
        tab=tab if tab in TABS else "unread",
        q=given.get("q", "")[:_LONGEST].strip(),
        conversation=named if _is_id("cnv", named) else "",
        **{name: given.get(name, "")[:_LONGEST].strip() for name in FILTERS},
    )
    return _checked(asked)


def key_of(conversation: str) -> int:
    """Return the key of a conversation by its public id; raises BadPublicId."""
    return parse_public_id("cnv", conversation)


def _checked(asked: InboxQuery) -> InboxQuery:
    return replace(
        asked,
        campaign=asked.campaign if _is_id("cmp", asked.campaign) else "",
        account=asked.account if _is_id("acc", asked.account) else "",
        status=asked.status if asked.status in STATUSES and asked.tab == "all" else "",
        label=asked.label if asked.label in LABELS else "",
        since=asked.since if _day(asked.since) else "",
        until=asked.until if _day(asked.until) else "",
    )


def _is_id(prefix: str, text: str) -> bool:
    try:
        parse_public_id(prefix, text)
    except BadPublicId:
        return False
    return True


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 2000 <= found.year <= 2200 else None


def _midnight(text: str, zone: ZoneInfo, days_later: int) -> datetime | None:
    found = _day(text)
    return None if found is None else datetime.combine(found + timedelta(days=days_later), time(), zone)
