"""The card of one contact in the panel beside the list; the whole screen on a phone."""

from __future__ import annotations

from typing import Any

import reflex as rx

from fluenzr_app.ui.components.buttons import button, menu_download, menu_item, row_menu
from fluenzr_app.ui.components.forms import choice_of, form, text_area, text_input
from fluenzr_app.ui.components.frame import confirm_dialog, row, side_panel, skeleton_rows, stack
from fluenzr_app.ui.components.stages import stage_select
from fluenzr_app.ui.components.status import badge, callout, save_state, status_badge
from fluenzr_app.ui.components.table import avatar
from fluenzr_app.ui.components.values import icon, short_date, when
from fluenzr_app.ui.kept import kept
from fluenzr_app.ui.language import t
from fluenzr_app.ui.pages.contacts_card_past import history, section, waits
from fluenzr_app.ui.pages.contacts_card_state import ContactCardState
from fluenzr_app.ui.pages.contacts_create import OwnField
from fluenzr_app.ui.pages.contacts_list import ContactsState
from fluenzr_app.ui.pages.contacts_words import STATUSES, consent_choices
from fluenzr_app.ui.shell import ShellState

C = ContactCardState
_DRAWINGS = {
    "first_name": "user",
    "last_name": "user",
    "email": "mail",
    "company": "building-2",
    "job_title": "briefcase",
    "phone": "phone",
    "website": "globe",
    "linkedin_url": "link",
    "city": "map-pin",
    "country": "flag",
    "language": "languages",
    "timezone": "clock",
}


def panel() -> rx.Component:
    """Return the panel with the card of the contact that is open."""
    content = rx.cond(
        C.missing,
        stack(
            callout(t("contacts_card.missing"), "attention", "circle-alert"),
            row(button(t("contacts_card.back_to_list"), on_click=ContactsState.close)),
        ),
        rx.cond(C.email != "", _card(), skeleton_rows(5)),
    )
    title = rx.cond(C.name != "", C.name, t("contacts.title"))
    return side_panel(title, content, on_close=ContactsState.close)


def _card() -> rx.Component:
    return stack(
        _head(),
        rx.cond(C.waits.length() > 0, waits()),
        _details(),
        _labels(),
        _consent(),
        rx.cond(C.own.length() > 0, _own()),
        _notes(),
        history(),
        gap=20,
        data_keeps="true",
    )


def _head() -> rx.Component:
    acts = row_menu(
        t("contacts_card.acts"),
        rx.cond(
            (C.status != "unsubscribed") & (C.status != "blocked"),
            menu_item(t("contacts.act.unsubscribe"), "ban", on_select=C.ask("unsubscribe")),
        ),
        rx.cond(C.status != "blocked", menu_item(t("contacts.act.block"), "shield-ban", on_select=C.ask("block"))),
        rx.cond(
            (C.status == "archived") | (C.status == "bounced"),
            menu_item(t("contacts_card.activate"), "circle-check", on_select=C.ask("activate")),
        ),
        rx.cond(C.status != "archived", menu_item(t("contacts.act.archive"), "archive", on_select=C.ask("archive"))),
        menu_download(t("contacts_card.export_person"), "/downloads/contacts/" + C.id + "/person.json"),
        rx.menu.separator(),
        menu_item(t("contacts.act.delete"), "trash-2", danger=True, on_select=C.ask("delete")),
    )
    return stack(
        rx.el.div(
            avatar(C.initials),
            rx.el.div(
                rx.el.div(rx.cond(C.line != "", C.line, C.email), class_name="fz-second fzc-clip-2"),
                rx.el.div(
                    t("contacts_card.since"), " ", when(C.created_at, ShellState.zone), class_name="fz-second fz-small"
                ),
                class_name="fzc-who",
            ),
            status_badge(C.status, STATUSES),
            acts,
            class_name="fzc-card-head",
        ),
        _standing(),
        rx.cond(C.objects_since != "", _objection()),
        _stage(),
        gap=12,
    )


def _stage() -> rx.Component:
    """Return the contact's stage of the pipeline, to be changed in place, and since when it stands there."""
    return rx.el.div(
        rx.el.label(
            icon("square-kanban", 14),
            rx.el.span(t("pipeline.stage"), class_name="fzc-line-label"),
            stage_select(C.stages, C.stage, C.move, class_name="fzc-quiet-input"),
            _line_error("stage"),
            class_name="fzc-line",
        ),
        rx.cond(
            C.stage_at != "",
            rx.el.div(
                t("contacts_card.stage_since"),
                " ",
                when(C.stage_at, ShellState.zone),
                class_name="fz-second fz-small fzc-stage-since",
            ),
        ),
    )


