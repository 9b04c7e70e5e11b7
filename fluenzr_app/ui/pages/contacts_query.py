"""What the list of contacts shows, as it stands in the address: reload, back and sharing all work by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from urllib.parse import urlencode

from fluenzr_app.contacts.field_names import CONSENT_SOURCES, STATUSES
from fluenzr_app.contacts.listing import SORTS, ContactFilter
from fluenzr_app.db.ids import BadPublicId, parse_public_id

ROUTE = "/contacts"
EXPORT = "/downloads/contacts.csv"
PER_PAGE = 50
FIRST_SORT = "-created_at"
# Archived contacts are out of the way unless they are asked for; the chip says so.
FIRST_STATUS = "-archived"
ANY_STATUS = "any"
_LONGEST = 200


@dataclass(frozen=True)
class ListQuery:
    """One view of the list. `status` holds codes parted by commas, all of them refused after a leading “-”."""

    q: str = ""
    status: str = FIRST_STATUS
    group: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()
    company: str = ""
    city: str = ""
    country: str = ""
    domain: str = ""
    language: str = ""
    consent: str = ""
    imported: str = ""
    sort: str = FIRST_SORT
    page: int = 1
    open: str = ""
    new: str = ""

    @property
    def statuses(self) -> tuple[str, ...]:
        """The statuses that are let through; all of them is the empty tuple."""
        named = tuple(code for code in self.status.removeprefix("-").split(",") if code in STATUSES)
        if self.status.startswith("-"):
            return tuple(code for code in STATUSES if code not in named)
        return named

    @property
    def is_filtered(self) -> bool:
        """Whether anything but the first view's own status is asked for."""
        return replace(self, page=1, sort=FIRST_SORT, open="", new="") != ListQuery()

    def filters(self) -> ContactFilter:
        """Return what the rooms are asked."""
        return ContactFilter(
            query=self.q,
            statuses=self.statuses,
            group_ids=tuple(parse_public_id("grp", group) for group in self.group),
            tags=self.tag,
            company=self.company,
            city=self.city,
            country=self.country,
            domain=self.domain,
            language=self.language,
            consent_source=self.consent,
            import_id=parse_public_id("imp", self.imported) if self.imported else None,
        )

    def address(self) -> str:
        """Return the address of this view; what is as at first is left out."""
        first = ListQuery()
        pairs = []
        for field in fields(self):
            value = getattr(self, field.name)
            if value != getattr(first, field.name):
                pairs.append((field.name, ",".join(value) if isinstance(value, tuple) else str(value)))
        return f"{ROUTE}?{urlencode(pairs)}" if pairs else ROUTE

    def export_address(self) -> str:
        """Return the address of the file with these contacts; with a mark that lets Excel see its encoding."""
        filters = replace(self, page=1, sort=FIRST_SORT, open="", new="").address().partition("?")[2]
        return f"{EXPORT}?{filters}&bom=true" if filters else f"{EXPORT}?bom=true"

    def with_filter(self, kind: str, value: str) -> ListQuery:
        """Return the view with one more filter, from the first page on; an unknown kind or value changes nothing."""
        value = value.strip()[:_LONGEST]
        if not value:
            return self
        if kind in ("group", "tag"):
            held = getattr(self, kind)
            changed = held if value in held else (*held, value)
            return _checked(replace(self, page=1, **{kind: changed}))
        if kind in _SINGLE:
            return _checked(replace(self, page=1, **{kind: value}))
        return self

    def without_filter(self, kind: str, value: str) -> ListQuery:
        """Return the view without one of its filters, from the first page on."""
        if kind == "status":
            return replace(self, page=1, status=ANY_STATUS)
        if kind in ("group", "tag"):
            return replace(self, page=1, **{kind: tuple(held for held in getattr(self, kind) if held != value)})
        if kind in _SINGLE or kind == "q":
            return replace(self, page=1, **{kind: ""})
        return self


_SINGLE = ("status", "company", "city", "country", "domain", "language", "consent", "imported")


def read_query(parameters: Mapping[str, str]) -> ListQuery:
    """Return the view that an address asks for; whatever is not understood is as at first."""

    def text(name: str) -> str:
        return str(parameters.get(name, ""))[:_LONGEST].strip()

    found = ListQuery(
        **{
            name: text(name)
            for name in ("q", "company", "city", "country", "domain", "language", "consent", "imported")
        },
        status=text("status") or FIRST_STATUS,
        group=_parts(text("group")),
        tag=_parts(text("tag")),
        sort=text("sort") or FIRST_SORT,
        page=int(text("page")) if text("page").isascii() and text("page").isdigit() and len(text("page")) < 9 else 1,
        open=text("open"),
        new=text("new"),
    )
    return _checked(found)


def _parts(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part for part in text.split(",") if part))[:8]


def _checked(query: ListQuery) -> ListQuery:
    status = query.status
    if status != ANY_STATUS and not set(status.removeprefix("-").split(",")) <= set(STATUSES):
        status = FIRST_STATUS
    return replace(
        query,
        status=status,
        sort=query.sort if query.sort.removeprefix("-") in SORTS else FIRST_SORT,
        page=max(1, query.page),
        group=tuple(group for group in query.group if _is_id("grp", group)),
        imported=query.imported if _is_id("imp", query.imported) else "",
        open=query.open if _is_id("con", query.open) else "",
        consent=query.consent if query.consent in CONSENT_SOURCES else "",
    )


def _is_id(prefix: str, text: str) -> bool:
    try:
        parse_public_id(prefix, text)
    except BadPublicId:
        return False
    return True
