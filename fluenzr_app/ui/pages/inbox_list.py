"""What the list of conversations holds: its rows, filters and counts, and how far the mailboxes are read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import reflex as rx
from sqlmodel import Session

from fluenzr_app.accounts.service import list_accounts
from fluenzr_app.campaigns.service import list_campaigns
from fluenzr_app.db.ids import public_id
from fluenzr_app.inbox import conversations, counts
from fluenzr_app.inbox.conversations import ConversationLine, ConversationPage, Filters
from fluenzr_app.inbox.errors import ConversationNotFound
from fluenzr_app.inbox.reading import ReadingView, readings
from fluenzr_app.ui.guard import Acting, acting, zone
from fluenzr_app.ui.language import words
from fluenzr_app.ui.pages.inbox_query import InboxQuery, key_of, read_query
from fluenzr_app.ui.pages.inbox_words import initials, mark_tone
from fluenzr_app.ui.shell import ShellState
from fluenzr_app.workspaces import service as workspaces

PER_LOAD = 30
MOST_SHOWN = 600
_FAILING_SHOWN = 2


@dataclass(frozen=True)
class InboxRow:
    """A conversation in the list; `href` opens it in the present view."""

    id: str
    href: str
    name: str
    company: str
    initials: str
    tone: str
    preview: str
    ours_last: bool
    not_sent: str
    status: str
    label: str
    last_kind: str
    last_at: str
    returns_day: str
    stop_asked: bool
    snoozed_until: str


@dataclass(frozen=True)
class Choice:
    """Something to filter by."""

    id: str
    name: str


@dataclass(frozen=True)
class Unread:
    """A mailbox that cannot be read: since when, and the server's words."""

    account: str
    email: str
    since: str
    code: str
    text: str
    href: str


@dataclass(frozen=True)
class _Shown:
    lines: tuple[ConversationLine, ...]
    not_sent: dict[int, str]
    total: int
    more: bool
    unread: int
    everything: int
    others: int
    readings: tuple[ReadingView, ...]
    zone: ZoneInfo


