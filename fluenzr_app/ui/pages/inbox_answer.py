"""What somebody is writing in the open conversation: the draft as it is kept, its files, saved answers, the sending."""

from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import reflex as rx
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from fluenzr_app.db.ids import BadPublicId, parse_public_id, public_id
from fluenzr_app.inbox import answers, saved_answers
from fluenzr_app.inbox.answers import DraftView
from fluenzr_app.inbox.errors import AnswerRefused, InboxError
from fluenzr_app.inbox.saved_answers import SavedAnswerView
from fluenzr_app.inbox.thread import thread
from fluenzr_app.mail.bodies import clean_html, text_to_html
from fluenzr_app.ui.guard import Acting, acting
from fluenzr_app.ui.kept import kept_is_saved
from fluenzr_app.ui.language import words
from fluenzr_app.ui.pages.inbox_conversation import ConversationState
from fluenzr_app.ui.pages.inbox_list import InboxState
from fluenzr_app.ui.pages.inbox_query import key_of, read_query
from fluenzr_app.ui.pages.inbox_words import told
from fluenzr_app.workspaces.service import get_workspace

_LONGEST = answers.MOST_LETTERS + 1


@dataclass(frozen=True)
class DraftFile:
    """A file that goes with the answer."""

    id: str
    name: str
    size: int


@dataclass(frozen=True)
class SavedRow:
    """A saved answer in the menu."""

    id: str
    name: str


