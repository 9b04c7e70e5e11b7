"""What the dashboard holds, and the one act it does itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import reflex as rx
from sqlmodel import Session

from fluenzr_app.accounts import service as accounts
from fluenzr_app.accounts.errors import AccountsError
from fluenzr_app.campaigns import bounced
from fluenzr_app.db.ids import BadPublicId, parse_public_id
from fluenzr_app.diagnosis.findings import merged
from fluenzr_app.ui.failures import in_words
from fluenzr_app.ui.guard import acting, zone
from fluenzr_app.ui.language import words
from fluenzr_app.ui.pages.accounts_query import AccountsQuery
from fluenzr_app.ui.pages.campaign_acts import campaign_id_of
from fluenzr_app.ui.pages.campaign_figures import Followed
from fluenzr_app.ui.pages.dashboard_data import AccountRow, CampaignRow, Dashboard, HourBar, read_dashboard
from fluenzr_app.ui.pages.dashboard_words import FindingLine, line_of
from fluenzr_app.workspaces.service import get_workspace

_TAKEN_BACK_WITHIN = timedelta(minutes=5)


@dataclass(frozen=True)
class Step:
    """A first step: `key` names its words, `done` says whether it is behind us."""

    key: str
    icon: str
    href: str
    done: bool


def _archive(session: Session, workspace_id: int, campaign_id: int | None, now: datetime) -> tuple[int, ...]:
    if campaign_id is None:
        ids = [each.contact_id for each in bounced.recently_bounced(session, workspace_id, now)]
    else:
        ids = bounced.bounced_in(session, workspace_id, campaign_id)
    return bounced.archive_bounced(session, workspace_id, ids, now)


class DashboardState(rx.State):
    """The figures of the day and what stands still."""

    loaded: bool = False
    now: str = ""
    sent: int = 0
    possible: int = 0
    planned: int = 0
    bars: list[HourBar] = []
    window: str = "none"
    window_at: str = ""
    walking: int = 0
    new: int = 0
    active: int = 0
    stopped: int = 0
    paused: int = 0
    bounce_share: float | None = None
    bounce_sent: int = 0
    bounced: int = 0
    judgement: str = ""
    opens: Followed = Followed()
    clicks: Followed = Followed()
    findings: list[FindingLine] = []
    urgent: bool = False
    campaigns: list[CampaignRow] = []
    accounts: list[AccountRow] = []
    accounts_total: int = 0
    # What the last act on this page put away: how many, who, and when; offered to be taken back for a while.
    archived: int = 0
    _archived_ids: tuple[int, ...] = ()
    _archived_at: datetime | None = None
    steps: list[Step] = []
    steps_done: int = 0
    beginning: bool = False

    @rx.event
    async def load(self) -> None:
        """Fill the page for the workspace of whoever asks."""
        me = await acting(self)
        if self._archived_at is None or me.now - self._archived_at > _TAKEN_BACK_WITHIN:
            self.archived, self._archived_ids, self._archived_at = 0, (), None
        shown = await me.read(read_dashboard, me.workspace_id, me.now)
        workspace = await me.read(get_workspace, me.workspace_id)
        here = zone(workspace.timezone)
        self.now = me.now.isoformat()
        self.findings = [line_of(group, me.lang, me.now, here) for group in merged(shown.findings)]
        self.urgent = any(line.urgent for line in self.findings)
        self._show(shown)
        self.loaded = True

    @rx.event
    async def resume(self, account: str) -> Any:
        """Send again from an account that somebody paused."""
        me = await acting(self, admin=True)
        try:
            key = parse_public_id("acc", account)
            resumed = await me.write(accounts.resume, me.workspace_id, key, me.now, actor=me.identity)
        except BadPublicId:
            return rx.toast.error(words(me.lang, "accounts.errors.unknown_account"))
        except AccountsError as error:
            return rx.toast.error(in_words(me.lang, error, "accounts.errors"))
        return [rx.toast.success(words(me.lang, "accounts.resumed_now", email=resumed.email)), DashboardState.load]

    @rx.event
    async def archive_bounced(self, campaign: str) -> Any:
        """Archive the bounced contacts of a campaign, or those of the last days where no campaign is named."""
        me = await acting(self)
        key = campaign_id_of(campaign) if campaign else None
        gone = await me.write(_archive, me.workspace_id, key, me.now)
        if not gone:
            return [rx.toast.info(words(me.lang, "dashboard.nothing_to_archive")), DashboardState.load]
        self.archived, self._archived_ids, self._archived_at = len(gone), gone, me.now
        return DashboardState.load

    @rx.event
    async def put_back(self) -> Any:
        """Take the last archiving back."""
        me = await acting(self)
        back = await me.write(bounced.put_back, me.workspace_id, self._archived_ids, me.now)
        self._archived_at = None
        return [rx.toast.success(words(me.lang, "dashboard.put_back_now", n=back)), DashboardState.load]

    def _show(self, shown: Dashboard) -> None:
        day, bounces = shown.day, shown.bounces
        self.sent, self.possible, self.planned, self.bars = day.sent, day.possible, day.planned, day.bars
        self.window, self.window_at = day.window, day.window_at
        self.walking, self.new = shown.walking, shown.new
        self.active, self.stopped, self.paused = shown.active, shown.stopped, shown.paused
        self.bounce_share, self.bounce_sent, self.bounced = bounces.share, bounces.sent, bounces.bounced
        self.judgement, self.opens, self.clicks = bounces.judgement, shown.opens, shown.clicks
        self.campaigns, self.accounts, self.accounts_total = shown.campaigns, shown.accounts, shown.accounts_total
        self.steps = [
            Step("account", "at-sign", AccountsQuery(drawer="connect").address(), shown.accounts_total > 0),
            Step("contacts", "users", "/contacts/import", shown.contacts > 0),
            Step("address", "map-pin", "/settings?tab=workspace", shown.has_address),
            Step("campaign", "send", "/campaigns", shown.has_started),
        ]
        self.steps_done = sum(step.done for step in self.steps)
        # Whoever has begun to send needs no list of first steps; what is still missing is told as advice.
        self.beginning = not shown.has_started
