"""The contact beside its conversation: stage, campaigns, notes; add to a campaign, block."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import reflex as rx
from sqlmodel import Session

from fluenzr_app.campaigns import audience
from fluenzr_app.campaigns.errors import CampaignsError
from fluenzr_app.campaigns.progress import ContactWait, waits_of_contact
from fluenzr_app.campaigns.service import list_campaigns
from fluenzr_app.contacts import service
from fluenzr_app.contacts.errors import ContactNotFound, ContactsError
from fluenzr_app.contacts.models import Contact
from fluenzr_app.contacts.notes import add_note
from fluenzr_app.contacts.stages import StageView, list_stages, make_stages, move_to_stage
from fluenzr_app.db.ids import BadPublicId, parse_public_id, public_id
from fluenzr_app.inbox.conversations import ConversationLine, get_conversation
from fluenzr_app.inbox.errors import ConversationNotFound, InboxError
from fluenzr_app.ui.components.stages import StageChoice, stage_choices
from fluenzr_app.ui.guard import Acting, acting
from fluenzr_app.ui.kept import kept_is_saved
from fluenzr_app.ui.language import words
from fluenzr_app.ui.pages.campaign_acts import rng
from fluenzr_app.ui.pages.campaign_words import refusal
from fluenzr_app.ui.pages.contacts_acts import say_no
from fluenzr_app.ui.pages.contacts_waits import WaitRow, wait_row
from fluenzr_app.ui.pages.contacts_words import told as contacts_told
from fluenzr_app.ui.pages.inbox_conversation import ConversationState
from fluenzr_app.ui.pages.inbox_list import Choice, InboxState
from fluenzr_app.ui.pages.inbox_query import key_of, read_query
from fluenzr_app.ui.pages.inbox_words import initials, mark_tone
from fluenzr_app.words import formats
from fluenzr_app.words.catalogue import catalogue
from fluenzr_app.workspaces import audit
from fluenzr_app.workspaces.service import get_workspace

# So long after an answer, a campaign would look as if nobody had read it.
_JUST_ANSWERED = timedelta(days=14)


@dataclass(frozen=True)
class _Read:
    line: ConversationLine
    contact: Contact
    stages: tuple[StageView, ...]
    waits: tuple[ContactWait, ...]
    zone: str


class _NotAdded(Exception):
    """The campaign did not take the contact; the word says why. Undoes what was done for it."""


class PersonState(rx.State):
    """The contact of the open conversation."""

    id: str = ""
    name: str = ""
    email: str = ""
    job_title: str = ""
    company: str = ""
    phone: str = ""
    place: str = ""
    initials: str = ""
    tone: str = "accent"
    status: str = ""
    stage: str = ""
    stages: list[StageChoice] = []
    waits: list[WaitRow] = []
    campaigns: list[Choice] = []
    answered_at: str = ""
    noting: bool = False
    adding: bool = False
    blocking: bool = False
    wrong: str = ""

    @rx.event
    async def load(self) -> None:
        """Show the contact of the conversation that the address names."""
        me = await acting(self)
        if not await me.read(list_stages, me.workspace_id):
            await me.write(make_stages, me.workspace_id, me.now)
        await self._fill(me)

    @rx.event
    async def choose_stage(self, stage: str) -> Any:
        """Move the contact to another stage, or out of the pipeline."""
        me = await acting(self)
        try:
            to = parse_public_id("stg", stage) if stage else None
            await me.write(_move, me.workspace_id, self._conversation(), to, me.now, me.identity.user_id)
        except (ContactsError, InboxError, BadPublicId) as error:
            return rx.toast.error(contacts_told(me.lang, error))
        await self._fill(me)
        return ConversationState.refresh

    @rx.event
    async def ask(self, what: str) -> None:
        """Open the question for a note, a campaign or a block; "" closes each."""
        me = await acting(self)
        self.noting, self.adding, self.blocking = what == "note", what == "campaign", what == "block"
        self.wrong = ""
        if self.adding:
            self.campaigns = await me.read(_open_campaigns, me.workspace_id)

    @rx.event
    async def keep_note(self, given: dict[str, Any]) -> Any:
        """Put a note into the contact's history."""
        me = await acting(self)
        text = str(given.get("note", ""))[:6000]
        try:
            await me.write(_note, me.workspace_id, self._conversation(), text, me.now, me.identity.user_id)
        except (ContactsError, InboxError, BadPublicId) as error:
            self.wrong = contacts_told(me.lang, error)
            return None
        self.noting, self.wrong = False, ""
        await self._fill(me)
        noted = rx.toast.success(words(me.lang, "inbox.done.noted"))
        return [noted, kept_is_saved(f"note.{self.id}"), ConversationState.refresh]

    @rx.event
    async def add_to_campaign(self, given: dict[str, Any]) -> Any:
        """Put the contact into a campaign, also if it has just answered: the page has warned of that."""
        me = await acting(self)
        try:
            campaign = parse_public_id("cmp", str(given.get("campaign", "")))
        except BadPublicId:
            self.wrong = words(me.lang, "inbox.refused.no_campaign")
            return None
        try:
            await me.write(_enroll, me, self._conversation(), campaign)
        except _NotAdded as skipped:
            key = f"campaign_audience.why.{skipped}"
            why = words(me.lang, key if key in catalogue() else "campaign_audience.why.other")
            self.wrong = words(me.lang, "inbox.not_added", why=why)
            return None
        except CampaignsError as error:
            self.wrong = refusal(me.lang, error)
            return None
        except (ContactsError, InboxError, BadPublicId) as error:
            self.wrong = contacts_told(me.lang, error)
            return None
        self.adding, self.wrong = False, ""
        await self._fill(me)
        return [rx.toast.success(words(me.lang, "campaign_audience.added", n=1)), ConversationState.refresh]

    @rx.event
    async def block(self) -> Any:
        """Never write to this contact again: onto the suppression list, out of every sequence."""
        me = await acting(self)
        try:
            await me.write(_block, me, self._conversation())
        except (ContactsError, InboxError, BadPublicId) as error:
            self.wrong = contacts_told(me.lang, error)
            return None
        self.blocking, self.wrong = False, ""
        await self._fill(me)
        done = rx.toast.success(words(me.lang, "contacts_card.done.block", email=self.email))
        return [done, ConversationState.refresh, InboxState.refresh]

    def _conversation(self) -> int:
        return key_of(read_query(self.router.url.path, {}).conversation)

    async def _fill(self, me: Acting) -> None:
        try:
            read = await me.read(_read, me.workspace_id, self._conversation(), me.now)
        except (ConversationNotFound, ContactNotFound, BadPublicId):
            self.reset()
            return
        contact, here = read.contact, ZoneInfo(read.zone)
        if self.id != public_id("con", contact.id or 0):
            self.noting = self.adding = self.blocking = False
        self.id, self.email, self.status = public_id("con", contact.id or 0), contact.email, contact.status
        named = " ".join(part for part in (contact.first_name, contact.last_name) if part)
        self.name, self.initials = named or contact.email, initials(named, contact.email)
        self.tone = mark_tone(contact.id or 0)
        self.job_title, self.company, self.phone = contact.job_title, contact.company, contact.phone
        self.place = ", ".join(part for part in (contact.city, formats.country(me.lang, contact.country)) if part)
        self.stages = stage_choices(read.stages)
        self.stage = public_id("stg", contact.stage_id) if contact.stage_id else ""
        self.waits = [wait_row(me, wait, here) for wait in read.waits[:5]]
        just = read.line.last_kind == "reply" and me.now - read.line.last_inbound_at < _JUST_ANSWERED
        self.answered_at = read.line.last_inbound_at.isoformat() if just or contact.status == "replied" else ""