class AnswerState(rx.State):
    """The answer box. `value` is the draft as kept, `ack` the reply to the browser's last save or sending."""

    person: str = ""
    conversation: str = ""
    value: dict[str, Any] = {}
    ack: dict[str, Any] = {}
    insert: dict[str, Any] = {}
    files: list[DraftFile] = []
    saved: list[SavedRow] = []
    naming: bool = False
    name_wrong: str = ""
    _text_to_keep: str = ""
    _version: int = 0

    @rx.event
    async def load(self) -> None:
        """Fill the box with the draft of the conversation that the address names."""
        me = await acting(self)
        wanted = read_query(self.router.url.path, {}).conversation
        self.person = public_id("usr", me.identity.user_id)
        if not wanted:
            self.conversation, self.value, self.files = "", {}, []
            return
        try:
            draft = await me.read(answers.draft_of, me.workspace_id, key_of(wanted), me.identity.user_id)
        except BadPublicId:
            return
        if self.conversation != wanted:
            self.ack, self.insert, self.naming = {}, {}, False
        self._show(wanted, draft)
        self._list(await me.read(saved_answers.list_saved, me.workspace_id))

    @rx.event
    async def save(self, given: dict[str, Any]) -> None:
        """Keep what was typed; the browser keeps it too until it hears that this is done."""
        me = await acting(self)
        conversation, html = str(given.get("conversation", ""))[:40], str(given.get("html", ""))[:_LONGEST]
        try:
            key = key_of(conversation)
            await me.write(answers.save_draft, me.workspace_id, key, me.identity.user_id, html, me.now)
        except (InboxError, BadPublicId) as error:
            self._answer(given, "refused", told(me.lang, error))
            return
        self._answer(given, "saved", "", at=me.now.isoformat())
        if conversation == self.conversation:
            # Under the same version the box keeps what it shows; a page that is opened again begins with this.
            self.value = {**self.value, "html": clean_html(html)}

    @rx.event
    async def send(self, given: dict[str, Any]) -> Any:
        """Send the answer, ten seconds from now or at the chosen time; said twice, it leaves once."""
        me = await acting(self)
        conversation, html = str(given.get("conversation", ""))[:40], str(given.get("html", ""))[:_LONGEST]
        token = str(given.get("token", ""))[:64]
        try:
            zone = (await me.read(get_workspace, me.workspace_id)).timezone
            at = _moment(str(given.get("at", "")), ZoneInfo(zone))
            # The same token makes the same Message-ID, and a mail with the same Message-ID is stored once: a browser
            # that lost the connection may ask again.
            chance = random.Random(f"{me.identity.user_id}:{conversation}:{token}")  # noqa: S311 - no secret
            await me.write(
                answers.send_answer, me.workspace_id, key_of(conversation), html, me.now, chance,
                user_id=me.identity.user_id, at=at,
            )  # fmt: skip
        except IntegrityError:
            # The first time it was said has arrived after all.
            pass
        except (InboxError, BadPublicId) as error:
            self._answer(given, "refused", told(me.lang, error))
            return None
        self._answer(given, "sent", "")
        if conversation == self.conversation:
            self._show(conversation, DraftView("", (), None))
        return [ConversationState.refresh, InboxState.refresh]

    @rx.event
    async def take_back(self, message: str) -> Any:
        """Take an answer back before it leaves; it becomes the draft again."""
        me = await acting(self)
        try:
            conversation, draft = await me.write(
                _take_back, me.workspace_id, parse_public_id("msg", message), me.identity.user_id, me.now
            )
        except (InboxError, BadPublicId) as error:
            return [rx.toast.error(told(me.lang, error)), ConversationState.refresh]
        if public_id("cnv", conversation) == self.conversation:
            self._show(self.conversation, draft, restored=True)
        return [ConversationState.refresh, InboxState.refresh]

    @rx.event
    async def reuse(self, message: str) -> Any:
        """Put the words of an answer that did not leave into the draft."""
        me = await acting(self)
        wanted = read_query(self.router.url.path, {}).conversation
        try:
            draft = await me.write(
                _reuse, me.workspace_id, key_of(wanted), parse_public_id("msg", message), me.identity.user_id, me.now
            )
        except (InboxError, BadPublicId) as error:
            return rx.toast.error(told(me.lang, error))
        self._show(wanted, draft, restored=True)
        return None

    @rx.event
    async def files_changed(self, conversation: str) -> None:
        """Show the files of the draft as they are by now."""
        me = await acting(self)
        await self._read_files(me, conversation)

    @rx.event
    async def refuse_file(self, code: str, name: str) -> Any:
        """Say why a file was not taken."""
        me = await acting(self)
        known = code if code in ("file_too_large", "files_too_large", "too_many_files", "bad_file", "network") else ""
        return rx.toast.error(words(me.lang, f"inbox.refused.{known or 'bad_file'}"), description=name[:200])

    @rx.event
    async def remove_file(self, file: str) -> None:
        """Take a file away from the draft."""
        me = await acting(self)
        conversation = self.conversation
        # One that is gone already is shown as gone.
        with suppress(InboxError, BadPublicId):
            await me.write(
                answers.remove_file, me.workspace_id, key_of(conversation), me.identity.user_id,
                parse_public_id("fil", file),
            )  # fmt: skip
        await self._read_files(me, conversation)

    @rx.event
    async def put_saved(self, saved: str) -> Any:
        """Put a saved answer into the box, with the contact's values in it."""
        me = await acting(self)
        wanted = read_query(self.router.url.path, {}).conversation
        try:
            html = await me.read(
                saved_answers.filled_in, me.workspace_id, key_of(wanted), parse_public_id("sav", saved), me.now
            )
        except (InboxError, BadPublicId) as error:
            return rx.toast.error(told(me.lang, error))
        self._version += 1
        self.insert = {"conversation": wanted, "html": clean_html(html), "version": self._version}
        return None

    @rx.event
    async def ask_name(self, html: str) -> None:
        """Ask under which name what is written is to be kept."""
        await acting(self)
        self._text_to_keep, self.naming, self.name_wrong = html[:_LONGEST], True, ""

    @rx.event
    async def spare(self) -> None:
        """Close the question for a name."""
        await acting(self)
        self.naming = False

    @rx.event
    async def keep_as(self, given: dict[str, Any]) -> Any:
        """Keep what is written as a saved answer."""
        me = await acting(self)
        name = str(given.get("name", ""))[:200]
        try:
            await me.write(saved_answers.save, me.workspace_id, name, self._text_to_keep, me.now)
        except InboxError as error:
            self.name_wrong = told(me.lang, error)
            return None
        self.naming = False
        self._list(await me.read(saved_answers.list_saved, me.workspace_id))
        told_so = rx.toast.success(words(me.lang, "inbox.done.kept", name=name))
        return [told_so, kept_is_saved(f"answer-name.{self.conversation}")]

    @rx.event
    async def delete_saved(self, saved: str) -> Any:
        """Delete a saved answer."""
        me = await acting(self)
        try:
            await me.write(saved_answers.delete_saved, me.workspace_id, parse_public_id("sav", saved))
        except (InboxError, BadPublicId) as error:
            return rx.toast.error(told(me.lang, error))
        self._list(await me.read(saved_answers.list_saved, me.workspace_id))
        return rx.toast.success(words(me.lang, "inbox.done.deleted"))

    def _answer(self, given: dict[str, Any], state: str, why: str, at: str = "") -> None:
        seq = given.get("seq")
        self.ack = {
            "conversation": str(given.get("conversation", ""))[:40],
            "seq": seq if isinstance(seq, int) else 0,
            "state": state,
            "why": why,
            "at": at,
        }

    def _show(self, conversation: str, draft: DraftView, *, restored: bool = False) -> None:
        self.conversation = conversation
        # A program may have stored anything; the box puts rich text into the page.
        html = clean_html(draft.html)
        if restored or html == "" or self.value.get("conversation") != conversation or self.value.get("html") != html:
            self._version += 1
        self.value = {
            "conversation": conversation, "html": html, "restored": restored, "version": self._version,
        }  # fmt: skip
        self.files = [DraftFile(public_id("fil", file.index), file.filename, file.size) for file in draft.files]

    def _list(self, found: tuple[SavedAnswerView, ...]) -> None:
        self.saved = [SavedRow(public_id("sav", each.id), each.name) for each in found]

    async def _read_files(self, me: Acting, conversation: str) -> None:
        try:
            key = key_of(conversation)
        except BadPublicId:
            return
        draft = await me.read(answers.draft_of, me.workspace_id, key, me.identity.user_id)
        if conversation == self.conversation:
            self.files = [DraftFile(public_id("fil", file.index), file.filename, file.size) for file in draft.files]


