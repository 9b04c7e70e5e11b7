"""The real message for real contacts, and a test of it to oneself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import reflex as rx
from sqlmodel import Session

from fluenzr_app.accounts import service as accounts
from fluenzr_app.campaigns import service
from fluenzr_app.campaigns.errors import CampaignNotFound, CampaignsError
from fluenzr_app.campaigns.preview import Preview, preview
from fluenzr_app.campaigns.self_tests import queue_test, state_of_test
from fluenzr_app.campaigns.sequences import unfilled_places
from fluenzr_app.campaigns.views import CampaignView
from fluenzr_app.db.ids import BadPublicId, parse_public_id, public_id
from fluenzr_app.mail.errors import MailError
from fluenzr_app.ui.guard import acting
from fluenzr_app.ui.language import words
from fluenzr_app.ui.letter import letter_page
from fluenzr_app.ui.pages.campaign_acts import key_of_path, rng
from fluenzr_app.ui.pages.campaign_words import refusal

_ASKS_MOST = 60
_OVER = {"sent", "failed", "cancelled", "uncertain", "unknown"}


@dataclass(frozen=True)
class MailChoice:
    """A mail of the sequence to look at."""

    id: str
    number: int
    name: str


@dataclass(frozen=True)
class SenderChoice:
    """An account that a test may leave from."""

    id: str
    email: str


class PreviewState(rx.State):
    """One mail of a campaign as one contact gets it."""

    loaded: bool = False
    mails: list[MailChoice] = []
    mail: str = ""
    position: int = 0
    total: int = 0
    is_sample: bool = False
    has_sender: bool = False
    to_name: str = ""
    to_address: str = ""
    from_name: str = ""
    from_address: str = ""
    subject: str = ""
    page: str = ""
    text: str = ""
    missing: str = ""
    unfilled: str = ""
    fault: str = ""
    shown: str = "html"
    senders: list[SenderChoice] = []
    own_address: str = ""
    test_state: str = ""
    test_detail: str = ""
    test_to: str = ""
    test_error: str = ""
    test_asks: int = 0
    _test: int = 0
    _asked: int = 0
    _places: dict[str, list[str]] = {}

    @rx.event
    async def load(self) -> None:
        """Show the mail that the address names, for the first contact."""
        me = await acting(self)
        key = self._key()
        if key != self._asked:
            self._asked, self.position, self.test_state, self.test_error, self._test = key, 0, "", "", 0
        self.own_address = me.identity.email
        wanted = str(dict(self.router.url.query_parameters).get("mail", "")) or self.mail
        try:
            campaign, choices = await me.read(_choices, me.workspace_id, key)
        except CampaignNotFound:
            return
        self.senders = [SenderChoice(public_id("acc", account), email) for account, email in choices]
        self.has_sender = bool(choices)
        numbers = campaign.workflow.mail_numbers
        mails = sorted((mail for mail in campaign.workflow.emails()), key=lambda each: numbers.get(each.id, 999))
        self.mails = [MailChoice(mail.id, numbers.get(mail.id, 0), mail.name) for mail in mails]
        ids = [mail.id for mail in mails]
        self.mail = wanted if wanted in ids else (ids or [""])[0]
        self._places = {}
        for risk in unfilled_places(campaign.workflow):
            self._places.setdefault(risk.node_id or "", []).append(str(risk.params["place"]))
        await self._look()
        self.loaded = True

    @rx.event
    async def choose(self, mail: str) -> None:
        """Look at another mail of the sequence."""
        if mail in {each.id for each in self.mails}:
            self.mail = mail
            await self._look()

    @rx.event
    async def go(self, by: int) -> None:
        """Look at the mail of the next contact, or the one before."""
        self.position = max(0, min(self.position + (1 if int(by) > 0 else -1), max(self.total - 1, 0)))
        await self._look()

    @rx.event
    async def show_as(self, shown: str) -> None:
        """Show the formatted message or its text."""
        self.shown = "text" if shown == "text" else "html"

    @rx.event
    async def send_test(self, given: dict[str, Any]) -> None:
        """Put a test into the queue of an account."""
        me = await acting(self)
        to = str(given.get("to", "")).strip()[:254]
        self.test_error = ""
        try:
            account = parse_public_id("acc", str(given.get("account", "")))
            self._test = await me.write(queue_test, me.workspace_id, self._key(), self.mail, account, to, me.now, rng())
        except (MailError, BadPublicId):
            self.test_error = words(me.lang, "campaign_preview.test.bad_address")
            return
        except CampaignsError as error:
            self.test_error = refusal(me.lang, error)
            return
        self.test_state, self.test_detail, self.test_to, self.test_asks = "queued", "", to, 0

    @rx.event
    async def ask_test(self) -> None:
        """Look where the test is."""
        if not self._test or self.test_state in _OVER or self.test_asks > _ASKS_MOST:
            return
        me = await acting(self)
        self.test_asks += 1
        self.test_state, self.test_detail = await me.read(state_of_test, me.workspace_id, self._test)

    async def _look(self) -> None:
        me = await acting(self)
        if not self.mail:
            return
        public_url = me.runtime.settings.public_url
        try:
            seen = await me.read(preview, me.workspace_id, self._key(), self.mail, self.position, public_url, me.now)
        except CampaignsError:
            self.fault = "gone"
            return
        self._show(seen)

    def _key(self) -> int:
        return key_of_path(self.router.url.path)

    def _show(self, seen: Preview) -> None:
        self.position, self.total, self.is_sample = max(seen.position, 0), seen.total, seen.is_sample
        self.to_name, self.to_address = seen.to_name, seen.to_address
        self.from_name, self.from_address = seen.from_name, seen.from_address
        self.subject, self.text, self.fault = seen.subject, seen.text, seen.fault or ""
        self.page = "" if seen.html is None else letter_page(seen.html)
        self.missing = ", ".join(seen.missing)
        self.unfilled = ", ".join(self._places.get(self.mail, []))


def _choices(session: Session, workspace_id: int, campaign_id: int) -> tuple[CampaignView, list[tuple[int, str]]]:
    campaign = service.get_campaign(session, workspace_id, campaign_id)
    chosen = [each for each in accounts.list_accounts(session, workspace_id) if each.id in campaign.account_ids]
    # From one in error or in pause a test would only wait: those that can send are offered first.
    chosen.sort(key=lambda each: each.status != "connected")
    return campaign, [(each.id or 0, each.email) for each in chosen]
