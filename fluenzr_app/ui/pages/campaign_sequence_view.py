"""The sequence's page: steps as cards in order on the left, the mail that is open on the right."""

from __future__ import annotations

from typing import Any

import reflex as rx

from fluenzr_app.campaigns.variables import CONTACT_VARIABLES, SENDER_VARIABLES
from fluenzr_app.ui.components.buttons import button, icon_button, menu_item, row_menu
from fluenzr_app.ui.components.forms import choice
from fluenzr_app.ui.components.frame import confirm_dialog, empty_state, skeleton_rows
from fluenzr_app.ui.components.status import diagnosis_banner
from fluenzr_app.ui.components.values import icon, number
from fluenzr_app.ui.language import t
from fluenzr_app.ui.pages.campaign_layout import campaign_page, read_only_banner
from fluenzr_app.ui.pages.campaign_parts import MailEditor, Rescue
from fluenzr_app.ui.pages.campaign_sequence import SequenceState
from fluenzr_app.ui.pages.campaign_tracking_view import mail_tracking

_WORDS = ("name", "name_example", "subject", "subject_help", "subject_first", "body", "format", "bold", "italic",
          "bullets", "numbers", "link", "link_address", "link_help", "link_put", "variable", "search_variable",
          "no_variable", "fallback", "fallback_example", "fallback_help", "insert", "back", "replace", "to_plain",
          "to_rich", "is_plain", "count", "saved", "saving", "unsaved", "refused")  # fmt: skip


def page() -> rx.Component:
    """Return the page on which a sequence is written."""
    state = SequenceState
    return campaign_page(
        "sequence",
        rx.el.div(
            rx.cond(state.loaded, _steps(), rx.el.div(skeleton_rows(4), class_name="fz-seq-steps")),
            _detail(),
            class_name="fz-seq",
            data_step=rx.cond(state.opened, "open", ""),
        ),
        Rescue.create(campaign=state.campaign, ack=state.ack, on_save=state.save),
        _removal(),
        live=[state.refresh],
    )


def _steps() -> rx.Component:
    state = SequenceState
    return rx.el.div(
        rx.el.div(icon("circle-play", 14), t("campaign_sequence.begin"), class_name="fz-seq-end"),
        rx.foreach(state.cards, lambda card: rx.fragment(_join(card.index), _step(card))),
        _join(state.cards.length()),
        rx.el.div(icon("circle-stop", 14), t("campaign_sequence.end"), class_name="fz-seq-end"),
        class_name="fz-seq-steps",
    )


def _join(index: Any) -> rx.Component:
    state = SequenceState
    adding = rx.menu.root(
        rx.menu.trigger(
            rx.el.button(
                icon("plus", 12),
                type="button",
                aria_label=t("campaign_sequence.add"),
                title=t("campaign_sequence.add"),
                class_name="fz-seq-add",
            )
        ),
        rx.menu.content(
            menu_item(t("campaign_sequence.add_mail"), "mail", on_select=state.add("email", index)),
            menu_item(t("campaign_sequence.add_delay"), "timer", on_select=state.add("delay", index)),
            size="2",
            class_name="fz-menu",
        ),
        modal=False,
    )
    return rx.el.div(rx.cond(state.editable & state.is_linear, adding), class_name="fz-seq-join")


def _step(card: Any) -> rx.Component:
    return rx.cond(card.kind == "email", _mail(card), _delay(card))


def _mail(card: Any) -> rx.Component:
    state = SequenceState
    name = rx.cond(card.name != "", card.name, t("campaign_sequence.unnamed"))
    subject = rx.cond(
        card.subject != "",
        card.subject,
        rx.cond(card.is_first_mail, t("campaign_sequence.no_subject"), t("campaign_sequence.same_thread")),
    )
    second = rx.cond(
        card.faults > 0,
        rx.el.span(card.fault, class_name="fz-second fz-small fz-bad"),
        rx.el.span(card.snippet, class_name="fz-second fz-small"),
    )
    return rx.el.div(
        rx.cond(card.faults > 0, rx.el.span(number(card.faults), class_name="fz-seq-faults", aria_hidden="true")),
        rx.el.button(
            rx.el.span(icon("mail", 14), class_name="fz-tile", data_tone="accent"),
            rx.el.span(
                rx.el.span(name, class_name="fz-what"),
                rx.el.span(subject, class_name="fz-second fz-small"),
                second,
                class_name="fz-seq-words",
            ),
            rx.el.span(number(card.number), class_name="fz-seq-no"),
            type="button",
            on_click=state.open(card.id),
            aria_current=rx.cond(state.selected == card.id, "true", "false"),
            class_name="fz-seq-open",
        ),
        rx.el.div(
            rx.el.span(
                rx.cond(card.contacts > 0, t("campaign_sequence.waiting_here", n=card.contacts), ""),
                class_name="fz-second",
            ),
            rx.cond(state.editable & state.is_linear, _step_acts(card)),
            class_name="fz-seq-foot",
        ),
        class_name="fz-seq-mail",
        data_open=state.selected == card.id,
    )


def _step_acts(card: Any) -> rx.Component:
    state = SequenceState
    return rx.fragment(
        icon_button(
            t("campaign_sequence.up"),
            "arrow-up",
            size="small",
            disabled=card.index == 0,
            on_click=state.move(card.id, -1),
        ),
        icon_button(
            t("campaign_sequence.down"),
            "arrow-down",
            size="small",
            disabled=card.is_last,
            on_click=state.move(card.id, 1),
        ),
        row_menu(
            t("campaign_sequence.step_menu"),
            menu_item(t("campaign_sequence.copy"), "copy", on_select=state.copy(card.id)),
            menu_item(t("campaign_sequence.remove"), "trash-2", danger=True, on_select=state.ask_removal(card.id)),
        ),
    )