def _read(session: Session, workspace_id: int, conversation_id: int, now: datetime) -> _Read:
    line = get_conversation(session, workspace_id, conversation_id)
    return _Read(
        line,
        service.get_contact(session, workspace_id, line.contact_id).contact,
        list_stages(session, workspace_id),
        tuple(waits_of_contact(session, workspace_id, line.contact_id, now)),
        get_workspace(session, workspace_id).timezone,
    )


def _open_campaigns(session: Session, workspace_id: int) -> list[Choice]:
    lines = list_campaigns(session, workspace_id, per_page=200, sort="name", descending=False).lines
    return [
        Choice(public_id("cmp", line.id), line.name) for line in lines if line.status in ("draft", "active", "paused")
    ]


def _move(
    session: Session, workspace_id: int, conversation_id: int, stage_id: int | None, now: datetime, user_id: int
) -> None:
    contact_id = get_conversation(session, workspace_id, conversation_id).contact_id
    move_to_stage(session, workspace_id, contact_id, stage_id, now, by=user_id)


def _note(session: Session, workspace_id: int, conversation_id: int, text: str, now: datetime, user_id: int) -> None:
    contact_id = get_conversation(session, workspace_id, conversation_id).contact_id
    add_note(session, workspace_id, contact_id, text, now, by=user_id)


def _enroll(session: Session, me: Acting, conversation_id: int, campaign_id: int) -> None:
    line = get_conversation(session, me.workspace_id, conversation_id)
    if line.contact_status == "replied":
        # Campaigns take active contacts alone; whoever adds one that has answered takes it up again.
        changes = {"status": "active"}
        service.update_contact(session, me.runtime.keyring, me.workspace_id, line.contact_id, changes, me.now)
    added = audience.add_contacts(session, me.workspace_id, campaign_id, [line.contact_id], me.now, rng())
    if not added.added:
        raise _NotAdded(next(iter(added.skipped.values()), "other"))


def _block(session: Session, me: Acting, conversation_id: int) -> None:
    contact_id = get_conversation(session, me.workspace_id, conversation_id).contact_id
    if say_no(session, me.workspace_id, contact_id, "block", me.now):
        audit.record(
            session, me.identity, me.workspace_id, "contacts.blocked", public_id("con", contact_id), None, me.now
        )
