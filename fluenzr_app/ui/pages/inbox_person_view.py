"""The card of the contact beside its conversation; over it where there is no room."""

from __future__ import annotations

from typing import Any

import reflex as rx

from fluenzr_app.ui.components.buttons import button, icon_button
from fluenzr_app.ui.components.forms import choice_of, field, form, text_area
from fluenzr_app.ui.components.frame import confirm_dialog, dialog
from fluenzr_app.ui.components.stages import stage_select
from fluenzr_app.ui.components.status import callout, status_badge
from fluenzr_app.ui.components.values import icon, link, when
from fluenzr_app.ui.kept import kept
from fluenzr_app.ui.language import t
from fluenzr_app.ui.pages.campaign_words import WALK_STATUSES
from fluenzr_app.ui.pages.contacts_waits import WaitRow
from fluenzr_app.ui.pages.contacts_words import STATUSES
from fluenzr_app.ui.pages.inbox_conversation import ConversationState
from fluenzr_app.ui.pages.inbox_person import PersonState
from fluenzr_app.ui.pages.inbox_words import mark
from fluenzr_app.ui.shell import ShellState

P = PersonState


def pane() -> rx.Component:
    """Return the card."""
    return rx.cond(
        P.id != "",
        rx.el.aside(
            rx.el.div(
                icon_button(
                    t("inbox.to_conversation"),
                    "arrow-left",
                    on_click=ConversationState.show_card(False),
                    class_name="fzi-card-back",
                ),
                mark(P.initials, P.tone, data_size="large"),
                rx.el.div(
                    rx.el.h2(P.name, class_name="fzi-from"),
                    rx.el.div(P.job_title, class_name="fz-second fzi-clip"),
                    class_name="fzi-head-words",
                ),
                class_name="fzi-card-head",
            ),
            rx.cond((P.status != "active") & (P.status != "replied"), status_badge(P.status, STATUSES)),
            _facts(),
            rx.el.hr(class_name="fzi-line"),
            field(t("pipeline.stage"), stage_select(P.stages, P.stage, PersonState.choose_stage)),
            rx.cond(P.waits.length() > 0, _campaigns()),
            rx.el.hr(class_name="fzi-line"),
            _acts(),
            class_name="fzi-card",
            aria_label=t("inbox.contact"),
        ),
    )


def _facts() -> rx.Component:
    def fact(drawing: str, value: rx.Var[str]) -> rx.Component:
        return rx.cond(value != "", rx.el.li(icon(drawing, 14), rx.el.span(value)))

    return rx.el.ul(
        fact("building-2", P.company),
        rx.el.li(icon("mail", 14), rx.el.span(P.email)),
        fact("phone", P.phone),
        fact("map-pin", P.place),
        rx.el.li(icon("id-card", 14), link(t("inbox.whole_card"), "/contacts?open=" + P.id)),
        class_name="fzi-facts",
    )


def _campaigns() -> rx.Component:
    return rx.el.div(
        rx.el.h3(t("inbox.campaigns"), class_name="fz-second"), rx.foreach(P.waits, _campaign), class_name="fzi-walks"
    )


def _campaign(wait: rx.Var[WaitRow]) -> rx.Component:
    return rx.el.div(
        link(wait.campaign, "/campaigns/" + wait.campaign_id + "/progress", class_name="fzi-walk-name"),
        rx.el.div(
            status_badge(wait.status, WALK_STATUSES),
            rx.cond(wait.ended_at != "", when(wait.ended_at, ShellState.zone, class_name="fzi-ago")),
            class_name="fzi-walk-line",
        ),
        rx.cond(
            wait.under_way,
            rx.el.p(wait.what, rx.cond(wait.until != "", " · " + wait.until, ""), class_name="fz-second"),
        ),
        class_name="fzi-walk",
    )


def _acts() -> rx.Component:
    def act(label: Any, drawing: str, what: str) -> rx.Component:
        return rx.el.button(icon(drawing, 14), label, type="button", on_click=PersonState.ask(what))

    return rx.el.div(
        act(t("inbox.add_note"), "message-square-plus", "note"),
        act(t("inbox.add_to_campaign"), "send", "campaign"),
        rx.cond(P.status != "blocked", act(t("inbox.block"), "ban", "block")),
        class_name="fzi-acts",
    )


def dialogs() -> rx.Component:
    """Return the forms and questions about the contact."""
    note = dialog(
        t("inbox.add_note"),
        form(
            field(
                t("inbox.note"),
                text_area(name="note", auto_focus=True, max_length=5000),
                error=P.wrong,
                help=t("inbox.note_help"),
            ),
            rx.el.div(
                # One begun here goes on in the contact's own card.
                kept("note." + P.id),
                button(t("common.cancel"), on_click=PersonState.ask("")),
                button(t("common.save"), kind="solid", submit=True),
                class_name="fz-dialog-foot",
            ),
            on_submit=PersonState.keep_note,
        ),
        is_open=P.noting,
        on_close=PersonState.ask(""),
        words=P.name,
    )
    answered = rx.el.span(
        rx.el.strong(t("inbox.just_answered", name=P.name)),
        " ",
        when(P.answered_at, ShellState.zone),
        ". ",
        t("inbox.just_answered_words"),
    )
    add = dialog(
        t("inbox.add_to_campaign"),
        rx.cond(P.answered_at != "", callout(answered, "attention", "triangle-alert")),
        rx.cond(
            P.campaigns.length() > 0,
            form(
                field(
                    t("inbox.by.campaign"),
                    choice_of(P.campaigns, lambda each: each.id, lambda each: each.name,
                              first=("", t("inbox.choose_campaign")), name="campaign"),
                    error=P.wrong,
                    help=t("inbox.campaign_help"),
                ),
                rx.el.div(
                    button(t("common.cancel"), on_click=PersonState.ask("")),
                    button(rx.cond(P.answered_at != "", t("inbox.add_anyway"), t("inbox.add")), kind="solid",
                           submit=True),
                    class_name="fz-dialog-foot",
                ),
                on_submit=PersonState.add_to_campaign,
            ),
            rx.el.p(t("inbox.no_campaign"), class_name="fz-second"),
        ),
        is_open=P.adding,
        on_close=PersonState.ask(""),
        words=P.name,
    )  # fmt: skip
    block = confirm_dialog(
        t("contacts_card.ask.block.title", name=P.name),
        t("contacts_card.ask.block.words"),
        rx.cond(P.wrong != "", callout(P.wrong, "error", "circle-alert")),
        is_open=P.blocking,
        on_close=PersonState.ask(""),
        on_confirm=PersonState.block,
        act=t("inbox.block"),
    )
    return rx.fragment(note, add, block)