class InboxState(rx.State):
    """The list, as the address asks for it."""

    rows: list[InboxRow] = []
    loaded: bool = False
    more: bool = False
    tab: str = "unread"
    search: str = ""
    campaign: str = ""
    account: str = ""
    status: str = ""
    label: str = ""
    since: str = ""
    until: str = ""
    filters_set: int = 0
    open: str = ""
    unread: int = 0
    everything: int = 0
    others: int = 0
    read_at: str = ""
    accounts_read: int = 0
    accounts_all: int = 0
    failing: list[Unread] = []
    more_failing: int = 0
    campaigns: list[Choice] = []
    accounts: list[Choice] = []
    filtering: bool = False
    searching: bool = False
    # How many rows are asked for, and for which view; a new view begins with one load.
    _wanted: int = PER_LOAD
    _view: str = ""

    @rx.event
    async def load(self) -> Any:
        """Show what the address asks for; an unread conversation that it opens is read from then on."""
        me = await acting(self)
        asked = self._asked()
        view = replace(asked, conversation="").address()
        if view != self._view:
            self._view, self._wanted = view, PER_LOAD
        if asked.conversation:
            await me.write(_open, me.workspace_id, key_of(asked.conversation), me.now)
        await self._fill(me, asked)

    @rx.event
    async def refresh(self) -> Any:
        """Bring the list up to date while somebody looks at it."""
        me = await acting(self)
        await self._fill(me, self._asked())

    @rx.event
    async def load_more(self) -> Any:
        """Show older conversations as well."""
        me = await acting(self)
        self._wanted = min(self._wanted + PER_LOAD, MOST_SHOWN)
        await self._fill(me, self._asked())

    @rx.event
    async def look_for(self, text: str) -> Any:
        """Search contacts, words and campaigns."""
        await acting(self)
        return self._go(replace(self._asked(), q=text[:200].strip()), replaced=True)

    @rx.event
    async def choose_tab(self, tab: str) -> Any:
        """Show the unread, all, or the archived ones."""
        await acting(self)
        return self._go(self._asked().in_tab(tab))

    @rx.event
    async def show_filters(self, is_open: bool) -> None:
        """Open or close the form of the filters, with what can be chosen in it."""
        me = await acting(self)
        self.filtering = is_open
        if is_open:
            self.campaigns, self.accounts = await me.read(_choices, me.workspace_id)

    @rx.event
    async def set_filters(self, given: dict[str, Any]) -> Any:
        """Set the filters that the form describes, in place of those before."""
        await acting(self)
        self.filtering = False
        return self._go(self._asked().with_filters(given))

    @rx.event
    async def drop_filters(self) -> Any:
        """Take every filter away and keep the search."""
        await acting(self)
        self.filtering = False
        return self._go(self._asked().without_filters())

    @rx.event
    async def show_search(self) -> None:
        """Open or close the search field of a phone."""
        await acting(self)
        self.searching = not self.searching

    @rx.event
    async def step(self, by: int) -> Any:
        """Open the next conversation of the list, or the previous one."""
        await acting(self)
        to = self._beside(1 if int(by) > 0 else -1)
        return self._go(replace(self._asked(), conversation=to), replaced=bool(self.open)) if to else None

    @rx.event
    async def close(self) -> Any:
        """Go back to the list alone."""
        await acting(self)
        return self._go(replace(self._asked(), conversation=""))

    @rx.event
    async def all_read(self) -> Any:
        """Mark every unread conversation as read."""
        me = await acting(self)
        changed = await me.write(conversations.mark_all_read, me.workspace_id, me.now)
        await self._fill(me, self._asked())
        return rx.toast.success(words(me.lang, "inbox.done.all_read", n=changed))

    def _beside(self, by: int) -> str:
        ids = [row.id for row in self.rows]
        if self.open not in ids:
            return ids[0] if ids else ""
        place = ids.index(self.open) + by
        return ids[place] if 0 <= place < len(ids) else ""

    def _asked(self) -> InboxQuery:
        return read_query(self.router.url.path, dict(self.router.url.query_parameters))

    def _go(self, query: InboxQuery, *, replaced: bool = False) -> Any:
        return rx.redirect(query.address(), replace=replaced)

    def _leave(self) -> Any:
        """Return the way to the conversation after the open one, else the one before, else the list."""
        to = self._beside(1) or self._beside(-1)
        return self._go(replace(self._asked(), conversation=to if to != self.open else ""), replaced=True)

    async def _fill(self, me: Acting, asked: InboxQuery) -> None:
        shown = await me.read(_ask, me.workspace_id, asked, self._wanted)
        lines = list(shown.lines)
        today = me.now.astimezone(shown.zone).date()
        rows = [_row(line, asked, shown.not_sent.get(line.id, ""), today) for line in lines]
        if rows != self.rows:
            self.rows = rows
        self.more = shown.more and len(lines) < MOST_SHOWN
        self.tab, self.search, self.open = asked.tab, asked.q, asked.conversation
        self.campaign, self.account, self.status = asked.campaign, asked.account, asked.status
        self.label, self.since, self.until = asked.label, asked.since, asked.until
        self.filters_set = asked.filters_set
        shell = await self.get_state(ShellState)
        # What this page shows is no news to its menu.
        shell.unread = shell._told = shown.unread
        self.unread, self.everything, self.others = shown.unread, shown.everything, shown.others
        self._show_readings(shown.readings)
        self.loaded = True

    def _show_readings(self, found: tuple[ReadingView, ...]) -> None:
        reading = [each for each in found if each.reads]
        well = [each for each in reading if each.failed_since is None]
        times = [each.synced_at for each in well if each.synced_at is not None]
        self.read_at = max(times).isoformat() if times else ""
        self.accounts_read, self.accounts_all = len(well), len(reading)
        broken = [each for each in reading if each.failed_since is not None]
        self.more_failing = max(0, len(broken) - _FAILING_SHOWN)
        self.failing = [
            Unread(
                public_id("acc", each.account_id),
                each.email,
                each.failed_since.isoformat(),
                each.error_code,
                each.error_text[:300],
                f"/accounts?open=reconnect&account={public_id('acc', each.account_id)}",
            )
            for each in broken[:_FAILING_SHOWN]
            if each.failed_since is not None
        ]