def _standing() -> rx.Component:
    """Say what a status other than active means for this contact."""

    def told(status: str, tone: str, drawing: str) -> tuple[str, rx.Component]:
        return status, callout(t(f"contacts_card.standing.{status}"), tone, drawing)

    return rx.match(
        C.status,
        told("unsubscribed", "grey", "ban"),
        told("blocked", "grey", "ban"),
        told("bounced", "error", "circle-x"),
        told("archived", "grey", "archive"),
        rx.fragment(),
    )


def _objection() -> rx.Component:
    """Say that the person objects to tracking, since when, and what follows from it."""
    return rx.el.div(
        rx.el.div(
            badge(t("contacts_card.objects"), "info", "eye-off"),
            rx.el.span(t("contacts_card.objects_since"), " ", short_date(C.objects_since, ShellState.zone)),
            class_name="fzc-objection-head",
        ),
        rx.el.p(t("contacts_card.objects_words"), class_name="fz-second fz-small"),
        class_name="fzc-objection",
    )


def _details() -> rx.Component:
    taken = rx.cond(
        C.taken_id != "",
        rx.el.div(
            button(t("contacts.open_taken"), size="small", on_click=ContactsState.open_contact(C.taken_id)),
            class_name="fzc-under-line",
        ),
    )
    names = ("email", "first_name", "last_name", "job_title", "company", "phone")
    more = ("website", "linkedin_url", "city", "country", "language", "timezone")
    return section(
        t("contacts_card.details"),
        _line("email", input_mode="email"),
        taken,
        *[_line(name) for name in names[1:]],
        *[_line(name) for name in more],
        aside=rx.fragment(
            kept("contact." + C.id, stored=_stored(), settles=True, quiet=True), save_state(C.save, C.saved_at)
        ),
    )


def _stored() -> rx.Var[dict[str, str]]:
    own = rx.Var(f"Object.fromEntries({C.own!s}.map((each) => ['own:' + each.name, each.value]))")
    return rx.Var(f"({{...{C.values!s}, ...{own!s}}})", _var_data=C.values._get_all_var_data())


def _line(name: str, **props: Any) -> rx.Component:
    label = t(f"contacts.field.{name}")
    wrong = C.errors.get(name, "").to(str)
    return rx.el.label(
        icon(_DRAWINGS[name], 14),
        rx.el.span(label, class_name="fzc-line-label"),
        text_input(
            name=name,
            default_value=C.values[name],
            on_blur=lambda value: C.keep(name, value),
            placeholder=t("contacts_card.blank"),
            aria_invalid=wrong != "",
            key=f"{name}-" + C.id + C.values[name],
            class_name="fzc-quiet-input",
            **props,
        ),
        rx.cond(
            wrong != "", rx.el.span(icon("circle-alert", 12), wrong, class_name="fz-error fzc-line-error", role="alert")
        ),
        class_name="fzc-line",
    )


def _labels() -> rx.Component:
    tag = lambda name: _chip(name, t("contacts_card.drop_tag", name=name), C.drop_tag(name))  # noqa: E731
    group = lambda held: _chip(held.name, t("contacts_card.drop_group", name=held.name), C.drop_group(held.id))  # noqa: E731
    wrong = C.errors.get("tags", "").to(str)
    return stack(
        section(
            t("contacts.field.tags"),
            row(
                rx.foreach(C.tags, tag),
                form(
                    text_input(
                        name="tag",
                        list="card-tags",
                        placeholder=t("contacts_card.add_tag"),
                        aria_label=t("contacts_card.add_tag"),
                        max_length=50,
                        class_name="fzc-add",
                    ),
                    on_submit=C.add_tag,
                    reset_on_submit=True,
                    class_name="fzc-add-form",
                ),
                gap=6,
            ),
            rx.el.datalist(rx.foreach(ContactsState.tags, lambda name: rx.el.option(value=name)), id="card-tags"),
            rx.cond(wrong != "", rx.el.span(icon("circle-alert", 12), wrong, class_name="fz-error", role="alert")),
        ),
        section(
            t("contacts_card.groups"),
            row(
                rx.foreach(C.groups, group),
                rx.cond(
                    ContactsState.groups.length() > 0,
                    choice_of(
                        ContactsState.groups,
                        lambda choice: choice.id,
                        lambda choice: choice.name,
                        first=("", t("contacts_card.add_group")),
                        value="",
                        on_change=C.add_group,
                        aria_label=t("contacts_card.add_group"),
                        class_name="fzc-add",
                    ),
                    rx.el.span(t("contacts_card.no_groups"), class_name="fz-second"),
                ),
                gap=6,
            ),
        ),
        gap=20,
    )


def _chip(label: Any, drop_label: Any, on_drop: Any) -> rx.Component:
    return rx.el.span(
        rx.el.span(label),
        rx.el.button(icon("x", 12), type="button", aria_label=drop_label, title=drop_label, on_click=on_drop),
        class_name="fzc-tag fzc-tag-held",
    )


