"""Values of custom fields: read from text, checked against the field's type, written back as text."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, get_args

from fluenzr_app.contacts.errors import InvalidValue
from fluenzr_app.contacts.field_names import CUSTOM_LENGTH

FieldType = Literal["text", "number", "date", "dropdown", "checkbox", "url"]
FIELD_TYPES: tuple[FieldType, ...] = get_args(FieldType)

Value = str | int | float | bool

_TRUE = frozenset({"true", "yes", "oui", "vrai", "1", "x", "on"})
_FALSE = frozenset({"false", "no", "non", "faux", "0", "off"})
_DAY_FIRST = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")
_URL = re.compile(r"https?://[^\s/]+\.[^\s]+|https?://localhost\S*", re.IGNORECASE)


@dataclass(frozen=True)
class FieldDefinition:
    """A custom field as far as its values are concerned (contacts.md, Custom fields)."""

    name: str
    type: FieldType
    options: Sequence[str] = ()
    required: bool = False
    label: str = ""
    default: str = ""


def parse_value(field: FieldDefinition, given: Any) -> Value | None:
    """Return the value as stored, or None for an empty one.

    Raises InvalidValue ``custom_value_invalid`` or ``value_too_long``; the message is fit for the user.
    """
    if given is None or (isinstance(given, str) and not given.strip()):
        return None
    if field.type == "checkbox":
        return _checkbox(field, given)
    if field.type == "number":
        return _number(field, given)
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        raise _invalid(field, "this field takes a text")
    text = storable(str(given)).strip()
    if len(text) > CUSTOM_LENGTH:
        raise InvalidValue(
            field.name,
            "value_too_long",
            f"“{field.name}” takes {CUSTOM_LENGTH} characters at most.",
            limit=CUSTOM_LENGTH,
        )
    if field.type == "date":
        return _date(field, text)
    if field.type == "dropdown" and text not in field.options:
        raise _invalid(field, "choose one of " + ", ".join(field.options))
    if field.type == "url" and not _URL.fullmatch(text):
        raise _invalid(field, "an address such as https://… is expected")
    return text


def as_text(value: Any) -> str:
    """Return a stored value as exports write it; ``parse_value`` reads the same value back."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def storable(text: str) -> str:
    """Return the text without what no database keeps: NUL characters and halves of surrogate pairs."""
    return text.replace("\x00", "").encode("utf-8", "ignore").decode("utf-8")


def _invalid(field: FieldDefinition, why: str) -> InvalidValue:
    return InvalidValue(field.name, "custom_value_invalid", f"“{field.name}”: {why}.", why=why)


def _checkbox(field: FieldDefinition, given: Any) -> bool:
    word = str(given).strip().lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise _invalid(field, "yes or no is expected")


def _number(field: FieldDefinition, given: Any) -> int | float:
    if isinstance(given, bool):
        raise _invalid(field, "a number is expected")
    text = re.sub(r"[\s\u00a0\u202f]", "", str(given)).replace(",", ".")
    try:
        number = float(text)
    except ValueError:
        raise _invalid(field, "a number is expected") from None
    if not math.isfinite(number):
        raise _invalid(field, "a number is expected")
    if re.fullmatch(r"[+-]?\d{1,15}", text):
        return int(text)
    return int(number) if number.is_integer() and abs(number) < 1e15 else number


def _date(field: FieldDefinition, text: str) -> str:
    try:
        if found := _DAY_FIRST.fullmatch(text):
            day, month, year = (int(part) for part in found.groups())
            return date(year, month, day).isoformat()
        return date.fromisoformat(text[:10]).isoformat()
    except ValueError:
        raise _invalid(field, "a date such as 2026-03-31 or 31/03/2026 is expected") from None