def _open(session: Session, workspace_id: int, conversation_id: int, now: datetime) -> None:
    try:
        line = conversations.get_conversation(session, workspace_id, conversation_id)
    except ConversationNotFound:
        return
    if line.status == "unread":
        conversations.set_status(session, workspace_id, [conversation_id], "read", now)


def _ask(session: Session, workspace_id: int, asked: InboxQuery, wanted: int) -> _Shown:
    here = zone(workspaces.get_workspace(session, workspace_id).timezone)
    filters = asked.filters(here)
    found = _first(session, workspace_id, filters, wanted)
    lines = _with_open(session, workspace_id, asked, found.lines)
    everything = sum(counts.counts(session, workspace_id).values())
    others = 0
    if not lines and asked.is_filtered:
        plain = InboxQuery(tab="all", q=asked.q if asked.filters_set else "").filters(here)
        others = conversations.list_conversations(session, workspace_id, plain, per_page=1).total
    return _Shown(
        lines,
        conversations.not_sent(session, workspace_id, [line.id for line in lines]),
        found.total,
        found.total_is_lower_bound or found.total > len(found.lines),
        conversations.unread_count(session, workspace_id),
        everything,
        others,
        readings(session, workspace_id),
        here,
    )


def _first(session: Session, workspace_id: int, filters: Filters, wanted: int) -> ConversationPage:
    """Return the first `wanted` conversations as one page."""
    per_page = PER_LOAD
    page = conversations.list_conversations(session, workspace_id, filters, per_page=per_page)
    lines = list(page.lines)
    number = 1
    while len(page.lines) == per_page and len(lines) < wanted:
        number += 1
        page = conversations.list_conversations(session, workspace_id, filters, page=number, per_page=per_page)
        lines += page.lines
    return replace(page, lines=tuple(lines))


def _with_open(
    session: Session, workspace_id: int, asked: InboxQuery, lines: tuple[ConversationLine, ...]
) -> tuple[ConversationLine, ...]:
    """Keep the open conversation among the unread while it is open: reading it must not take it away."""
    if asked.tab != "unread" or asked.is_filtered or not asked.conversation:
        return lines
    key = key_of(asked.conversation)
    if any(line.id == key for line in lines):
        return lines
    try:
        opened = conversations.get_conversation(session, workspace_id, key)
    except ConversationNotFound:
        return lines
    if opened.status == "archived":
        return lines
    return tuple(sorted([*lines, opened], key=lambda line: (line.last_at, line.id), reverse=True))


def _choices(session: Session, workspace_id: int) -> tuple[list[Choice], list[Choice]]:
    campaigns = list_campaigns(session, workspace_id, per_page=200, sort="name", descending=False).lines
    accounts = list_accounts(session, workspace_id)
    return (
        [Choice(public_id("cmp", line.id), line.name) for line in campaigns],
        [Choice(public_id("acc", account.id or 0), account.email) for account in accounts],
    )


def _row(line: ConversationLine, asked: InboxQuery, not_sent: str, today: date) -> InboxRow:
    key = public_id("cnv", line.id)
    return InboxRow(
        id=key,
        href=replace(asked, conversation=key).address(),
        name=line.contact_name or line.email,
        company=line.company or (line.email if line.contact_name else ""),
        initials=initials(line.contact_name, line.email),
        tone=mark_tone(line.contact_id),
        preview=line.preview,
        ours_last=line.last_kind == "answer",
        not_sent=not_sent,
        status=line.status,
        label=line.label,
        last_kind=line.last_kind,
        last_at=line.last_at.isoformat(),
        returns_day=line.returns_on.isoformat() if line.returns_on and line.returns_on > today else "",
        stop_asked=line.stop_asked_at is not None,
        snoozed_until=line.snoozed_until.isoformat() if line.snoozed_until else "",
    )
