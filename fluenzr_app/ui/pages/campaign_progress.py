"""How far a campaign is: figures, each contact with why it waits, and messages that wait for a decision."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import reflex as rx
from sqlmodel import Session

from fluenzr_app.campaigns import audience
from fluenzr_app.campaigns.enrollments import counts_by_status
from fluenzr_app.campaigns.errors import CampaignNotFound, CampaignsError
from fluenzr_app.campaigns.figures import LinkStats, MailStats, link_stats, mail_stats
from fluenzr_app.campaigns.origin import CampaignOrigin
from fluenzr_app.campaigns.progress import Walk, WalkPage, list_walks
from fluenzr_app.campaigns.uncertain import UncertainMessage, decide, list_uncertain
from fluenzr_app.db.ids import BadPublicId, parse_public_id, public_id
from fluenzr_app.sending.errors import SendingError
from fluenzr_app.ui.guard import acting, zone
from fluenzr_app.ui.language import words
from fluenzr_app.ui.pages.campaign_acts import key_of_path
from fluenzr_app.ui.pages.campaign_figures import Followed, clicks_of, opens_of
from fluenzr_app.ui.pages.campaign_frame import CampaignState
from fluenzr_app.ui.pages.campaign_words import WALK_STATUSES, WaitWords, refusal, wait_words
from fluenzr_app.words.catalogue import Lang, catalogue
from fluenzr_app.workspaces import service as workspaces

PER_PAGE = 25
_UNCERTAIN_SHOWN = 20
_LINKS_SHOWN = 20


@dataclass(frozen=True)
class WalkRow:
    """A contact's walk. `ended` is a sentence for one that is over."""

    contact: str
    name: str
    email: str
    company: str
    status: str
    mail: str
    account: str
    due_at: str
    has_wait: bool
    wait: WaitWords
    ended: str
    ended_at: str


@dataclass(frozen=True)
class Doubt:
    """A message that waits for a decision."""

    id: str
    address: str
    subject: str
    rfc_id: str


@dataclass(frozen=True)
class MailRow:
    """The figures of one mail; `bounce` and `reply` are shares, None where nothing was sent."""

    node: str
    number: int
    name: str
    sent: int
    bounce: float | None
    reply: float | None
    opens: Followed
    clicks: Followed


@dataclass(frozen=True)
class LinkRow:
    """A link of the mail that is open. `width` is its clicks in per cent of those of the most clicked one."""

    link: str
    clicked: int
    machines: int
    share: float | None
    width: float


@dataclass(frozen=True)
class _Read:
    walks: WalkPage
    by_status: dict[str, int]
    doubts: list[UncertainMessage]
    mails: list[MailStats]
    links: list[LinkStats]
    zone: str


# The list stands below the figures, out of sight of whoever was sent to it.
_TO_WALKS = "setTimeout(() => document.getElementById('walks')?.scrollIntoView({ block: 'start' }), 100)"


