"""The parts of a page that tell of findings, joined to what mends them: rows, banners, what is done on the server."""

from __future__ import annotations

from typing import Any

import reflex as rx

from fluenzr_app.ui.components.buttons import button, mend_button
from fluenzr_app.ui.components.diagnosis import Acts, aside_row, finding_banner, finding_row
from fluenzr_app.ui.components.frame import dialog
from fluenzr_app.ui.components.status import diagnosis_row
from fluenzr_app.ui.components.values import icon, link
from fluenzr_app.ui.findings import TOLD
from fluenzr_app.ui.findings_state import FindingsState
from fluenzr_app.ui.language import t
from fluenzr_app.ui.shell import ShellState

_COMMANDS = {
    "release": "fluenzr release",
    "start_worker": "fluenzr serve",
    "check_clock": "timedatectl set-ntp true",
}


def acts() -> Acts:
    """Return the handlers that every finding is shown with."""
    S = FindingsState
    return Acts(S.mend, S.explain, S.put_aside, S.show_again, ShellState.zone)


def finding_rows(lines: Any = None) -> rx.Component:
    """Return the findings of the workspace as rows, below what was done last; nothing is said where there are none."""
    S = FindingsState
    shown = S.lines if lines is None else lines
    return rx.fragment(done_row(), rx.foreach(shown, lambda line: finding_row(line, acts())))


def rows_of(number: Any) -> rx.Component:
    """Return the findings that belong to one entry of the guide, by its number."""
    return rx.fragment(
        rx.foreach(FindingsState.lines, lambda line: rx.cond(line.number == number, finding_row(line, acts())))
    )


def aside_rows() -> rx.Component:
    """Return what was put aside, as rows."""
    return rx.fragment(rx.foreach(FindingsState.aside, lambda line: aside_row(line, acts())))


def aside_link() -> rx.Component:
    """Return the line that says how much was put aside, with the way to it."""
    n = FindingsState.aside.length()
    return rx.cond(n > 0, rx.el.div(link(t("findings.aside_n", n=n), "/help#aside"), class_name="fz-finding-aside"))


def banners_here(**props: Any) -> rx.Component:
    """Return the findings about the thing whose page is open, as banners; nothing while there are none."""
    S = FindingsState
    return rx.cond(
        S.here.length() > 0,
        rx.el.div(
            rx.foreach(S.here, lambda line: finding_banner(line, acts())),
            class_name=f"fz-banners {props.pop('class_name', '')}",
            **props,
        ),
    )


def banners_with(code: str) -> rx.Component:
    """Return the findings with this code about what the open page shows."""
    return rx.fragment(
        rx.foreach(FindingsState.here, lambda line: rx.cond(line.code == code, finding_banner(line, acts())))
    )


def banners_of(thing: Any) -> rx.Component:
    """Return the findings about one thing of a list whose page is open, by its public id; "" for what has none."""
    return rx.fragment(
        rx.foreach(
            FindingsState.here,
            lambda line: rx.cond(line.thing == thing, finding_banner(line, acts())),
        )
    )


def done_row() -> rx.Component:
    """Return what the last act changed, from what to what, and what takes it back; nothing after a while."""
    S = FindingsState
    return rx.cond(
        S.done_words != "",
        rx.el.div(
            diagnosis_row(
                "circle-check",
                "good",
                S.done_words,
                rx.cond(S.can_undo, t("findings.can_undo"), ""),
                mend=rx.cond(S.can_undo, mend_button(t("findings.undo"), on_click=S.undo)),
            ),
            class_name="fz-finding",
        ),
    )


def explanation() -> rx.Component:
    """Return the dialog that says what is done on the server, with the command to copy."""
    S = FindingsState
    cases = [
        (
            remedy,
            rx.fragment(
                rx.el.ol(
                    *[rx.el.li(t(f"findings.told.{remedy}_{step}")) for step in (1, 2, 3)], class_name="fz-told-steps"
                ),
                rx.el.div(
                    rx.el.code(_COMMANDS[remedy], class_name="fz-mono"),
                    button(
                        t("findings.copy"),
                        size="small",
                        icon_name="copy",
                        on_click=[
                            rx.set_clipboard(_COMMANDS[remedy]),
                            rx.toast.success(t("findings.copied")),
                        ],
                    ),
                    class_name="fz-command",
                ),
            ),
        )
        for remedy in sorted(TOLD)
    ]
    titles = [(remedy, t(f"findings.told.{remedy}")) for remedy in sorted(TOLD)]
    return dialog(
        rx.match(S.explained, *titles, ""),
        rx.match(S.explained, *cases, rx.fragment()),
        is_open=S.explained != "",
        on_close=S.explain(""),
        words=t("findings.told.words"),
        actions=button(t("common.close"), kind="solid", on_click=S.explain("")),
    )


def all_clear() -> rx.Component:
    """Return what stands where nothing is found."""
    return rx.el.div(
        icon("circle-check", class_name="fz-good"),
        rx.el.span(t("findings.all_clear"), class_name="fz-what"),
        rx.el.span(t("findings.all_clear_words"), class_name="fz-second"),
        class_name="fz-all-clear",
    )
