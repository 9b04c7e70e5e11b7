"""The pages of an import: file, columns, options, preview, run and report (contacts.md, CSV import)."""

from __future__ import annotations

from typing import Any

import reflex as rx

from fluenzr_app.ui.components.buttons import button
from fluenzr_app.ui.components.frame import block, body, confirm_dialog, empty_state, page_header, skeleton_rows, stack
from fluenzr_app.ui.components.status import Tone, diagnosis_banner, status_badge
from fluenzr_app.ui.components.table import Column, data_table, two_lines
from fluenzr_app.ui.components.values import icon, number, when
from fluenzr_app.ui.findings_view import banners_here
from fluenzr_app.ui.language import t
from fluenzr_app.ui.pages.contacts_import_run import run_step
from fluenzr_app.ui.pages.contacts_import_state import STEPS, ContactImportState
from fluenzr_app.ui.pages.contacts_import_steps import mapping_step, options_step, preview_step
from fluenzr_app.ui.pages.contacts_import_view import PastImport
from fluenzr_app.ui.pages.contacts_upload import file_drop
from fluenzr_app.ui.shell import ShellState

S = ContactImportState
LOAD = (ContactImportState.load,)

_STATUSES: dict[str, tuple[str, Tone, str]] = {
    "draft": ("contacts_import.status.draft", "grey", "pencil"),
    "ready": ("contacts_import.status.ready", "grey", "pencil"),
    "running": ("contacts_import.status.running", "accent", "loader-circle"),
    "done": ("contacts_import.status.done", "good", "circle-check"),
    "cancelled": ("contacts_import.status.cancelled", "grey", "ban"),
    "failed": ("contacts_import.status.failed", "error", "circle-x"),
}


def page() -> rx.Component:
    """Return the page at whatever step the import is."""
    state = rx.cond(
        S.file_name != "",
        S.file_name
        + " · "
        + t("contacts_import.rows", n=S.rows)
        + rx.cond(S.columns.length() > 0, ", " + t("contacts_import.columns", n=S.columns.length()), ""),
        t("contacts_import.state"),
    )
    is_draft = (S.status == "draft") | (S.status == "ready")
    return rx.fragment(
        page_header(
            t("contacts_import.title"),
            rx.cond(S.loaded, state, ""),
            rx.cond(
                (S.id != "") & is_draft,
                rx.fragment(
                    rx.el.span(
                        icon("cloud-check", 14),
                        rx.el.span(t("contacts_import.draft_kept")),
                        class_name="fz-save fzc-wide",
                    ),
                    button(t("contacts_import.give_up"), icon_name="trash-2", on_click=S.ask("discard")),
                ),
            ),
            back="/contacts",
        ),
        _steps(),
        banners_here(class_name="fz-banners-page"),
        rx.cond(
            S.loaded,
            rx.cond(
                S.missing,
                body(_missing()),
                rx.match(
                    S.step,
                    ("mapping", mapping_step(_failure())),
                    ("options", options_step(_failure())),
                    ("preview", preview_step(_failure())),
                    ("run", run_step(_failure())),
                    _file_step(),
                ),
            ),
            body(skeleton_rows()),
        ),
        _questions(),
    )


def _steps() -> rx.Component:
    order = {step: place for place, step in enumerate(STEPS)}
    place = rx.match(S.step, *order.items(), 0).to(int)
    over = S.status == "done"

    def step(name: str) -> rx.Component:
        mine = order[name]
        done = (place > mine) | over
        reachable = (mine < place) & (place < order["run"]) & (name != "file")
        mark = rx.cond(done, icon("check", 14), rx.el.span(mine + 1))
        return rx.el.li(
            rx.el.button(
                rx.el.span(mark, class_name="fzc-step-mark"),
                rx.el.span(t(f"contacts_import.step.{name}"), class_name="fzc-step-word"),
                type="button",
                disabled=~reachable,
                on_click=S.go_to(name),
                class_name="fzc-step",
                data_state=rx.cond(done, "done", rx.cond(place == mine, "here", "ahead")),
                aria_current=rx.cond(place == mine, "step", "false"),
            )
        )

    return rx.el.ol(*[step(name) for name in STEPS], class_name="fzc-steps", aria_label=t("contacts_import.steps"))


def _failure() -> rx.Component:
    return rx.cond(
        S.failure != "",
        diagnosis_banner("circle-alert", "error", S.failure, S.failure_words),
    )


def _missing() -> rx.Component:
    return empty_state(
        "file-question-mark",
        t("contacts_import.missing"),
        t("contacts_import.missing_words"),
        button(t("contacts_import.again"), kind="solid", href="/contacts/import"),
        found_nothing=True,
    )


def _file_step() -> rx.Component:
    tips = [
        ("file-spreadsheet", "tip_csv"),
        ("text-cursor-input", "tip_header"),
        ("at-sign", "tip_email"),
        ("shield-check", "tip_consent"),
    ]
    return body(
        _failure(),
        rx.el.div(
            stack(
                file_drop(most_bytes=S.most_bytes, on_stored=S.stored, on_refused=S.refused),
                rx.el.p(t("contacts_import.most", n=S.most_megabytes), class_name="fz-help"),
                gap=8,
            ),
            rx.el.ul(
                *[
                    rx.el.li(
                        icon(drawing),
                        rx.el.div(
                            rx.el.div(t(f"contacts_import.{tip}"), class_name="fz-what"),
                            rx.el.div(t(f"contacts_import.{tip}_words"), class_name="fz-second"),
                        ),
                    )
                    for drawing, tip in tips
                ],
                class_name="fzc-tips",
            ),
            class_name="fzc-file-step",
        ),
        rx.cond(S.past.length() > 0, _past()),
    )


def _past() -> rx.Component:
    figure = lambda value: rx.el.span(number(value))  # noqa: E731
    columns = [
        Column(t("contacts_import.past.file"), _past_file),
        Column(t("contacts_import.past.status"), lambda line: status_badge(line.status, _STATUSES)),
        Column(t("contacts_import.tally.imported"), lambda line: figure(line.imported), right=True),
        Column(t("contacts_import.tally.updated"), lambda line: figure(line.updated), right=True, hide_on_phone=True),
        Column(t("contacts_import.tally.errors"), lambda line: figure(line.errors), right=True, hide_on_phone=True),
        Column(
            t("contacts_import.past.when"),
            lambda line: when(line.created_at, ShellState.zone),
            right=True,
            hide_on_phone=True,
        ),
    ]
    return block(
        data_table(
            columns,
            S.past,
            loaded=S.loaded,
            key=lambda line: line.id,
            on_open=lambda key: rx.redirect("/contacts/import?id=" + key),
            empty=rx.fragment(),
        ),
        title=t("contacts_import.past.title"),
        padded=False,
    )


def _past_file(line: rx.Var[PastImport]) -> rx.Component:
    return two_lines(line.file_name, t("contacts_import.rows", n=line.rows))


def _questions() -> rx.Component:
    def ask(act: str, on_confirm: Any, **values: Any) -> rx.Component:
        return confirm_dialog(
            t(f"contacts_import.ask.{act}.title", **values),
            t(f"contacts_import.ask.{act}.words", **values),
            is_open=S.asking == act,
            on_close=S.ask(""),
            on_confirm=on_confirm,
            act=t(f"contacts_import.ask.{act}.act"),
        )

    return rx.fragment(
        ask("discard", S.cancel),
        ask("cancel", S.cancel, n=S.imported),
        ask("take_back", S.take_back, n=S.imported),
    )
