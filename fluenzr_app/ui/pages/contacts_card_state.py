"""What the card of one contact holds, and the changes made on it, each stored at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import reflex as rx
from sqlmodel import Session

from fluenzr_app.campaigns.audience import remove_contacts
from fluenzr_app.campaigns.errors import CampaignsError
from fluenzr_app.campaigns.history import HistoryLine, history_of_contact
from fluenzr_app.campaigns.progress import ContactWait, waits_of_contact
from fluenzr_app.contacts import service
from fluenzr_app.contacts.contact_values import TEXT_COLUMNS
from fluenzr_app.contacts.custom_fields import list_custom_fields
from fluenzr_app.contacts.custom_values import FieldDefinition, as_text
from fluenzr_app.contacts.errors import ContactNotFound, ContactsError, EmailTaken
from fluenzr_app.contacts.notes import add_note
from fluenzr_app.contacts.service import ContactCard
from fluenzr_app.contacts.stages import StageView, list_stages, make_stages, move_to_stage
from fluenzr_app.db.ids import BadPublicId, parse_public_id, public_id
from fluenzr_app.inbox import search
from fluenzr_app.tracking.objections import objected_at
from fluenzr_app.ui.components.stages import StageChoice, stage_choices
from fluenzr_app.ui.guard import Acting, acting
from fluenzr_app.ui.kept import kept_is_saved
from fluenzr_app.ui.language import words
from fluenzr_app.ui.pages.campaign_words import refusal
from fluenzr_app.ui.pages.contacts_acts import do_batch, say_no
from fluenzr_app.ui.pages.contacts_card_history import HistoryRow, authors, history_row
from fluenzr_app.ui.pages.contacts_create import OwnField, own_field
from fluenzr_app.ui.pages.contacts_list import ContactsState
from fluenzr_app.ui.pages.contacts_query import read_query
from fluenzr_app.ui.pages.contacts_waits import WaitRow, wait_row
from fluenzr_app.ui.pages.contacts_words import field_at_fault, told
from fluenzr_app.ui.shell import ShellState
from fluenzr_app.words.formats import time_of_day
from fluenzr_app.workspaces.users import get_workspace, names_of

_HISTORY = 15
_EDITED = frozenset({*TEXT_COLUMNS, "email", "consent_source", "consent_at"})


@dataclass(frozen=True)
class ShownGroup:
    """A group the contact is in."""

    id: str
    name: str


@dataclass(frozen=True)
class _Card:
    card: ContactCard
    definitions: tuple[FieldDefinition, ...]
    history: tuple[HistoryLine, ...]
    waits: tuple[ContactWait, ...]
    zone: str
    stages: tuple[StageView, ...]
    names: dict[int, str]
    objects_since: datetime | None


class ContactCardState(rx.State):
    """The open contact. `values` holds its plain fields by column."""

    id: str = ""
    email: str = ""
    name: str = ""
    initials: str = ""
    line: str = ""
    status: str = ""
    objects_since: str = ""
    values: dict[str, str] = {}
    created_at: str = ""
    consent_day: str = ""
    tags: list[str] = []
    groups: list[ShownGroup] = []
    own: list[OwnField] = []
    stages: list[StageChoice] = []
    stage: str = ""
    stage_at: str = ""
    notes_added: int = 0
    waits: list[WaitRow] = []
    history: list[HistoryRow] = []
    history_more: bool = False
    missing: bool = False
    save: str = ""
    saved_at: str = ""
    errors: dict[str, str] = {}
    taken_id: str = ""
    asking: str = ""
    typed: str = ""
    refused: str = ""

    _history_length: int = _HISTORY

    @rx.event
    async def load(self) -> None:
        """Show the contact that the address names; none if it names none."""
        me = await acting(self)
        opened = read_query(dict(self.router.url.query_parameters)).open
        if opened != self.id:
            self._clear()
            self._history_length = _HISTORY
        self.id = opened
        if opened:
            await self._fill(me)

    @rx.event
    async def keep(self, name: str, value: str) -> Any:
        """Store one field as it was left; a refusal stays beside it with what was typed."""
        me = await acting(self)
        if name not in _EDITED or not self.id:
            return
        if value.strip() == self.values.get(name, "") and name not in self.errors:
            return
        self.save = "saving"
        yield
        yield await self._change(me, name, {name: value})

    @rx.event
    async def keep_own(self, name: str, value: str) -> Any:
        """Store the value of a custom field."""
        me = await acting(self)
        if value.strip() == next((own.value for own in self.own if own.name == name), "") and name not in self.errors:
            return
        self.save = "saving"
        yield
        yield await self._change(me, name, {"custom_fields": {name: value}})

    @rx.event
    async def tick_own(self, name: str, ticked: bool) -> Any:
        """Store a custom field that is a box to tick."""
        me = await acting(self)
        yield await self._change(me, name, {"custom_fields": {name: "true" if ticked else "false"}})

    @rx.event
    async def add_tag(self, given: dict[str, Any]) -> Any:
        """Put tags on the contact."""
        me = await acting(self)
        wanted = [part for part in str(given.get("tag", ""))[:500].replace(";", ",").split(",") if part.strip()]
        if wanted:
            yield await self._change(me, "tags", {"tags": [*self.tags, *wanted]})

    @rx.event
    async def drop_tag(self, tag: str) -> Any:
        """Take a tag off the contact."""
        me = await acting(self)
        yield await self._change(me, "tags", {"tags": [held for held in self.tags if held != tag]})

    @rx.event
    async def add_group(self, group: str) -> Any:
        """Put the contact into a group."""
        me = await acting(self)
        if group:
            yield await self._change(
                me, "group_ids", {"group_ids": [*self._group_ids(), parse_public_id("grp", group)]}
            )

    @rx.event
    async def drop_group(self, group: str) -> Any:
        """Take the contact out of a group."""
        me = await acting(self)
        left = parse_public_id("grp", group)
        yield await self._change(me, "group_ids", {"group_ids": [key for key in self._group_ids() if key != left]})

    @rx.event
    async def move(self, stage: str) -> Any:
        """Move the contact to a stage of the pipeline, or out of it."""
        me = await acting(self)
        try:
            contact_id, stage_id = parse_public_id("con", self.id), parse_public_id("stg", stage) if stage else None
            await me.write(move_to_stage, me.workspace_id, contact_id, stage_id, me.now, by=me.identity.user_id)
        except (ContactsError, BadPublicId) as error:
            self.errors = {**self.errors, "stage": told(me.lang, error)}
        else:
            self.errors = {name: text for name, text in self.errors.items() if name != "stage"}
        await self._fill(me)

    @rx.event
    async def add_note(self, given: dict[str, Any]) -> Any:
        """Put a note into the history; a refused one stays as it was typed."""
        me = await acting(self)
        try:
            contact_id, text = parse_public_id("con", self.id), str(given.get("note", ""))
            await me.write(add_note, me.workspace_id, contact_id, text, me.now, by=me.identity.user_id)
        except (ContactsError, BadPublicId) as error:
            self.errors = {**self.errors, "note": told(me.lang, error)}
            return None
        self.errors = {name: text for name, text in self.errors.items() if name != "note"}
        self.notes_added += 1
        await self._fill(me)
        return kept_is_saved(f"note.{self.id}")

    @rx.event
    async def more_history(self) -> None:
        """Show older lines of the history."""
        me = await acting(self)
        self._history_length = min(self._history_length + 50, 500)
        await self._fill(me)

    @rx.event
    async def ask(self, act: str) -> None:
        """Ask before an act on this contact; "" closes the question."""
        await acting(self)
        self.asking, self.typed, self.refused = act[:20], "", ""

    @rx.event
    async def type_word(self, text: str) -> None:
        """Take what is typed to confirm a deletion."""
        await acting(self)
        self.typed = text[:300]

    @rx.event
    async def act(self, act: str) -> Any:
        """Do what was asked about: unsubscribe, block, archive, activate or delete."""
        me = await acting(self)
        if act == "delete" and self.typed != self.email:
            return None
        try:
            await me.write(_act, me, parse_public_id("con", self.id), act)
        except (ContactsError, BadPublicId) as error:
            self.refused = told(me.lang, error)
            return None
        self.asking = ""
        told_done = rx.toast.success(words(me.lang, f"contacts_card.done.{act}", email=self.email))
        if act == "delete":
            return [told_done, ContactsState.close]
        await self._fill(me)
        return [told_done, ContactsState.load]

    @rx.event
    async def take_out(self, campaign: str) -> Any:
        """Take the contact out of one campaign; its sequence there ends."""
        me = await acting(self)
        try:
            campaign_id, contact_id = parse_public_id("cmp", campaign), parse_public_id("con", self.id)
            await me.write(remove_contacts, me.workspace_id, campaign_id, [contact_id], me.now)
        except BadPublicId:
            return None
        except CampaignsError as error:
            return rx.toast.error(refusal(me.lang, error))
        await self._fill(me)
        return rx.toast.success(words(me.lang, "contacts_card.taken_out", email=self.email))

    def _group_ids(self) -> list[int]:
        return [parse_public_id("grp", group.id) for group in self.groups]

    def _clear(self) -> None:
        self.save = self.saved_at = self.taken_id = self.asking = self.refused = ""
        self.errors, self.missing, self.values, self.email = {}, False, {}, ""

    async def _change(self, me: Acting, field: str, changes: dict[str, Any]) -> Any:
        shell = await self.get_state(ShellState)
        try:
            contact = parse_public_id("con", self.id)
            await me.write(_update, me, contact, changes)
        except ContactNotFound:
            self.missing = True
            return None
        except EmailTaken as error:
            self._refuse(field, told(me.lang, error))
            self.taken_id = public_id("con", error.contact_id)
            return None
        except (ContactsError, BadPublicId) as error:
            self._refuse(field_at_fault(error) or field, told(me.lang, error))
            return None
        self.errors = {name: text for name, text in self.errors.items() if name != field}
        if field == "email":
            self.taken_id = ""
        await self._fill(me)
        self.save = "refused" if self.errors else "saved"
        self.saved_at = time_of_day(me.lang, me.now, ZoneInfo(shell.zone))
        return ContactsState.load

    def _refuse(self, field: str, text: str) -> None:
        self.errors = {**self.errors, field: text}
        self.save = "refused"

    async def _fill(self, me: Acting) -> None:
        try:
            found = await me.read(_read, me.workspace_id, parse_public_id("con", self.id), self._history_length, me.now)
        except (ContactNotFound, BadPublicId):
            self.missing = True
            return
        contact = found.card.contact
        self.missing = False
        self.email, self.status = contact.email, contact.status
        self.name = " ".join(part for part in (contact.first_name, contact.last_name) if part) or contact.email
        self.initials = (contact.first_name[:1] + contact.last_name[:1] or contact.email[:1]).upper()
        self.line = ", ".join(part for part in (contact.job_title, contact.company) if part)
        self.values = {name: getattr(contact, name) for name in ("email", *TEXT_COLUMNS, "consent_source")}
        self.consent_day = (
            contact.consent_at.astimezone(ZoneInfo(found.zone)).date().isoformat() if contact.consent_at else ""
        )
        self.values["consent_at"] = self.consent_day
        self.created_at = contact.created_at.isoformat()
        self.objects_since = found.objects_since.isoformat() if found.objects_since else ""
        self.tags = list(found.card.tags)
        self.groups = [ShownGroup(public_id("grp", key), name) for key, name in found.card.groups]
        self.own = [
            own_field(definition, as_text(contact.fields.get(definition.name))) for definition in found.definitions
        ]
        self.waits = [wait_row(me, wait, ZoneInfo(found.zone)) for wait in found.waits]
        stages = found.stages or await me.write(make_stages, me.workspace_id, me.now)
        self.stages = stage_choices(stages)
        self.stage = public_id("stg", found.card.stage.id) if found.card.stage else ""
        self.stage_at = contact.stage_at.isoformat() if contact.stage_at else ""
        self.history = [history_row(line, found.names) for line in found.history[: self._history_length]]
        self.history_more = len(found.history) > self._history_length


def _read(session: Session, workspace_id: int, contact_id: int, history: int, now: datetime) -> _Card:
    lines = history_of_contact(session, workspace_id, contact_id, limit=history + 1)
    card = service.get_contact(session, workspace_id, contact_id)
    return _Card(
        card,
        tuple(list_custom_fields(session, workspace_id)),
        lines,
        tuple(waits_of_contact(session, workspace_id, contact_id, now)),
        get_workspace(session, workspace_id).timezone,
        list_stages(session, workspace_id),
        names_of(session, workspace_id, authors(lines)),
        objected_at(session, workspace_id, card.contact.email_hash, contact_id),
    )


def _update(session: Session, me: Acting, contact_id: int, changes: dict[str, Any]) -> None:
    service.update_contact(session, me.runtime.keyring, me.workspace_id, contact_id, changes, me.now)
    search.contacts_changed(session, me.workspace_id, [contact_id])


def _act(session: Session, me: Acting, contact_id: int, act: str) -> None:
    workspace_id = me.workspace_id
    service.get_contact(session, workspace_id, contact_id)
    if act in ("unsubscribe", "block"):
        say_no(session, workspace_id, contact_id, "unsubscribe" if act == "unsubscribe" else "block", me.now)
    elif act == "archive":
        do_batch(session, me.identity, "archive", [contact_id], me.now)
    elif act == "delete":
        do_batch(session, me.identity, "delete", [contact_id], me.now)
    elif act == "activate":
        service.update_contact(session, me.runtime.keyring, workspace_id, contact_id, {"status": "active"}, me.now)
