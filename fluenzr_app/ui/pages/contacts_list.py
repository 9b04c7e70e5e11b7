"""What the list of contacts holds: one page of rows, its filters, and what is selected."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import reflex as rx
from sqlmodel import Session

from fluenzr_app.contacts import counts, labels
from fluenzr_app.contacts import imports as contact_imports
from fluenzr_app.contacts.errors import ContactsError
from fluenzr_app.contacts.listing import ContactPage, count, list_contacts
from fluenzr_app.contacts.service import ContactCard
from fluenzr_app.db.ids import BadPublicId, parse_public_id, public_id
from fluenzr_app.ui.guard import acting
from fluenzr_app.ui.pages.contacts_query import ANY_STATUS, PER_PAGE, ListQuery, read_query

_TAGS_SHOWN = 2


@dataclass(frozen=True)
class ContactLine:
    """A row of the list."""

    id: str
    name: str
    email: str
    company: str
    status: str
    tags: list[str]
    more_tags: int
    all_tags: str
    created_at: str
    updated_at: str


@dataclass(frozen=True)
class Chip:
    """A filter that is set: `value` is what takes it away, `texts` what is shown (codes where `kind` has words)."""

    kind: str
    value: str
    texts: list[str]
    negated: bool


@dataclass(frozen=True)
class GroupChoice:
    """A group to choose, with how many contacts it has."""

    id: str
    name: str
    contacts: int


@dataclass(frozen=True)
class _Shown:
    page: ContactPage
    by_status: dict[str, int]
    groups: tuple[labels.GroupLine, ...]
    tags: tuple[labels.TagLine, ...]
    without_filters: int
    without_filters_more: bool
    import_name: str


class ContactsState(rx.State):
    """The rows of one page, as the address asks for them."""

    rows: list[ContactLine] = []
    total: int = 0
    more: bool = False
    page_number: int = 0
    sort: str = ""
    search: str = ""
    chips: list[Chip] = []
    loaded: bool = False
    everybody: int = 0
    active: int = 0
    replied: int = 0
    others: int = 0
    others_more: bool = False
    open: str = ""
    groups: list[GroupChoice] = []
    tags: list[str] = []
    selected: list[str] = []
    whole: bool = False
    export: str = ""
    adding_filter: bool = False
    filter_kind: str = "status"

    @rx.var
    def last_page(self) -> bool:
        """Whether no page follows; a lower bound always has one more."""
        return (self.page_number + 1) * PER_PAGE >= self.total and not self.more

    @rx.var
    def all_here(self) -> bool:
        """Whether every row of this page is selected."""
        return bool(self.rows) and {row.id for row in self.rows} <= set(self.selected)

    @rx.event
    async def load(self) -> Any:
        """Show what the address asks for; a page that is empty by now leads to the first one."""
        me = await acting(self)
        asked = self._asked()
        shown = await me.read(_ask, me.workspace_id, asked)
        if not shown.page.cards and asked.page > 1:
            return self._go(replace(asked, page=1), replaced=True)
        before = (self.search, self.chips)
        self.rows = [_line(card) for card in shown.page.cards]
        self.total, self.more = shown.page.total, shown.page.total_is_lower_bound
        self.page_number, self.sort, self.search, self.open = asked.page - 1, asked.sort, asked.q, asked.open
        self.chips = _chips(asked, shown)
        self.everybody = sum(shown.by_status.values())
        self.active, self.replied = shown.by_status.get("active", 0), shown.by_status.get("replied", 0)
        self.others, self.others_more = shown.without_filters, shown.without_filters_more
        self.groups = [GroupChoice(public_id("grp", group.id), group.name, group.contacts) for group in shown.groups]
        self.tags = [tag.name for tag in shown.tags]
        self.export = asked.export_address()
        if before != (self.search, self.chips):
            # What was selected under another filter is not what is seen now.
            self.selected, self.whole = [], False
        self.loaded = True
        return None

    @rx.event
    async def look_for(self, text: str) -> Any:
        """Search names, addresses and companies."""
        await acting(self)
        return self._go(replace(self._asked(), q=text[:200].strip(), page=1), replaced=True)

    @rx.event
    async def sort_by(self, column: str) -> Any:
        """Sort by a column, the other way round if it is sorted by it already."""
        await acting(self)
        asked = self._asked()
        return self._go(replace(asked, sort=f"-{column}" if asked.sort == column else column, page=1))

    @rx.event
    async def turn_to(self, number: int) -> Any:
        """Show another page, counted from 0."""
        await acting(self)
        return self._go(replace(self._asked(), page=max(0, int(number)) + 1))

    @rx.event
    async def open_contact(self, contact: str) -> Any:
        """Open a contact beside the list; the one that is open closes."""
        await acting(self)
        asked = self._asked()
        return self._go(
            replace(asked, open="" if contact == asked.open else contact, new=""), replaced=bool(asked.open)
        )

    @rx.event
    async def close(self) -> Any:
        """Close the contact that is open, and the form of a new one."""
        await acting(self)
        return self._go(replace(self._asked(), open="", new=""))

    @rx.event
    async def start_new(self) -> Any:
        """Open the form for a new contact."""
        await acting(self)
        return self._go(replace(self._asked(), open="", new="1"))

    @rx.event
    async def show_filter_form(self, is_open: bool) -> None:
        """Open or close the form in which a filter is made."""
        await acting(self)
        self.adding_filter, self.filter_kind = is_open, "status"

    @rx.event
    async def choose_filter_kind(self, kind: str) -> None:
        """Show the values of another kind of filter."""
        await acting(self)
        self.filter_kind = kind[:20]

    @rx.event
    async def add_filter(self, given: dict[str, Any]) -> Any:
        """Set the filter that the form describes."""
        await acting(self)
        self.adding_filter = False
        value = str(given.get("value", "")).strip()
        if given.get("kind") == "status" and given.get("how") == "not":
            value = f"-{value}"
        return self._go(self._asked().with_filter(str(given.get("kind", "")), value))

    @rx.event
    async def drop_filter(self, kind: str, value: str) -> Any:
        """Take one filter away."""
        await acting(self)
        return self._go(self._asked().without_filter(kind, value))

    @rx.event
    async def drop_filters(self) -> Any:
        """Take every filter away and keep the search."""
        await acting(self)
        asked = self._asked()
        return self._go(ListQuery(q=asked.q, sort=asked.sort, status=ANY_STATUS))

    @rx.event
    async def toggle(self, contact: str) -> None:
        """Select a row or let go of it."""
        await acting(self)
        self.whole = False
        if contact in self.selected:
            self.selected = [held for held in self.selected if held != contact]
        elif len(self.selected) < 1_000:
            self.selected = [*self.selected, contact]

    @rx.event
    async def toggle_all(self) -> None:
        """Select every row of this page, or none of them."""
        await acting(self)
        here = [row.id for row in self.rows]
        all_here = set(here) <= set(self.selected)
        rest = [held for held in self.selected if held not in here]
        self.selected, self.whole = (rest if all_here else [*rest, *here]), False

    @rx.event
    async def take_all(self) -> None:
        """Select everything that the filter lets through, seen or not."""
        await acting(self)
        self.whole = True

    @rx.event
    async def clear_selection(self) -> None:
        """Select nothing."""
        await acting(self)
        self.selected, self.whole = [], False

    def _asked(self) -> ListQuery:
        return read_query(dict(self.router.url.query_parameters))

    def _go(self, query: ListQuery, *, replaced: bool = False) -> Any:
        return rx.redirect(query.address(), replace=replaced)


def _ask(session: Session, workspace_id: int, asked: ListQuery) -> _Shown:
    filters = asked.filters()
    column = asked.sort.removeprefix("-")
    page = list_contacts(
        session,
        workspace_id,
        filters,
        page=asked.page,
        per_page=PER_PAGE,
        sort=column,
        order="desc" if asked.sort.startswith("-") else "asc",
    )
    others, others_more = (0, False)
    if not page.cards and asked.q:
        others, others_more = count(session, workspace_id, ListQuery(q=asked.q, status=ANY_STATUS).filters())
    return _Shown(
        page,
        counts.counts(session, workspace_id, "status"),
        labels.list_groups(session, workspace_id),
        labels.list_tags(session, workspace_id)[:200],
        others,
        others_more,
        _import_name(session, workspace_id, asked.imported),
    )


def _import_name(session: Session, workspace_id: int, imported: str) -> str:
    if not imported:
        return ""
    try:
        return contact_imports.get_import(session, workspace_id, parse_public_id("imp", imported)).file_name
    except (ContactsError, BadPublicId):
        return imported


def _line(card: ContactCard) -> ContactLine:
    contact = card.contact
    name = " ".join(part for part in (contact.first_name, contact.last_name) if part)
    return ContactLine(
        public_id("con", contact.id or 0),
        name,
        contact.email,
        contact.company,
        contact.status,
        list(card.tags[:_TAGS_SHOWN]),
        max(0, len(card.tags) - _TAGS_SHOWN),
        ", ".join(card.tags),
        contact.created_at.isoformat(),
        contact.updated_at.isoformat(),
    )


def _chips(asked: ListQuery, shown: _Shown) -> list[Chip]:
    chips = []
    names = {public_id("grp", group.id): group.name for group in shown.groups}
    if asked.status != ANY_STATUS:
        codes = asked.status.removeprefix("-").split(",")
        chips.append(Chip("status", asked.status, codes, asked.status.startswith("-")))
    chips += [Chip("group", group, [names.get(group, group)], False) for group in asked.group]
    chips += [Chip("tag", tag, [tag], False) for tag in asked.tag]
    for kind in ("company", "city", "country", "domain", "language", "consent"):
        if value := getattr(asked, kind):
            chips.append(Chip(kind, value, [value], False))
    if asked.imported:
        chips.append(Chip("imported", asked.imported, [shown.import_name], False))
    return chips
