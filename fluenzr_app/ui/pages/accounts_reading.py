"""How an account's mailbox is read, as the list and the drawers of the accounts page show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import reflex as rx

from fluenzr_app.accounts.mailbox_words import mailbox_words
from fluenzr_app.inbox.reading import ReadingView
from fluenzr_app.ui.components.status import diagnosis_banner
from fluenzr_app.ui.components.values import icon, when
from fluenzr_app.ui.language import t
from fluenzr_app.ui.shell import ShellState
from fluenzr_app.words.catalogue import Lang, french


@dataclass(frozen=True)
class Reading:
    """`state` is read, awaited (never read yet), failing, or none (no server to read from); empty before it is known.

    `at` is when it was last read or since when it fails; `act` is what the mend button stands for.
    """

    state: str = ""
    at: str = ""
    what: str = ""
    mend: str = ""
    act: str = ""
    server_words: str = ""


def reading_of(view: ReadingView | None, lang: Lang) -> Reading:
    """Return how a mailbox is read in the reader's words."""
    if view is None:
        return Reading()
    if not view.reads:
        return Reading("none")
    if view.failed_since is not None:
        said, tidy = mailbox_words(view.error_code), french if lang == "fr" else str
        return Reading(
            "failing",
            view.failed_since.isoformat(),
            tidy(said.what(lang)),
            tidy(said.mend(lang)),
            said.act,
            view.error_text,
        )
    return Reading("awaited") if view.synced_at is None else Reading("read", view.synced_at.isoformat())


def reading_line(reading: rx.Var[Reading]) -> rx.Component:
    """Return the one line that tells a mailbox that is read from one that is not."""
    told = rx.match(
        reading.state,
        ("read", rx.fragment(t("accounts.reading.read"), " ", when(reading.at, ShellState.zone))),
        ("awaited", rx.fragment(t("accounts.reading.awaited"))),
        ("failing", rx.fragment(t("accounts.reading.failing"))),
        ("none", rx.fragment(t("accounts.reading.none"))),
        rx.fragment(),
    )
    drawing = rx.match(
        reading.state,
        ("read", icon("mail-check", 14)),
        ("awaited", icon("mail", 14)),
        icon("mail-warning", 14),
    )
    return rx.cond(
        reading.state != "",
        rx.el.div(drawing, rx.el.span(told), class_name="fza-reading fz-small", data_state=reading.state),
    )


def reading_banner(reading: rx.Var[Reading], mend: Any = None) -> rx.Component:
    """Return what keeps answers from being seen and what that means; nothing while the mailbox is read."""
    failing = diagnosis_banner(
        "mail-warning",
        "error",
        rx.fragment(
            t("accounts.reading.failing"),
            " ",
            rx.el.span(
                t("accounts.since"), " ", when(reading.at, ShellState.zone, mode="since"), class_name="fz-since"
            ),
        ),
        rx.fragment(reading.what, " ", reading.mend, " ", t("accounts.reading.failing_words")),
        detail=rx.cond(reading.server_words != "", rx.el.span(t("accounts.server_says"), " ", reading.server_words)),
        mend=mend,
    )
    none = diagnosis_banner(
        "mail-warning", "attention", t("accounts.reading.none"), t("accounts.reading.none_words"), mend=mend
    )
    return rx.match(reading.state, ("failing", failing), ("none", none), rx.fragment())
