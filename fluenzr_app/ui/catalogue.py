"""The words of the interface: one TOML file per area in `locales/`, both languages side by side.

    title = { fr = "Tableau de bord", en = "Dashboard" }
    sent  = { fr.one = "{n} envoyé", fr.other = "{n} envoyés", en.one = "{n} sent", en.other = "{n} sent" }

The key of an entry is `area.entry` (`dashboard.title`); tables nest (`dashboard.empty.title`).
French is typed with plain spaces and apostrophes: the spaces and signs that its typography
asks for are put in here, so that nobody has to see or remember them.
"""

import functools
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

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
    return _CLOSING.sub(f"{_NARROW}»", _OPENING.sub(f"«{_NARROW}", text))


def split(template: str) -> list[tuple[str, bool]]:
    """Return the parts of a message in order, each with whether it is the name of a place."""
    return [(part, index % 2 == 1) for index, part in enumerate(_PLACE.split(template)) if part]


@functools.cache
def catalogue() -> Mapping[str, Message]:
    """Return every message by its key; raises CatalogueError for an entry without both languages."""
    messages: dict[str, Message] = {}
    for path in sorted(LOCALES.glob("*.toml")):
        try:
            tree = tomllib.loads(path.read_text("utf-8"))
        except tomllib.TOMLDecodeError as error:
            raise CatalogueError(f"{path.name}: {error}") from None
        messages.update(_messages(path.stem, tree))
    return messages


def message(key: str) -> Message:
    """Return the message of `key` in every language; raises CatalogueError if there is none."""
    try:
        return catalogue()[key]
    except KeyError:
        area = key.partition(".")[0]
        raise CatalogueError(f"“{key}” is in no catalogue; add it to locales/{area}.toml") from None


def words(lang: Lang, key: str, **values: Any) -> str:
    """Return the message of `key` in `lang` with `values` in their places.

    Whole numbers are written in the reader's format; a message with two forms chooses by `n`.
    Raises CatalogueError if the key or a value is missing.
    """
    from fluenzr_app.ui import formats

    entry = message(key)[lang]
    template = entry.form(lang, values["n"]) if entry.one is not None and "n" in values else entry.other
    try:
        return "".join(formats.plain(lang, values[part]) if is_place else part for part, is_place in split(template))
    except KeyError as missing:
        raise CatalogueError(f"“{key}” wants a value for {missing}") from None


def _messages(prefix: str, tree: Mapping[str, Any]) -> Iterator[tuple[str, Message]]:
    for name, value in tree.items():
        key = f"{prefix}.{name}"
        if not isinstance(value, dict):
            raise CatalogueError(f"“{key}” must give a text for each language")
        if "fr" not in value and "en" not in value:
            yield from _messages(key, value)
            continue
        missing = [lang for lang in LANGUAGES if lang not in value]
        if missing or set(value) - set(LANGUAGES):
            raise CatalogueError(f"“{key}” must give exactly the languages {', '.join(LANGUAGES)}")
        entries: dict[Lang, Entry] = {lang: _entry(key, lang, value[lang]) for lang in LANGUAGES}
        if entries["fr"].places != entries["en"].places:
            raise CatalogueError(f"“{key}” has different places in its languages")
        yield key, entries


def _entry(key: str, lang: Lang, value: Any) -> Entry:
    tidy = french if lang == "fr" else (lambda text: text.replace("'", "’"))
    if isinstance(value, str) and value:
        return Entry(tidy(value))
    if isinstance(value, dict) and set(value) == {"one", "other"}:
        return Entry(other=tidy(value["other"]), one=tidy(value["one"]))
    raise CatalogueError(f"“{key}” ({lang}) must be a text, or the two forms one and other")
