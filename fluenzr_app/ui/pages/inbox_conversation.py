"""What the open conversation holds, and what a person does with it besides writing."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import reflex as rx

from fluenzr_app.campaigns import uncertain
from fluenzr_app.db.ids import BadPublicId, parse_public_id, public_id
from fluenzr_app.inbox import conversations
from fluenzr_app.inbox.answer_origin import AnswerOrigin
from fluenzr_app.inbox.errors import ConversationNotFound, InboxError
from fluenzr_app.inbox.returns import wait_until_return
from fluenzr_app.inbox.stops import DECIDED_AFTER, confirm_stop, dismiss_stop
from fluenzr_app.sending.errors import NotUncertain, UnknownMessage
from fluenzr_app.ui.guard import Acting, acting
from fluenzr_app.ui.language import words
from fluenzr_app.ui.pages.inbox_list import InboxState
from fluenzr_app.ui.pages.inbox_query import key_of, read_query
from fluenzr_app.ui.pages.inbox_thread import ThreadRow, read_thread, thread_rows
from fluenzr_app.ui.pages.inbox_words import told
from fluenzr_app.words import formats
from fluenzr_app.workspaces.service import get_workspace

_PAGE = 40
_MOST = 400
_MORNING = time(9)


class ConversationState(rx.State):
    """The conversation that the address names."""

    id: str = ""
    missing: bool = False
    loaded: bool = False
    subject: str = ""
    name: str = ""
    campaign: str = ""
    campaign_id: str = ""
    account: str = ""
    status: str = ""
    label: str = ""
    snoozed_until: str = ""
    returns_day: str = ""
    stops_at: str = ""
    stop_asked: bool = False
    refused: str = ""
    items: list[ThreadRow] = []
    older: bool = False
    html_of: str = ""
    with_images: bool = False
    snoozing: bool = False
    snooze_wrong: str = ""
    card_open: bool = False
    first_day: str = ""
    _shown: int = _PAGE
    _whole: str = ""
    _last_inbound: str = ""

    @rx.event
    async def load(self) -> None:
        """Show the conversation that the address names, from its end."""
        me = await acting(self)
        wanted = self._asked()
        if wanted != self.id:
            self._forget(wanted)
        if wanted:
            await self._fill(me)

    @rx.event
    async def refresh(self) -> Any:
        """Bring the conversation up to date; what comes while somebody looks at it is read."""
        me = await acting(self)
        if not self.id or self.id != self._asked():
            return None
        before = self._last_inbound
        await self._fill(me)
        if self.status == "unread" and before and self._last_inbound > before:
            await me.write(conversations.set_status, me.workspace_id, [key_of(self.id)], "read", me.now)
            self.status = "read"
            return InboxState.refresh
        return None

    @rx.event
    async def show_older(self) -> None:
        """Show older mails of this conversation."""
        me = await acting(self)
        self._shown = min(self._shown + _PAGE, _MOST)
        await self._fill(me)

    @rx.event
    async def show_whole(self, mail: str) -> None:
        """Show one mail in full."""
        me = await acting(self)
        self._whole = mail[:40]
        await self._fill(me)

    @rx.event
    async def show_html(self, mail: str) -> None:
        """Show a mail as its sender laid it out, without pictures from elsewhere; again to close it."""
        await acting(self)
        self.html_of, self.with_images = ("" if self.html_of == mail else mail[:40]), False

    @rx.event
    async def show_images(self) -> None:
        """Load the pictures of the mail that is shown."""
        await acting(self)
        self.with_images = True

    @rx.event
    async def show_card(self, is_open: bool) -> None:
        """Open or close the contact's card where it has no place of its own."""
        await acting(self)
        self.card_open = is_open

    @rx.event
    async def mark(self, status: str) -> Any:
        """Mark the conversation as read, unread (which leaves it) or archived (which goes on to the next)."""
        me = await acting(self)
        if not self.id or status not in ("read", "unread", "archived"):
            return None
        try:
            await me.write(conversations.set_status, me.workspace_id, [key_of(self.id)], status, me.now)
        except (InboxError, BadPublicId) as error:
            return rx.toast.error(told(me.lang, error))
        if status == "archived":
            # Where to go next is seen from the list as it was.
            leave = (await self.get_state(InboxState))._leave()
            return [rx.toast.success(words(me.lang, "inbox.done.archived", name=self.name)), leave]
        if status == "unread":
            return InboxState.close
        await self._fill(me)
        return InboxState.refresh

    @rx.event
    async def set_label(self, label: str) -> Any:
        """Label the conversation; the label that it has is taken off."""
        me = await acting(self)
        wanted = "" if label == self.label else label
        return await self._do(me, conversations.set_label, [key_of(self.id)] if self.id else [], wanted, me.now)

    @rx.event
    async def show_snooze(self, is_open: bool) -> None:
        """Open or close the choice of a day until which the conversation is put away."""
        me = await acting(self)
        self.snoozing, self.snooze_wrong = is_open, ""
        here = await self._zone(me)
        self.first_day = (me.now.astimezone(here).date() + timedelta(days=1)).isoformat()

    @rx.event
    async def snooze(self, until: str) -> Any:
        """Put the conversation away: until tomorrow, Monday, or 9:00 of a day."""
        me = await acting(self)
        moment = _morning(until, me.now, await self._zone(me))
        if not self.id or moment is None or moment <= me.now:
            self.snooze_wrong = words(me.lang, "inbox.refused.snooze")
            return None
        try:
            await me.write(conversations.snooze, me.workspace_id, key_of(self.id), moment, me.now)
        except (InboxError, BadPublicId) as error:
            self.snooze_wrong = told(me.lang, error)
            return None
        self.snoozing = False
        said = formats.moment(me.lang, moment, me.now, await self._zone(me))
        leave = (await self.get_state(InboxState))._leave()
        return [rx.toast.success(words(me.lang, "inbox.done.snoozed", until=said)), leave]

    @rx.event
    async def snooze_to_day(self, given: dict[str, Any]) -> Any:
        """Put the conversation away until the day of the form."""
        await acting(self)
        return ConversationState.snooze(str(given.get("day", ""))[:10])

    @rx.event
    async def decide_stop(self, stop: bool) -> Any:
        """Follow the contact's request to stop, or let it be because it meant something else."""
        me = await acting(self)
        return await self._do(me, confirm_stop if stop else dismiss_stop, self._key(), me.now)

    @rx.event
    async def wait_for_return(self, conversation: str) -> Any:
        """Hold the contact's next mails back until the day its automatic answer named."""
        me = await acting(self)
        try:
            moment = await me.write(wait_until_return, me.workspace_id, key_of(conversation), me.now)
        except (InboxError, BadPublicId) as error:
            return rx.toast.error(told(me.lang, error))
        said = formats.moment(me.lang, moment, me.now, await self._zone(me))
        return [
            rx.toast.success(words(me.lang, "inbox.done.waits", until=said)),
            InboxState.refresh,
            ConversationState.refresh,
        ]

    @rx.event
    async def decide_uncertain(self, message: str, decision: str) -> Any:
        """Say of an answer of which nobody knows whether it left: it did, or it is to be sent again."""
        me = await acting(self)
        if decision not in ("sent", "again"):
            return None
        try:
            await me.write(
                uncertain.decide, me.workspace_id, parse_public_id("msg", message), decision, AnswerOrigin(), me.now
            )
        except (NotUncertain, UnknownMessage, BadPublicId):
            return [rx.toast.error(words(me.lang, "inbox.refused.settled")), ConversationState.refresh]
        return [ConversationState.refresh, InboxState.refresh]

    async def _do(self, me: Acting, act: Any, *arguments: Any) -> Any:
        if not self.id:
            return None
        try:
            await me.write(act, me.workspace_id, *arguments)
        except (InboxError, BadPublicId) as error:
            return [rx.toast.error(told(me.lang, error)), ConversationState.refresh]
        await self._fill(me)
        return InboxState.refresh

    def _key(self) -> int:
        return key_of(self.id)

    def _asked(self) -> str:
        return read_query(self.router.url.path, {}).conversation

    def _forget(self, wanted: str) -> None:
        self.reset()
        self.id = wanted

    async def _zone(self, me: Acting) -> ZoneInfo:
        return ZoneInfo((await me.read(get_workspace, me.workspace_id)).timezone)

    async def _fill(self, me: Acting) -> None:
        try:
            read = await me.read(read_thread, me.workspace_id, key_of(self.id))
        except (ConversationNotFound, BadPublicId):
            self.missing, self.loaded, self.items = True, True, []
            return
        line = read.line
        self.missing = False
        self.subject, self.name = line.subject, line.contact_name or line.email
        self.campaign, self.account = line.campaign_name, line.account_email
        self.campaign_id = public_id("cmp", line.campaign_id) if line.campaign_id else ""
        self.status, self.label, self.refused = line.status, line.label, read.refused
        self.snoozed_until = line.snoozed_until.isoformat() if line.snoozed_until else ""
        awaited = (
            line.last_kind == "automatic" and line.returns_on and line.returns_on > me.now.astimezone(read.zone).date()
        )
        self.returns_day = line.returns_on.isoformat() if awaited else ""
        self.stop_asked = line.stop_asked_at is not None
        self.stops_at = (line.stop_asked_at + DECIDED_AFTER).isoformat() if line.stop_asked_at else ""
        self._last_inbound = line.last_inbound_at.isoformat()
        rows, self.older = thread_rows(read, me.lang, me.identity.user_id, most=self._shown, whole=self._whole)
        if rows != self.items:
            self.items = rows
        self.loaded = True


def _morning(until: str, now: datetime, here: ZoneInfo) -> datetime | None:
    """Return 9:00 of the next day, of the next Monday, or of a day given as 2026-11-30; None for anything else."""
    today = now.astimezone(here).date()
    if until == "tomorrow":
        day = today + timedelta(days=1)
    elif until == "monday":
        day = today + timedelta(days=7 - today.weekday())
    else:
        try:
            day = date.fromisoformat(until)
        except ValueError:
            return None
    return datetime.combine(day, _MORNING, here) if day.year < 2200 else None
