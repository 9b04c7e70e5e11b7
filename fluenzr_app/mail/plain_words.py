"""Words without accents and case, for looking things up: half of all servers write none."""

from __future__ import annotations

import re
import unicodedata

_QUOTES = str.maketrans({"’": "'", "‘": "'", "´": "'", "`": "'", "\xa0": " ", "\u202f": " "})


def plain_words(text: str) -> str:
    """The text in lower case without accents; whatever script it is in, `words_pattern` finds the same in it."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.translate(_QUOTES).casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def words_pattern(*alternatives: str) -> re.Pattern[str]:
    """One pattern of all alternatives, written with accents, that searches text made by `plain_words`."""
    source = unicodedata.normalize("NFKD", "|".join(alternatives).replace("ß", "ss").replace("ς", "σ"))
    return re.compile("".join(char for char in source if not unicodedata.combining(char)))