def _moment(local: str, zone: ZoneInfo) -> datetime | None:
    """Return a time as typed into a field of the browser (2026-11-25T09:00), None for now; raises AnswerRefused."""
    if not local:
        return None
    try:
        return datetime.fromisoformat(local).replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise AnswerRefused("bad_time", "") from None


def _take_back(
    session: Session, workspace_id: int, message_id: int, user_id: int, now: datetime
) -> tuple[int, DraftView]:
    conversation_id = answers.take_back(session, workspace_id, message_id, user_id, now)
    return conversation_id, answers.draft_of(session, workspace_id, conversation_id, user_id)


def _reuse(
    session: Session, workspace_id: int, conversation_id: int, message_id: int, user_id: int, now: datetime
) -> DraftView:
    mails = thread(session, workspace_id, conversation_id)
    text = next((mail.text for mail in mails if mail.id == message_id and mail.kind == "answer"), None)
    if text is None:
        raise AnswerRefused("no_such_answer", "")
    kept = answers.draft_of(session, workspace_id, conversation_id, user_id).html
    restored = text_to_html(text)
    both = f"{restored}<p></p>{kept}" if kept.strip() else restored
    answers.save_draft(session, workspace_id, conversation_id, user_id, both[: answers.MOST_LETTERS], now)
    return answers.draft_of(session, workspace_id, conversation_id, user_id)
