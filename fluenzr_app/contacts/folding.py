"""Text as the search compares it: without case and accents, so that “helene” finds “Hélène”."""

from __future__ import annotations

import unicodedata
from typing import Any

SEARCHED = ("first_name", "last_name", "company", "email")


def fold(text: str) -> str:
    """Return the text in lower case without accents."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text.replace("œ", "oe").replace("Œ", "OE"))
    return "".join(char for char in plain if not unicodedata.combining(char)).casefold()


def search_text(values: Any) -> str:
    """Return what the search looks at, from a mapping of a contact's columns."""
    return fold(" ".join(values.get(name) or "" for name in SEARCHED))


def search_default(context: Any) -> str:
    """Column default: the search text of the row that is being inserted."""
    return search_text(context.get_current_parameters())
