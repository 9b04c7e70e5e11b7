"""What the list of campaigns holds: one page of rows, their diagnoses, and the acts of a row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import reflex as rx

from fluenzr_app.campaigns.errors import CampaignsError
from fluenzr_app.db.ids import public_id
from fluenzr_app.ui.findings_state import FindingsState
from fluenzr_app.ui.guard import acting, zone
from fluenzr_app.ui.language import words
from fluenzr_app.ui.pages import campaign_acts as acts
from fluenzr_app.ui.pages.campaign_acts import Listed
from fluenzr_app.ui.pages.campaign_figures import Followed, clicks_of, opens_of
from fluenzr_app.ui.pages.campaign_frame import shown_next
from fluenzr_app.ui.pages.campaign_words import WaitWords, refusal, wait_words
from fluenzr_app.words.catalogue import Lang
from fluenzr_app.workspaces import service as workspaces

ROUTE = "/campaigns"
TABS = ("all", "active", "paused", "draft", "completed", "archived")
SORTS = {"name": "name", "status": "status", "created": "createdAt", "updated": "updatedAt"}
FIRST_SORT = "-created"
# Said in the column of the next send, and no diagnosis under the row.
_PLAIN = {"turn", "delay", "leaving"}


@dataclass(frozen=True)
class CampaignRow:
    """A row of the list. `badge` is the state, or “stopped” for an active one on which nothing moves."""

    id: str
    name: str
    badge: str
    status: str
    mails: int
    accounts: int
    enrolled: int
    ended: int
    share: float | None
    sent: int | None
    bounce: float | None
    many_bounces: bool
    opens: Followed
    clicks: Followed
    next_at: str
    ended_at: str
    points: int
    waiting: int
    uncertain: int
    has_wait: bool
    wait: WaitWords
    href: str


class CampaignsState(rx.State):
    """One page of the list of campaigns."""

    rows: list[CampaignRow] = []
    total: int = 0
    everything: int = 0
    page_number: int = 0
    sort: str = FIRST_SORT
    search: str = ""
    tab: str = "all"
    loaded: bool = False
    active: int = 0
    paused: int = 0
    drafts: int = 0
    completed: int = 0
    archived: int = 0
    stopped: int = 0
    moving: bool = False
    doomed: str = ""
    doomed_act: str = ""
    doomed_name: str = ""
    doomed_waiting: int = 0
    typed: str = ""

    @rx.event
    async def load(self) -> None:
        """Show what the address asks for."""
        me = await acting(self)
        asked = dict(self.router.url.query_parameters)
        self.tab = asked.get("state", "all") if asked.get("state") in TABS else "all"
        self.search = str(asked.get("q", ""))[:200]
        column = str(asked.get("sort", FIRST_SORT))
        self.sort = column if column.removeprefix("-") in SORTS else FIRST_SORT
        page = str(asked.get("page", "1"))
        self.page_number = max(0, int(page) - 1) if page.isascii() and page.isdigit() and len(page) < 7 else 0
        found = await me.read(
            acts.list_with_standing,
            me.workspace_id,
            me.now,
            status=None if self.tab == "all" else self.tab,
            search=self.search,
            page=self.page_number + 1,
            sort=SORTS[self.sort.removeprefix("-")],
            descending=self.sort.startswith("-"),
        )
        here = zone((await me.read(workspaces.get_workspace, me.workspace_id)).timezone)
        self.rows = [_row(each, me.lang, me.now, here) for each in found.rows]
        self.total, by = found.total, found.by_status
        self.active, self.paused, self.drafts = by.get("active", 0), by.get("paused", 0), by.get("draft", 0)
        self.completed, self.archived = by.get("completed", 0), by.get("archived", 0)
        self.everything = sum(by.values()) - self.archived
        self.stopped, self.moving = found.stopped, self.active > found.stopped
        self.loaded = True

    @rx.event
    async def look_for(self, text: str) -> Any:
        """Search the names."""
        return self._go(q=text[:200].strip(), page=1, replaced=True)

    @rx.event
    async def show_tab(self, tab: str) -> Any:
        """Show the campaigns of one state."""
        return self._go(tab=tab if tab in TABS else "all", page=1)

    @rx.event
    async def sort_by(self, column: str) -> Any:
        """Sort by a column, the other way round if it is sorted by it already."""
        return self._go(sort=f"-{column}" if self.sort == column else column, page=1)

    @rx.event
    async def turn_to(self, number: int) -> Any:
        """Show another page, counted from 0."""
        return self._go(page=max(0, int(number)) + 1)

    @rx.event
    async def show_everything(self) -> Any:
        """Take search and state away."""
        return self._go(q="", tab="all", page=1)

    @rx.event
    async def open(self, campaign: str) -> Any:
        """Open a campaign: a draft where it is written, another where it goes on."""
        status = next((row.status for row in self.rows if row.id == campaign), "draft")
        return rx.redirect(_address(campaign, status))

    @rx.event
    async def act(self, act: str, campaign: str) -> Any:
        """Pause, resume or duplicate a campaign at once."""
        me = await acting(self)
        if act not in ("pause", "resume", "duplicate"):
            return None
        name = next((row.name for row in self.rows if row.id == campaign), "")
        copy = words(me.lang, "campaigns.copy_name", name=name)
        try:
            await me.write(acts.do, me.identity, act, acts.campaign_id_of(campaign), me.now, copy)
        except CampaignsError as error:
            return [rx.toast.error(refusal(me.lang, error)), CampaignsState.load]
        done = {"pause": "paused", "resume": "resumed", "duplicate": "copied"}[act]
        return [rx.toast.success(words(me.lang, f"campaigns.{done}")), CampaignsState.load, FindingsState.look]

    @rx.event
    async def ask(self, act: str, campaign: str) -> None:
        """Ask before a campaign is archived or a draft deleted."""
        await acting(self)
        row = next((row for row in self.rows if row.id == campaign), None)
        if row is not None and act in ("archive", "delete"):
            self.doomed, self.doomed_act, self.doomed_name = campaign, act, row.name
            self.doomed_waiting, self.typed = row.enrolled - row.ended, ""

    @rx.event
    async def type(self, text: str) -> None:
        """Keep what is typed to confirm."""
        self.typed = text[:200]

    @rx.event
    async def spare(self) -> None:
        """Close the question."""
        self.doomed, self.doomed_act, self.typed = "", "", ""

    @rx.event
    async def confirm(self) -> Any:
        """Archive or delete what was asked about; a deletion only once its name was typed."""
        me = await acting(self)
        act, campaign = self.doomed_act, acts.campaign_id_of(self.doomed)
        if act not in get_args(acts.Act) or (act == "delete" and self.typed != self.doomed_name):
            return None
        self.doomed, self.doomed_act, self.typed = "", "", ""
        try:
            await me.write(acts.do, me.identity, act, campaign, me.now)
        except CampaignsError as error:
            return [rx.toast.error(refusal(me.lang, error)), CampaignsState.load]
        done = words(me.lang, "campaigns.archived" if act == "archive" else "campaigns.deleted")
        return [rx.toast.success(done), CampaignsState.load]

    def _go(self, *, replaced: bool = False, **changes: Any) -> Any:
        now = {"state": self.tab, "q": self.search, "sort": self.sort, "page": self.page_number + 1}
        now |= {("state" if name == "tab" else name): value for name, value in changes.items()}
        first = {"state": "all", "q": "", "sort": FIRST_SORT, "page": 1}
        pairs = [(name, str(value)) for name, value in now.items() if value != first[name]]
        return rx.redirect(f"{ROUTE}?{urlencode(pairs)}" if pairs else ROUTE, replace=replaced)


def _address(campaign: str, status: str) -> str:
    return f"{ROUTE}/{campaign}" if status == "draft" else f"{ROUTE}/{campaign}/progress"


def _row(listed: Listed, lang: Lang, now: datetime, here: ZoneInfo) -> CampaignRow:
    line, standing = listed.line, listed.standing
    key = public_id("cmp", line.id)
    waiting = None if standing is None else standing.waiting
    # A pause by hand needs no diagnosis: the badge says it. One by the brake does.
    by_hand = line.status == "paused" and not line.pause_reason
    shown = waiting is not None and waiting.code not in _PLAIN and not by_hand
    counts = line.counts
    bounce = None if not counts.sent else counts.bounced / counts.sent
    return CampaignRow(
        id=key,
        name=line.name,
        badge="stopped" if standing is not None and standing.stands and line.status == "active" else line.status,
        status=line.status,
        mails=line.mails,
        accounts=line.accounts,
        enrolled=line.enrolled,
        ended=line.ended,
        share=None if not line.enrolled else line.ended / line.enrolled,
        sent=counts.sent if line.started_at is not None else None,
        bounce=bounce,
        # The brake's own floor: a share of a handful of sends is no rate (campaigns.md, Bounce brake).
        many_bounces=bounce is not None and bounce > 0.05 and counts.sent >= 20,
        opens=opens_of(counts, key),
        clicks=clicks_of(counts, key),
        next_at=shown_next(standing, now),
        ended_at="" if line.completed_at is None else line.completed_at.isoformat(),
        points=listed.points,
        waiting=0 if standing is None else standing.contacts,
        uncertain=0 if standing is None else standing.uncertain,
        has_wait=shown,
        wait=wait_words(lang, waiting, now, here, key) if waiting is not None and shown else WaitWords(),
        href=_address(key, line.status),
    )
