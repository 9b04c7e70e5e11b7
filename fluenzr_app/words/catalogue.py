"""The product's words: gettext catalogues, one file per area and language in `locales/<language>/<area>.po`.

    msgid "dashboard.title"           msgid "common.selected"
    msgstr "Tableau de bord"          msgid_plural "common.selected"
                                      msgstr[0] "{n} sélectionné"
                                      msgstr[1] "{n} sélectionnés"

A message is known by its key, `area.entry`, where keys nest (`dashboard.empty.title`): its words can be changed in
either language without touching the code. Both languages must have the same keys, places and plural forms.
French is typed with plain spaces and apostrophes: the spaces and signs that its typography asks for are put in here,
so that nobody has to see or remember them.
"""

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Final, Literal

from babel.messages.pofile import PoFileError, read_po

Lang = Literal["fr", "en"]
LANGUAGES: Final[tuple[Lang, ...]] = ("fr", "en")
DEFAULT_LANGUAGE: Final[Lang] = "fr"
LOCALES: Final = Path(__file__).with_name("locales")

_NARROW: Final = "\u202f"
_WIDE: Final = "\u00a0"
_BEFORE_HIGH = re.compile(r"[ \u00a0](?=[;!?%€])")
_BEFORE_COLON = re.compile(r" (?=:)")
_OPENING = re.compile(r"«[ \u00a0]?")
_CLOSING = re.compile(r"[ \u00a0]?»")
_BEFORE_UNIT = re.compile(r"(?<=[\d}]) (?=(?:h|min|s|ms|j|[KMG]o)(?![\w’-]))")
_PLACE = re.compile(r"\{(\w+)\}")


class CatalogueError(Exception):
    """An entry of a catalogue is missing or wrong; the message names it and its file."""


@dataclass(frozen=True)
class Entry:
    """One message in one language; `one` is None where the message does not count anything."""

    other: str
    one: str | None = None

    def form(self, lang: Lang, count: float) -> str:
        """Return the form for `count`: French takes the singular below 2, English for exactly 1."""
        if self.one is None:
            return self.other
        singular = abs(count) < 2 if lang == "fr" else count == 1
        return self.one if singular else self.other

    @property
    def places(self) -> frozenset[str]:
        """The names between braces, in either form."""
        return frozenset(_PLACE.findall(self.other + (self.one or "")))


Message = Mapping[Lang, Entry]


def french(text: str) -> str:
    """Return `text` with French spaces and apostrophes (design/README.md, Words)."""
    text = text.replace("'", "’")
    text = _BEFORE_COLON.sub(_WIDE, text)
    text = _BEFORE_HIGH.sub(_NARROW, text)
    text = _BEFORE_UNIT.sub(_WIDE, text)
    return _CLOSING.sub(f"{_NARROW}»", _OPENING.sub(f"«{_NARROW}", text))


def split(template: str) -> list[tuple[str, bool]]:
    """Return the parts of a message in order, each with whether it is the name of a place."""
    return [(part, index % 2 == 1) for index, part in enumerate(_PLACE.split(template)) if part]


@functools.cache
def catalogue() -> Mapping[str, Message]:
    """Return every message by its key; raises CatalogueError where the two languages do not say the same things."""
    french_ones, english_ones = (dict(_entries(lang)) for lang in LANGUAGES)
    for key in french_ones.keys() ^ english_ones.keys():
        raise CatalogueError(f"“{key}” is not in both languages")
    messages: dict[str, Message] = {}
    for key, entry in french_ones.items():
        other = english_ones[key]
        if entry.places != other.places:
            raise CatalogueError(f"“{key}” has different places in its languages")
        messages[key] = {"fr": entry, "en": other}
    return messages


def message(key: str) -> Message:
    """Return the message of `key` in every language; raises CatalogueError if there is none."""
    try:
        return catalogue()[key]
    except KeyError:
        area = key.partition(".")[0]
        raise CatalogueError(f"“{key}” is in no catalogue; add it to locales/*/{area}.po") from None


def words(lang: Lang, key: str, **values: Any) -> str:
    """Return the message of `key` in `lang` with `values` in their places.

    Whole numbers are written in the reader's format; a message with two forms chooses by `n`.
    Raises CatalogueError if the key or a value is missing.
    """
    from fluenzr_app.words import formats

    entry = message(key)[lang]
    template = entry.form(lang, values["n"]) if entry.one is not None and "n" in values else entry.other
    try:
        return "".join(formats.plain(lang, values[part]) if is_place else part for part, is_place in split(template))
    except KeyError as missing:
        raise CatalogueError(f"“{key}” wants a value for {missing}") from None


def _entries(lang: Lang) -> Iterator[tuple[str, Entry]]:
    tidy = french if lang == "fr" else (lambda text: text.replace("'", "’"))
    for path in sorted((LOCALES / lang).glob("*.po")):
        try:
            read = read_po(BytesIO(path.read_bytes()), locale=lang, abort_invalid=True)
        except (PoFileError, UnicodeDecodeError) as error:
            raise CatalogueError(f"{lang}/{path.name}: {error}") from None
        for found in read:
            if not found.id:
                continue
            key = found.id if isinstance(found.id, str) else found.id[0]
            texts = [found.string] if isinstance(found.string, str) else list(found.string or ())
            if (
                not key.startswith(f"{path.stem}.")
                or len(texts) not in (1, 2)
                or not all(texts)
                or "fuzzy" in found.flags
            ):
                raise CatalogueError(f"“{key}” ({lang}/{path.name}) must be in its area's file and wholly translated")
            if len(texts) == 2:
                yield key, Entry(other=tidy(texts[1]), one=tidy(texts[0]))
            else:
                yield key, Entry(tidy(texts[0]))
