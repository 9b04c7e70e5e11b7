"""What surrounds every page of one campaign: its head, tabs, acts, and the figures that stay live."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, get_args
from zoneinfo import ZoneInfo

import reflex as rx
from sqlmodel import Session

from fluenzr_app.campaigns.errors import CampaignNotFound, CampaignsError
from fluenzr_app.campaigns.figures import CampaignStats, campaign_stats
from fluenzr_app.campaigns.service import get_campaign
from fluenzr_app.campaigns.standing import Standing, standing_of
from fluenzr_app.campaigns.views import CampaignView
from fluenzr_app.db.ids import public_id
from fluenzr_app.ui.guard import Acting, acting, zone
from fluenzr_app.ui.language import words
from fluenzr_app.ui.pages import campaign_acts as acts
from fluenzr_app.ui.pages.campaign_acts import address, key_of_path
from fluenzr_app.ui.pages.campaign_figures import Followed, clicks_of, opens_of
from fluenzr_app.ui.pages.campaign_start import StartState
from fluenzr_app.ui.pages.campaign_words import WaitWords, refusal, wait_words
from fluenzr_app.workspaces import service as workspaces

_SOON = timedelta(seconds=20)


@dataclass(frozen=True)
class Head:
    """A campaign as its head shows it; `points` is how many faults keep a draft from starting."""

    campaign: CampaignView
    stats: CampaignStats
    standing: Standing | None
    points: int
    zone: str


class CampaignState(rx.State):
    """The head of one campaign's pages: what it is, and where it stands."""

    id: str = ""
    found: bool = True
    loaded: bool = False
    name: str = ""
    status: str = ""
    badge: str = ""
    mails: int = 0
    enrolled: int = 0
    walking: int = 0
    ended: int = 0
    sent: int = 0
    replied: int = 0
    bounced: int = 0
    unsubscribed: int = 0
    opens: Followed = Followed()
    clicks: Followed = Followed()
    uncertain: int = 0
    points: int = 0
    next_at: str = ""
    has_wait: bool = False
    wait: WaitWords = WaitWords()
    waiting: int = 0
    editable: bool = False
    revision: int = 0
    asking: str = ""
    typed: str = ""

    @rx.event
    async def load(self) -> None:
        """Fill the head."""
        me = await acting(self)
        self._show(await me.read(_head, me.workspace_id, self._key(), me.now), me)

    @rx.event
    async def act(self, act: str) -> Any:
        """Pause, resume or duplicate the campaign."""
        me = await acting(self)
        if act not in ("pause", "resume", "duplicate"):
            return None
        copy = words(me.lang, "campaigns.copy_name", name=self.name)
        try:
            other = await me.write(acts.do, me.identity, act, self._key(), me.now, copy)
        except CampaignsError as error:
            if act == "resume" and error.code == "campaign_faults":
                return StartState.ask
            return [rx.toast.error(refusal(me.lang, error)), CampaignState.load]
        if act == "duplicate":
            return [rx.toast.success(words(me.lang, "campaigns.copied")), rx.redirect(address(public_id("cmp", other)))]
        done = words(me.lang, "campaigns.paused" if act == "pause" else "campaigns.resumed")
        return [rx.toast.success(done), rx.state.OnLoadInternalState.on_load_internal]

    @rx.event
    async def ask(self, act: str) -> None:
        """Ask before the campaign is archived or deleted."""
        self.asking, self.typed = (act if act in ("archive", "delete") else ""), ""

    @rx.event
    async def type(self, text: str) -> None:
        """Keep what is typed to confirm."""
        self.typed = text[:200]

    @rx.event
    async def spare(self) -> None:
        """Close the question."""
        self.asking, self.typed = "", ""

    @rx.event
    async def confirm(self) -> Any:
        """Archive or delete the campaign; a deletion only once its name was typed."""
        me = await acting(self)
        act = self.asking
        if act not in get_args(acts.Act) or (act == "delete" and self.typed != self.name):
            return None
        self.asking, self.typed = "", ""
        try:
            await me.write(acts.do, me.identity, act, self._key(), me.now)
        except CampaignsError as error:
            return [rx.toast.error(refusal(me.lang, error)), CampaignState.load]
        if act == "delete":
            return [rx.toast.success(words(me.lang, "campaigns.deleted")), rx.redirect("/campaigns")]
        return [rx.toast.success(words(me.lang, "campaigns.archived")), rx.state.OnLoadInternalState.on_load_internal]

    def _key(self) -> int:
        return key_of_path(self.router.url.path)

    def _show(self, head: Head | None, me: Acting) -> None:
        self.found, self.loaded = head is not None, True
        if head is None:
            return
        campaign, stats, standing = head.campaign, head.stats, head.standing
        self.id, self.name, self.status = public_id("cmp", campaign.id), campaign.name, campaign.status
        stands = standing is not None and standing.stands and campaign.status == "active"
        self.badge = "stopped" if stands else campaign.status
        self.mails = sum(1 for _ in campaign.workflow.emails())
        by = stats.by_status
        self.enrolled, self.walking = stats.total_contacts, by.get("pending", 0) + by.get("in_progress", 0)
        self.ended = self.enrolled - self.walking
        self.sent, self.bounced, self.replied = stats.sent, stats.bounced, by.get("replied", 0)
        self.opens, self.clicks = opens_of(stats, self.id), clicks_of(stats, self.id)
        self.unsubscribed, self.uncertain = by.get("unsubscribed", 0), stats.open_messages.get("uncertain", 0)
        self.points, self.revision = head.points, campaign.revision
        self.editable = campaign.status in ("draft", "paused")
        self._show_wait(campaign, standing, me.lang, me.now, zone(head.zone))

    def _show_wait(
        self, campaign: CampaignView, standing: Standing | None, lang: Any, now: datetime, here: ZoneInfo
    ) -> None:
        waiting = None if standing is None else standing.waiting
        self.has_wait = waiting is not None and campaign.status in ("active", "paused")
        self.wait = (
            wait_words(lang, waiting, now, here, self.id) if waiting is not None and self.has_wait else WaitWords()
        )
        self.waiting = 0 if standing is None else standing.contacts
        self.next_at = shown_next(standing, now) if campaign.status == "active" else ""


def shown_next(standing: Standing | None, now: datetime) -> str:
    """Return the next send as an ISO moment; one that is due now is still to come when the page shows it."""
    if standing is None or standing.next_at is None:
        return ""
    return max(standing.next_at, now + _SOON).isoformat()


def _head(session: Session, workspace_id: int, campaign_id: int, now: datetime) -> Head | None:
    try:
        campaign = get_campaign(session, workspace_id, campaign_id)
    except CampaignNotFound:
        return None
    standing = standing_of(session, campaign_id, now) if campaign.status in ("active", "paused") else None
    points = 0
    if campaign.status == "draft":
        points = len(acts.look_ahead(session, workspace_id, campaign_id, now).check.faults)
    zone_name = workspaces.get_workspace(session, workspace_id).timezone
    return Head(campaign, campaign_stats(session, workspace_id, campaign_id), standing, points, zone_name)