def _consent() -> rx.Component:
    return section(
        t("contacts_card.consent"),
        rx.el.label(
            icon("shield-check", 14),
            rx.el.span(t("contacts_card.source"), class_name="fzc-line-label"),
            rx.el.select(
                *[rx.el.option(label, value=value) for value, label in consent_choices()],
                value=C.values["consent_source"],
                on_change=lambda value: C.keep("consent_source", value),
                class_name="fz-input fz-choice fzc-quiet-input",
            ),
            _line_error("consent_source"),
            class_name="fzc-line",
        ),
        rx.el.label(
            icon("calendar", 14),
            rx.el.span(t("contacts_card.date"), class_name="fzc-line-label"),
            text_input(
                type="date",
                name="consent_at",
                default_value=C.consent_day,
                on_blur=lambda value: C.keep("consent_at", value),
                key="consent-" + C.id + C.consent_day,
                class_name="fzc-quiet-input",
            ),
            _line_error("consent_at"),
            class_name="fzc-line",
        ),
        rx.el.label(
            icon("sticky-note", 14),
            rx.el.span(t("contacts_card.note"), class_name="fzc-line-label"),
            text_input(
                name="consent_notes",
                default_value=C.values["consent_notes"],
                on_blur=lambda value: C.keep("consent_notes", value),
                placeholder=t("contacts_card.blank"),
                key="consent-notes-" + C.id + C.values["consent_notes"],
                class_name="fzc-quiet-input",
            ),
            _line_error("consent_notes"),
            class_name="fzc-line",
        ),
        rx.cond(
            C.values["consent_source"] == "not_specified",
            callout(t("contacts.consent_warning"), "attention", "triangle-alert"),
        ),
    )


def _line_error(name: str) -> rx.Component:
    wrong = C.errors.get(name, "").to(str)
    return rx.cond(
        wrong != "", rx.el.span(icon("circle-alert", 12), wrong, class_name="fz-error fzc-line-error", role="alert")
    )


def _own() -> rx.Component:
    return section(t("contacts_card.own"), rx.foreach(C.own, _own_line))


def _own_line(own: rx.Var[OwnField]) -> rx.Component:
    wrong = C.errors.get(own.name, "").to(str)
    keep = lambda value: C.keep_own(own.name, value)  # noqa: E731
    common: dict[str, Any] = {
        "name": "own:" + own.name,
        "default_value": own.value,
        "on_blur": keep,
        "key": C.id + own.name + own.value,
        "class_name": "fzc-quiet-input",
    }
    control = rx.match(
        own.type,
        ("date", text_input(type="date", **common)),
        ("number", text_input(input_mode="decimal", placeholder=t("contacts_card.blank"), **common)),
        (
            "checkbox",
            rx.el.input(
                type="checkbox",
                class_name="fz-check",
                checked=own.value == "true",
                on_change=lambda on: C.tick_own(own.name, on),
            ),
        ),
        (
            "dropdown",
            rx.el.select(
                rx.el.option("", value=""),
                rx.foreach(own.options, lambda option: rx.el.option(option, value=option)),
                value=own.value,
                on_change=keep,
                class_name="fz-input fz-choice fzc-quiet-input",
            ),
        ),
        text_input(placeholder=t("contacts_card.blank"), **common),
    )
    return rx.el.label(
        icon("square-pen", 14),
        rx.el.span(own.label, class_name="fzc-line-label fzc-clip", title=own.label),
        control,
        rx.cond(
            wrong != "", rx.el.span(icon("circle-alert", 12), wrong, class_name="fz-error fzc-line-error", role="alert")
        ),
        class_name="fzc-line",
    )


def _notes() -> rx.Component:
    return section(
        t("contacts.field.notes"),
        text_area(
            name="notes",
            default_value=C.values["notes"],
            on_blur=lambda value: C.keep("notes", value),
            placeholder=t("contacts_card.notes_hint"),
            aria_label=t("contacts.field.notes"),
            key="notes-" + C.id + C.values["notes"],
        ),
        _line_error("notes"),
    )


def dialogs() -> rx.Component:
    """Return the questions before the acts on one contact; each says what follows."""
    made = []
    for act in ("unsubscribe", "block", "archive", "activate", "delete"):
        typing = {"type_this": C.email, "typed": C.typed, "on_type": C.type_word} if act == "delete" else {}
        label = t("contacts_card.activate") if act == "activate" else t(f"contacts.act.{act}")
        made.append(
            confirm_dialog(
                t(f"contacts_card.ask.{act}.title", name=C.name),
                t(f"contacts_card.ask.{act}.words"),
                rx.cond(C.refused != "", callout(C.refused, "error", "circle-alert")),
                is_open=C.asking == act,
                on_close=C.ask(""),
                on_confirm=C.act(act),
                act=label,
                **typing,
            )
        )
    return rx.fragment(*made)
