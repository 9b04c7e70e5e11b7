"""The words of the inbox for what its room tells in codes: labels, states of a mail, refusals."""

from __future__ import annotations

from typing import Any

import reflex as rx

from fluenzr_app.ui.components.status import Tone
from fluenzr_app.ui.language import t
from fluenzr_app.words.catalogue import Lang, catalogue, words

LABELS: dict[str, tuple[str, Tone, str]] = {
    "interested": ("inbox.label.interested", "good", "thumbs-up"),
    "not_interested": ("inbox.label.not_interested", "grey", "thumbs-down"),
    "later": ("inbox.label.later", "attention", "clock"),
}
# What hinders an answer of which the page says more than its reason.
REFUSALS = (
    "account_removed", "unsubscribed", "bounced", "blocked", "archived", "suppressed",
)  # fmt: skip
_TONES = ("accent", "good", "attention", "error", "info", "grey")


def why_not_words(code: rx.Var[str]) -> rx.Var[str]:
    """Return why nobody can answer, for a code held in a variable."""
    return rx.match(code, *[(each, t(f"inbox.why_not.{each}")) for each in REFUSALS], code).to(str)


def told(lang: Lang, error: Exception) -> str:
    """Return a refusal of the inbox in the reader's words."""
    key = f"inbox.refused.{getattr(error, 'code', '')}"
    return words(lang, key) if key in catalogue() else str(error)


def initials(name: str, address: str) -> str:
    """Return the letters of a person's mark."""
    parts = [part for part in name.split() if part[0].isalnum()]
    return ("".join(part[0] for part in (parts[:1] + parts[1:][-1:])) or address[:1]).upper()


def mark_tone(key: int) -> str:
    """Return the colour of a person's mark: always the same for the same person."""
    return _TONES[key % len(_TONES)]


def mark(letters: Any, tone: Any, **props: Any) -> rx.Component:
    """Return a person's round mark."""
    return rx.el.span(letters, class_name="fzi-mark", data_tone=tone, aria_hidden="true", **props)
