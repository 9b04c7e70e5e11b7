"""The last step of an import: how far it is, what came of it, and how to take it back."""

from __future__ import annotations

import reflex as rx

from fluenzr_app.ui.components.buttons import Kind, button, mend_button
from fluenzr_app.ui.components.frame import block, body, row, stack
from fluenzr_app.ui.components.status import diagnosis_banner, long_work, tally
from fluenzr_app.ui.components.values import when
from fluenzr_app.ui.language import t
from fluenzr_app.ui.pages.contacts_import_outcome import error_file
from fluenzr_app.ui.pages.contacts_import_state import ContactImportState
from fluenzr_app.ui.pages.contacts_upload import pulse
from fluenzr_app.ui.shell import ShellState

S = ContactImportState
_BEAT_MS = 1_000


def run_step(failure: rx.Component) -> rx.Component:
    """Return the running import with its progress, or the report of one that is over."""
    return body(
        rx.el.div(
            failure,
            rx.match(
                S.status,
                ("running", block(_running())),
                ("failed", stack(_failed(), block(_report()))),
                ("cancelled", stack(_stopped(), block(_report()))),
                block(_report()),
            ),
            class_name="fzc-run",
        )
    )


def _running() -> rx.Component:
    seconds = S.seconds_left
    left = rx.cond(
        S.rate > 0,
        rx.cond(
            seconds < 60,
            t("contacts_import.seconds_left", n=seconds),
            t("contacts_import.minutes_left", n=S.minutes_left),
        ),
        "",
    )
    return rx.fragment(
        pulse(_BEAT_MS, S.refresh),
        long_work(
            t("contacts_import.running", file=S.file_name),
            done=S.done,
            total=S.total,
            unit=t("contacts_import.lines"),
            rate=rx.cond(S.rate > 0, t("contacts_import.rate", n=S.rate), ""),
            left=left,
            tallies=_tallies(),
            action=row(
                button(t("contacts_import.interrupt"), on_click=S.ask("cancel")),
                button(t("contacts_import.to_contacts"), kind="quiet", href="/contacts"),
            ),
        ),
    )


def _tallies() -> list[tuple[rx.Var[str], rx.Var[int]]]:
    return [
        (t("contacts_import.tally.imported"), S.imported),
        (t("contacts_import.tally.updated"), S.updated),
        (t("contacts_import.tally.duplicates"), S.duplicates),
        (t("contacts_import.tally.skipped"), S.skipped),
        (t("contacts_import.tally.errors"), S.error_rows),
    ]


def _report() -> rx.Component:
    title = rx.cond(
        S.status == "done",
        t("contacts_import.report.done", n=S.imported),
        t("contacts_import.report.stopped", n=S.imported),
    )
    return rx.el.div(
        rx.el.div(
            rx.el.h2(title, class_name="fz-panel-title"),
            rx.el.p(
                S.file_name,
                " · ",
                t("contacts_import.rows", n=S.total),
                " · ",
                when(S.finished_at, ShellState.zone),
                class_name="fz-second",
            ),
        ),
        rx.el.div(*[tally(label, value) for label, value in _tallies()], class_name="fz-tallies"),
        rx.cond(
            S.suppressed > 0, rx.el.p(t("contacts_import.report.suppressed", n=S.suppressed), class_name="fz-second")
        ),
        rx.cond(
            S.error_rows > 0,
            rx.el.div(
                rx.el.p(t("contacts_import.report.errors", n=S.error_rows), class_name="fz-second"),
                error_file(),
                class_name="fzc-report-errors",
            ),
        ),
        row(
            # Above a report of one that failed, the main act is to resume it.
            rx.cond(S.status == "failed", _see("plain"), _see("solid")),
            button(t("contacts_import.report.again"), href="/contacts/import"),
            rx.cond(
                S.imported > 0,
                button(
                    t("contacts_import.report.take_back"),
                    kind="quiet",
                    icon_name="archive",
                    on_click=S.ask("take_back"),
                ),
            ),
        ),
        class_name="fz-work",
    )


def _see(kind: Kind) -> rx.Component:
    return button(
        t("contacts_import.report.see"), kind=kind, icon_name="users", href="/contacts?status=any&imported=" + S.id
    )


def _failed() -> rx.Component:
    return diagnosis_banner(
        "circle-x",
        "error",
        t("contacts_import.failed"),
        rx.fragment(S.stopped, " ", t("contacts_import.failed_words")),
        mend=mend_button(t("contacts_import.resume"), urgent=True, on_click=S.resume),
    )


def _stopped() -> rx.Component:
    return diagnosis_banner("ban", "grey", t("contacts_import.cancelled"), t("contacts_import.cancelled_words"))
