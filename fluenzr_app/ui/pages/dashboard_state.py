"""What the dashboard holds."""

from __future__ import annotations

from dataclasses import dataclass

import reflex as rx

from fluenzr_app.ui.guard import acting
from fluenzr_app.ui.pages.accounts_query import AccountsQuery
from fluenzr_app.ui.pages.campaign_figures import Followed
from fluenzr_app.ui.pages.dashboard_data import AccountRow, CampaignRow, Dashboard, HourBar, read_dashboard


@dataclass(frozen=True)
class Step:
    """A first step: `key` names its words, `done` says whether it is behind us."""

    key: str
    icon: str
    href: str
    done: bool


class DashboardState(rx.State):
    """The figures of the day."""

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
    campaigns: list[CampaignRow] = []
    accounts: list[AccountRow] = []
    accounts_total: int = 0
    steps: list[Step] = []
    steps_done: int = 0
    beginning: bool = False

    @rx.event
    async def load(self) -> None:
        """Fill the page for the workspace of whoever asks."""
        me = await acting(self)
        shown = await me.read(read_dashboard, me.workspace_id, me.now)
        self.now = me.now.isoformat()
        self._show(shown)
        self.loaded = True

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
