"""Acts on the selection or on the whole filter: asked in a dialog, done in the background with a count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import reflex as rx
from sqlmodel import Session

from fluenzr_app.campaigns.errors import CampaignsError
from fluenzr_app.campaigns.service import list_campaigns
from fluenzr_app.contacts import labels
from fluenzr_app.contacts.errors import ContactsError
from fluenzr_app.db.ids import BadPublicId, parse_public_id, public_id
from fluenzr_app.ui.components.buttons import button
from fluenzr_app.ui.components.forms import choice_of, field, form, text_input
from fluenzr_app.ui.components.frame import confirm_dialog, dialog
from fluenzr_app.ui.components.status import progress_bar
from fluenzr_app.ui.components.table import selection_bar
from fluenzr_app.ui.components.values import number
from fluenzr_app.ui.guard import Acting, acting
from fluenzr_app.ui.language import t, words
from fluenzr_app.ui.pages.campaign_words import refusal
from fluenzr_app.ui.pages.contacts_acts import ACTS, Act, do_batch, next_batch
from fluenzr_app.ui.pages.contacts_list import ContactsState
from fluenzr_app.ui.pages.contacts_query import read_query
from fluenzr_app.ui.pages.contacts_words import told


@dataclass(frozen=True)
class CampaignChoice:
    """A campaign that contacts can be added to."""

    id: str
    name: str


class BulkState(rx.State):
    """The act that is asked about or under way."""

    asking: str = ""
    typed: str = ""
    word: str = ""
    error: str = ""
    count: int = 0
    count_more: bool = False
    working: bool = False
    campaigns: list[CampaignChoice] = []
    done: int = 0

    @rx.event
    async def ask(self, act: str) -> None:
        """Open the dialog of an act."""
        me = await acting(self)
        listed = await self.get_state(ContactsState)
        self.asking = act if act in ACTS else ""
        self.typed = self.error = ""
        self.word = words(me.lang, "contacts.delete_word")
        self.count = listed.total if listed.whole else len(listed.selected)
        self.count_more = listed.whole and listed.more
        self.done = 0
        if self.asking == "campaign":
            found = await me.read(list_campaigns, me.workspace_id, per_page=100)
            self.campaigns = [
                CampaignChoice(public_id("cmp", line.id), line.name)
                for line in found.lines
                if line.status in ("draft", "active", "paused")
            ]

    @rx.event
    async def close(self) -> None:
        """Close the dialog; what is under way goes on."""
        await acting(self)
        self.asking = ""

    @rx.event
    async def type_word(self, text: str) -> None:
        """Take what is typed to confirm a deletion."""
        await acting(self)
        self.typed = text[:40]

    @rx.event
    async def give(self, given: dict[str, Any]) -> Any:
        """Take the tag or the group from its form and start."""
        await acting(self)
        return BulkState.run(self.asking, str(given.get("name", ""))[:200])

    @rx.event(background=True)
    async def run(self, act: str, name: str) -> Any:
        """Do the act batch by batch, each in a transaction of its own, and tell how far it is."""
        async with self:
            me = await acting(self)
            listed = await self.get_state(ContactsState)
            if self.working or act not in ACTS or (act == "delete" and self.typed != self.word):
                return
            chosen = [_key(contact) for contact in listed.selected]
            filters = read_query(dict(self.router.url.query_parameters)).filters() if listed.whole else None
            self.working, self.error, self.done = True, "", 0
        error = ""
        changed = 0
        try:
            details = await me.write(_details, me.workspace_id, act, name, me)
            after = 0
            while batch := await me.read(next_batch, me.workspace_id, filters, chosen, after):
                changed += await me.write(do_batch, me.identity, act, batch, me.runtime.clock.now(), **details)
                after = batch[-1]
                async with self:
                    self.done += len(batch)
        except ContactsError as refused:
            error = told(me.lang, refused)
        except CampaignsError as refused:
            error = refusal(me.lang, refused)
        except BadPublicId:
            error = words(me.lang, "contacts.ask.campaign.choose")
        finally:
            async with self:
                self.working = False
                self.error = error
                if not error:
                    self.asking = ""
                    listed = await self.get_state(ContactsState)
                    listed.selected, listed.whole = [], False
        if not error:
            yield rx.toast.success(words(me.lang, f"contacts.done.{act}", n=changed))
        yield ContactsState.load


def _details(session: Session, workspace_id: int, act: Act, name: str, me: Acting) -> dict[str, Any]:
    if act == "campaign":
        return {"campaign_id": parse_public_id("cmp", name)}
    if act == "tag":
        return {"tags": [part for part in name.replace(";", ",").split(",") if part.strip()] or [""]}
    if act == "group":
        return {"group_id": labels.group_named(session, workspace_id, name, me.now)}
    return {}


def _key(contact: str) -> int:
    try:
        return parse_public_id("con", contact)
    except BadPublicId:
        return 0


def bar() -> rx.Component:
    """Return the dark bar of the selection."""
    listed = ContactsState
    whole_words = rx.cond(
        listed.more, t("contacts.whole_filter_more", n=listed.total), t("contacts.whole_filter", n=listed.total)
    )
    take = rx.cond(
        listed.whole,
        rx.el.span(t("contacts.whole_taken"), class_name="fzc-bar-note"),
        rx.cond(
            listed.total > listed.selected.length(),
            rx.el.button(whole_words, type="button", on_click=ContactsState.take_all, class_name="fzc-take-all"),
        ),
    )
    acts = [
        ("campaign", "send"),
        ("group", "folder-plus"),
        ("tag", "tag"),
        ("unsubscribe", "ban"),
        ("archive", "archive"),
        ("delete", "trash-2"),
    ]
    buttons = [
        button(t(f"contacts.act.{act}"), icon_name=drawing, size="small", on_click=BulkState.ask(act))
        for act, drawing in acts
    ]
    count = rx.cond(listed.whole, listed.total, listed.selected.length()).to(int)
    return selection_bar(count, *buttons, on_clear=ContactsState.clear_selection, take_all=take)


def dialogs() -> rx.Component:
    """Return the questions before the acts."""
    state = BulkState
    progress = rx.cond(
        state.working,
        rx.el.div(
            progress_bar(state.done, state.count),
            rx.el.span(rx.el.strong(number(state.done)), " ", t("common.of_total", total=number(state.count))),
            class_name="fzc-working",
        ),
    )
    wrong = rx.cond(state.error != "", rx.el.p(state.error, class_name="fz-error", role="alert"))
    made = []
    for act in ("archive", "unsubscribe", "block", "delete"):
        title = rx.cond(
            state.count_more,
            t(f"contacts.ask.{act}.title_more", n=state.count),
            t(f"contacts.ask.{act}.title", n=state.count),
        )
        typing = (
            {"type_this": state.word, "typed": state.typed, "on_type": BulkState.type_word} if act == "delete" else {}
        )
        made.append(
            confirm_dialog(
                title,
                t(f"contacts.ask.{act}.words"),
                progress,
                wrong,
                is_open=state.asking == act,
                on_close=BulkState.close,
                on_confirm=BulkState.run(act, ""),
                act=t(f"contacts.act.{act}"),
                loading=state.working,
                **typing,
            )
        )
    tags = rx.foreach(ContactsState.tags, lambda tag: rx.el.option(value=tag))
    groups = rx.foreach(ContactsState.groups, lambda group: rx.el.option(value=group.name))
    made.append(_asking("tag", _typed("tag"), progress, rx.el.datalist(tags, id="bulk-tag")))
    made.append(_asking("group", _typed("group"), progress, rx.el.datalist(groups, id="bulk-group")))
    campaigns = choice_of(
        state.campaigns, lambda campaign: campaign.id, lambda campaign: campaign.name, name="name", first=("", "–")
    )
    made.append(_asking("campaign", campaigns, progress))
    return rx.fragment(*made)


def _typed(act: str) -> rx.Component:
    return text_input(name="name", list=f"bulk-{act}", auto_complete="off", auto_focus=True, max_length=200)


def _asking(act: str, control: rx.Component, *more: rx.Component) -> rx.Component:
    """Return the dialog of an act that needs a name or a choice."""
    return dialog(
        t(f"contacts.ask.{act}.title", n=BulkState.count),
        form(
            field(t(f"contacts.ask.{act}.field"), control, help=t(f"contacts.ask.{act}.help"), error=BulkState.error),
            *more,
            rx.el.div(
                button(t("common.cancel"), on_click=BulkState.close),
                button(t(f"contacts.ask.{act}.act"), kind="solid", submit=True, loading=BulkState.working),
                class_name="fz-dialog-foot",
            ),
            on_submit=BulkState.give,
        ),
        is_open=BulkState.asking == act,
        on_close=BulkState.close,
        words=t(f"contacts.ask.{act}.words"),
    )