class ProgressState(rx.State):
    """The walks of one campaign."""

    loaded: bool = False
    rows: list[WalkRow] = []
    total: int = 0
    page_number: int = 0
    search: str = ""
    status: str = ""
    counts: dict[str, int] = {}
    everybody: int = 0
    doubts: list[Doubt] = []
    mails: list[MailRow] = []
    open: str = ""
    open_mail: str = ""
    links: list[LinkRow] = []
    _asked: int = 0
    _asked_status: str = ""

    @rx.event
    async def load(self) -> Any:
        """Show one page of walks; a state named in the address is shown alone, once."""
        me = await acting(self)
        key = self._key()
        if key != self._asked:
            self._asked, self.page_number, self.search, self.status, self.open = key, 0, "", "", ""
            self.open_mail, self.links, self._asked_status = "", [], ""
        asked_status = str(self.router.url.query_parameters.get("status", ""))
        is_new = asked_status != self._asked_status
        self._asked_status = asked_status
        if is_new and asked_status in WALK_STATUSES:
            self.search, self.status, self.page_number = "", asked_status, 0
        try:
            read = await me.read(
                _read,
                me.workspace_id,
                key,
                me.now,
                self.status or None,
                self.search,
                self.page_number + 1,
                bool(self.open_mail),
            )
        except CampaignNotFound:
            return None
        here = zone(read.zone)
        first = next((mail.name for mail in read.mails if mail.number == 1), "")
        self.rows = [_row(walk, me.lang, me.now, here, first) for walk in read.walks.walks]
        self.total = read.walks.total
        self.counts = {status: read.by_status.get(status, 0) for status in WALK_STATUSES}
        self.everybody = sum(self.counts.values())
        self.doubts = [
            Doubt(public_id("msg", each.id), each.to_address, each.subject, each.rfc_id)
            for each in read.doubts[:_UNCERTAIN_SHOWN]
        ]
        self.mails = [_mail_row(mail, public_id("cmp", key)) for mail in read.mails]
        self.links = _link_rows(read, self.open_mail)
        self.loaded = True
        return rx.call_script(_TO_WALKS) if is_new and asked_status in WALK_STATUSES else None

    @rx.event
    async def look_for(self, text: str) -> Any:
        """Search among the contacts."""
        self.search, self.page_number = text[:200].strip(), 0
        return ProgressState.load

    @rx.event
    async def filter(self, status: str) -> Any:
        """Show the contacts in one state; "" shows all."""
        self.status, self.page_number = (status if status in WALK_STATUSES else ""), 0
        return ProgressState.load

    @rx.event
    async def turn_to(self, number: int) -> Any:
        """Show another page, counted from 0."""
        self.page_number = max(0, int(number))
        return ProgressState.load

    @rx.event
    async def show_everybody(self) -> Any:
        """Take search and filter away."""
        self.search, self.status, self.page_number = "", "", 0
        return ProgressState.load

    @rx.event
    async def toggle(self, contact: str) -> None:
        """Open the explanation under a row, or close it."""
        self.open = "" if self.open == contact else contact[:40]

    @rx.event
    async def toggle_mail(self, node: str) -> Any:
        """Show the links clicked in a mail under its row, or close them."""
        self.open_mail, self.links = ("" if self.open_mail == node else node[:64]), []
        return ProgressState.load

    @rx.event
    async def remove(self, contact: str) -> Any:
        """Take a contact out of the campaign."""
        me = await acting(self)
        try:
            key = parse_public_id("con", contact)
            await me.write(audience.remove_contacts, me.workspace_id, self._key(), [key], me.now)
        except BadPublicId:
            return None
        except CampaignsError as error:
            return rx.toast.error(refusal(me.lang, error))
        email = next((row.email for row in self.rows if row.contact == contact), "")
        told = words(me.lang, "campaign_progress.removed", email=email)
        return [rx.toast.success(told), CampaignState.load, ProgressState.load]

    @rx.event
    async def decide(self, message: str, decision: str) -> Any:
        """End the uncertainty about a message as the reader decided."""
        me = await acting(self)
        if decision not in ("sent", "again"):
            return None
        origin = CampaignOrigin(me.runtime.keyring, me.runtime.settings.public_url)
        try:
            key = parse_public_id("msg", message)
            await me.write(decide, me.workspace_id, key, decision, origin, me.now)
        except BadPublicId:
            return None
        except SendingError:
            told = words(me.lang, "campaign_progress.uncertain.settled")
            return [rx.toast.info(told), CampaignState.load, ProgressState.load]
        told = words(me.lang, f"campaign_progress.uncertain.decided_{decision}")
        return [rx.toast.success(told), CampaignState.load, ProgressState.load]

    def _key(self) -> int:
        return key_of_path(self.router.url.path)


def _row(walk: Walk, lang: Lang, now: datetime, here: ZoneInfo, first_mail: str) -> WalkRow:
    ended = ""
    if walk.waiting is None:
        known = catalogue()
        key = f"campaign_progress.end.{walk.end_reason}"
        key = key if walk.end_reason and key in known else f"campaign_progress.end.{walk.status}"
        ended = words(lang, key) if key in known else ""
    return WalkRow(
        contact=public_id("con", walk.contact_id),
        name=walk.name,
        email=walk.email,
        company=walk.company,
        status=walk.status,
        mail="" if walk.waiting is None else walk.mail_name or first_mail,
        account=walk.account_email or "",
        due_at="" if walk.due_at is None else walk.due_at.isoformat(),
        has_wait=walk.waiting is not None,
        wait=wait_words(lang, walk.waiting, now, here) if walk.waiting is not None else WaitWords(),
        ended=ended,
        ended_at="" if walk.ended_at is None else walk.ended_at.isoformat(),
    )


def _mail_row(mail: MailStats, campaign: str) -> MailRow:
    return MailRow(
        mail.node_id,
        mail.number,
        mail.name,
        mail.sent,
        mail.bounced / mail.sent if mail.sent else None,
        mail.replied / mail.delivered if mail.delivered else None,
        opens_of(mail, campaign),
        clicks_of(mail, campaign),
    )


def _link_rows(read: _Read, node: str) -> list[LinkRow]:
    delivered = next((mail.delivered for mail in read.mails if mail.node_id == node), 0)
    found = [each for each in read.links if each.node_id == node][:_LINKS_SHOWN]
    most = max((each.clicked for each in found), default=0)
    return [
        LinkRow(
            each.link,
            each.clicked,
            each.machine_clicked,
            each.clicked / delivered if delivered else None,
            round(100 * each.clicked / most, 1) if most else 0.0,
        )
        for each in found
    ]


def _read(
    session: Session,
    workspace_id: int,
    campaign_id: int,
    now: datetime,
    status: str | None,
    search: str,
    page: int,
    with_links: bool,
) -> _Read:
    walks = list_walks(
        session, workspace_id, campaign_id, now, status=status, search=search, page=page, per_page=PER_PAGE
    )
    doubts = [each for each in list_uncertain(session, workspace_id, 1_000) if each.campaign_id == campaign_id]
    return _Read(
        walks,
        counts_by_status(session, [campaign_id])[campaign_id],
        doubts,
        mail_stats(session, workspace_id, campaign_id),
        link_stats(session, workspace_id, campaign_id) if with_links else [],
        workspaces.get_workspace(session, workspace_id).timezone,
    )
