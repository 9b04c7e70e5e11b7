"""The words that all pages about contacts share: statuses, sources of consent, fields."""

from typing import Any

import reflex as rx

from fluenzr_app.contacts.errors import InvalidValue
from fluenzr_app.contacts.field_names import CONSENT_SOURCES
from fluenzr_app.mail.errors import BadAddress
from fluenzr_app.ui.components.status import Tone
from fluenzr_app.ui.failures import in_words
from fluenzr_app.ui.language import t
from fluenzr_app.words.catalogue import Lang, catalogue, words

STATUSES: dict[str, tuple[str, Tone, str]] = {
    "active": ("contacts.status.active", "good", "circle-check"),
    "replied": ("contacts.status.replied", "accent", "reply"),
    "bounced": ("contacts.status.bounced", "error", "circle-x"),
    "unsubscribed": ("contacts.status.unsubscribed", "grey", "ban"),
    "blocked": ("contacts.status.blocked", "error", "ban"),
    "archived": ("contacts.status.archived", "grey", "archive"),
}


def status_word(code: rx.Var[str]) -> rx.Var[str]:
    """Return the word of a status held in a variable."""
    return rx.match(code, *[(value, t(key)) for value, (key, _, _) in STATUSES.items()], code).to(str)


def consent_word(code: rx.Var[str]) -> rx.Var[str]:
    """Return the words of a source of consent held in a variable."""
    return rx.match(code, *[(source, t(f"contacts.consent.{source}")) for source in CONSENT_SOURCES], code).to(str)


def consent_choices() -> list[tuple[str, Any]]:
    """Return the sources of consent for a drop-down."""
    return [(source, t(f"contacts.consent.{source}")) for source in CONSENT_SOURCES]


def told(lang: Lang, error: Exception) -> str:
    """Return a refusal of the contacts room in the reader's words."""
    bad = error.__cause__
    if isinstance(bad, BadAddress) and f"contacts.errors.address_{bad.code}" in catalogue():
        return words(lang, f"contacts.errors.address_{bad.code}")
    return in_words(lang, error, "contacts.errors")


def field_at_fault(error: Exception) -> str:
    """Return the name of the field that a refusal is about, "" for none."""
    return error.field if isinstance(error, InvalidValue) else ""
