"""What an import will give, beside each of its steps before the start."""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex_components_core.react_router.dom import ReactRouterLink

from fluenzr_app.ui.components.frame import body, row, stack
from fluenzr_app.ui.components.values import icon, number, percent
from fluenzr_app.ui.language import t
from fluenzr_app.ui.pages.contacts_import_state import ContactImportState

S = ContactImportState


def error_file() -> rx.Component:
    """Return the link to the file of faulty rows, ready to be corrected and imported again."""
    return ReactRouterLink.create(
        icon("download", 14),
        rx.el.span(t("contacts_import.error_file")),
        to="/downloads/imports/" + S.id + "/errors.csv?bom=true",
        reload_document=True,
        download="",
        class_name="fz-link fzc-with-icon",
    )


def with_outcome(*content: Any, back: rx.Component, go_on: rx.Component) -> rx.Component:
    """Return a step with the outcome on its right, and below it the ways back and on."""
    return rx.el.div(
        rx.el.div(body(*content), class_name="fzc-step-main"),
        rx.el.aside(
            rx.el.div(
                rx.el.h2(t("contacts_import.outcome"), class_name="fz-block-title"), class_name="fzc-outcome-head"
            ),
            rx.el.div(_outcome(), class_name="fzc-outcome-body", aria_live="polite"),
            row(back, rx.el.span(class_name="fzc-push"), go_on, class_name="fzc-outcome-foot"),
            class_name="fzc-outcome",
        ),
        class_name="fzc-step-page",
    )


def _outcome() -> rx.Component:
    parts = [
        ("new", S.outcome.new, "good", ""),
        ("duplicates", S.outcome.duplicates, "grey", "duplicates_words"),
        (
            "existing",
            S.outcome.existing,
            "info",
            rx.cond(
                S.on_duplicate == "update",
                t("contacts_import.part.updated_words"),
                t("contacts_import.part.skipped_words"),
            ),
        ),
        ("suppressed", S.outcome.suppressed, "attention", "suppressed_words"),
        ("faults", S.outcome.faults, "error", "faults_words"),
    ]
    lines = [
        rx.el.div(
            rx.el.span(class_name="fzc-dot", data_tone=tone),
            rx.el.div(
                rx.el.div(t(f"contacts_import.part.{name}")),
                rx.el.div(
                    t(f"contacts_import.part.{words}") if isinstance(words, str) and words else words,
                    class_name="fz-second fz-small",
                ),
            ),
            rx.el.strong(number(n)),
            class_name="fzc-part",
        )
        for name, n, tone, words in parts
    ]
    bars = [
        rx.el.span(data_tone=tone, class_name="fzc-slice", style={"flexGrow": n.to(str)}) for name, n, tone, _ in parts
    ]
    found = stack(
        rx.el.div(
            rx.el.div(
                rx.el.span(number(S.outcome.ready), class_name="fz-figure"),
                rx.el.span(
                    t("contacts_import.ready_of", n=S.outcome.ready, all=S.outcome.rows), class_name="fz-second"
                ),
                class_name="fz-kpi-line",
            ),
            rx.el.div(*bars, class_name="fzc-slices"),
        ),
        rx.el.div(*lines),
        rx.cond(S.outcome.faults > 0, error_file()),
        rx.cond(
            (S.outcome.faults > 0) & ~S.outcome.stop_first,
            rx.el.p(t("contacts_import.may_go_on", share=percent(S.outcome.error_share)), class_name="fz-help"),
        ),
        rx.cond(
            S.outcome.empty_lines > 0,
            rx.el.p(t("contacts_import.empty_lines", n=S.outcome.empty_lines), class_name="fz-help"),
        ),
    )
    waiting = rx.el.div(
        icon("loader-circle", class_name="fz-spin"),
        rx.el.span(t("contacts_import.checking", n=S.rows)),
        class_name="fzc-checking",
    )
    return rx.cond(
        S.checking,
        waiting,
        rx.cond(
            S.has_outcome,
            found,
            rx.el.p(
                rx.cond(S.has_email, t("contacts_import.outcome_later"), t("contacts_import.outcome_needs_email")),
                class_name="fz-second",
            ),
        ),
    )