def _delay(card: Any) -> rx.Component:
    state = SequenceState
    fixed = rx.fragment(
        rx.el.span(number(card.amount)),
        rx.match(
            card.unit,
            ("hours", t("campaign_sequence.hours")),
            ("business", t("campaign_sequence.business")),
            t("campaign_sequence.days"),
        ),
    )
    form = rx.fragment(
        rx.el.input(
            type="number",
            min=1,
            max=30,
            default_value=card.amount.to_string(),
            key=card.id + card.amount.to_string() + card.unit + state.delays_refused.to_string(),
            on_blur=lambda value: state.set_amount(card.id, value),
            aria_label=t("campaign_sequence.amount"),
            class_name="fz-input",
        ),
        choice(
            [
                ("days", t("campaign_sequence.days")),
                ("business", t("campaign_sequence.business")),
                ("hours", t("campaign_sequence.hours")),
            ],
            value=card.unit,
            on_change=lambda value: state.set_unit(card.id, value),
            aria_label=t("campaign_sequence.unit"),
        ),
        row_menu(
            t("campaign_sequence.step_menu"),
            menu_item(t("campaign_sequence.up"), "arrow-up", on_select=state.move(card.id, -1)),
            menu_item(t("campaign_sequence.down"), "arrow-down", on_select=state.move(card.id, 1)),
            menu_item(t("campaign_sequence.copy"), "copy", on_select=state.copy(card.id)),
            menu_item(t("campaign_sequence.remove"), "trash-2", danger=True, on_select=state.ask_removal(card.id)),
        ),
    )
    return rx.el.div(
        icon("timer", 14),
        rx.cond(state.editable & state.is_linear, form, fixed),
        class_name="fz-seq-delay",
        data_wrong=card.faults > 0,
        title=card.fault,
    )


def _detail() -> rx.Component:
    state = SequenceState
    name = rx.cond(state.title_name != "", state.title_name, t("campaign_sequence.unnamed"))
    head = rx.el.div(
        icon_button(t("campaign_sequence.close"), "arrow-left", class_name="fz-seq-back", on_click=state.close),
        rx.el.h2(
            t("campaign_sequence.mail_title", n=state.title_number, name=name),
            class_name="fz-panel-title",
        ),
        button(
            t("campaign_sequence.preview"),
            kind="soft",
            size="small",
            icon_name="eye",
            href="/campaigns/" + state.campaign + "/preview?mail=" + state.selected,
        ),
        class_name="fz-seq-head",
    )
    return rx.el.div(
        rx.el.div(read_only_banner(), _branches(), _kept(), class_name="fz-seq-notes"),
        rx.cond(
            state.selected != "",
            rx.fragment(head, _editor(), mail_tracking()),
            rx.cond(
                state.loaded,
                empty_state("mail-plus", t("campaign_sequence.none"), t("campaign_sequence.none_words"),
                            button(t("campaign_sequence.add_mail"), kind="soft", icon_name="plus",
                                   on_click=state.add("email", 0))),
            ),
        ),
        class_name="fz-seq-detail",
    )  # fmt: skip


def _editor() -> rx.Component:
    state = SequenceState
    variables: list[dict[str, Any]] = [
        {"name": name, "label": t(f"campaign_sequence.variable.{name}"), "sender": name in SENDER_VARIABLES}
        for name in (*CONTACT_VARIABLES, *SENDER_VARIABLES)
    ]
    return MailEditor.create(
        key=state.campaign + state.selected,
        campaign=state.campaign,
        node=state.selected,
        value=state.value,
        ack=state.ack,
        read_only=~state.editable,
        variables=variables,
        custom=state.custom,
        faults=state.faults,
        thread_subject=state.thread_subject,
        words={name: t(f"campaign_sequence.editor.{name}") for name in _WORDS},
        on_save=state.save,
    )


def _branches() -> rx.Component:
    return rx.cond(
        SequenceState.loaded & ~SequenceState.is_linear,
        diagnosis_banner("split", "info", t("campaign_sequence.branches"), t("campaign_sequence.branches_words")),
    )


def _kept() -> rx.Component:
    state = SequenceState
    what = rx.match(
        state.kept_why,
        ("active", t("campaign_sequence.kept.active")),
        ("removed", t("campaign_sequence.kept.removed")),
        t("campaign_sequence.kept.changed"),
    )
    why = rx.cond(~state.editable, t("campaign_sequence.kept.words_active"), t("campaign_sequence.kept.words"))
    take = rx.cond(state.kept_why == "removed", t("campaign_sequence.kept.add"), t("campaign_sequence.kept.take"))
    acts = rx.el.div(
        rx.cond(state.editable, button(take, size="small", on_click=state.settle(True))),
        button(t("campaign_sequence.kept.drop"), kind="quiet", size="small", on_click=state.settle(False)),
        class_name="fz-row",
    )
    return rx.cond(
        state.kept_node != "",
        diagnosis_banner("git-compare-arrows", "attention", what, why, mend=acts, detail=state.kept_text),
    )


def _removal() -> rx.Component:
    state = SequenceState
    n = state.doomed_contacts
    told = rx.cond(
        state.doomed_kind == "delay",
        t("campaign_sequence.removed_delay"),
        rx.cond(
            n == 0,
            t("campaign_sequence.removed_nobody"),
            rx.cond(
                state.doomed_is_last,
                t("campaign_sequence.removed_last", n=n),
                t("campaign_sequence.removed_next", n=n),
            ),
        ),
    )
    return confirm_dialog(
        t("campaign_sequence.removed_title", name=state.doomed_name),
        told,
        is_open=state.doomed != "",
        on_close=state.spare,
        on_confirm=state.remove,
        act=t("campaign_sequence.remove"),
    )
