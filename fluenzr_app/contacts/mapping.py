"""Which column of a file becomes which field of a contact: by its name, by a close name, or by its values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rapidfuzz import fuzz, process

from fluenzr_app.contacts.errors import InvalidValue
from fluenzr_app.contacts.field_names import (
    API_NAME,
    CONSENT_SOURCES,
    ERROR_FILE_HEADINGS,
    OTHER_MEANING,
    RELATED,
    STANDARD_FIELDS,
    STATUSES,
    SYNONYMS,
    heading_key,
    technical_name,
)

How = Literal["exact", "close", "values", "new", "empty", "none", "chosen"]
Action = Literal["field", "custom", "new", "ignore"]

CUT_OFF = 84.0
"""How close (0–100) a heading must come to a known one. Below it “Organisation” would become a phone."""
_SHARE = 0.6
_MIN_VALUES = 1
_NEW_FROM_FILL = 0.5
_NEW_AT_MOST = 20

_ADDRESS = re.compile(r"[^\s@<>,;]+@[^\s@<>,;]+\.[^\s@<>,;]{2,}")
_LINKEDIN = re.compile(r"(?:https?://)?(?:[a-z]{2,3}\.)?linkedin\.com/\S+", re.IGNORECASE)
_URL = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
# A phone says so by a plus, a leading zero, brackets or groups; a bare count such as 48 or 2026 is none.
_PHONE = re.compile(r"(?=(?:\D*\d){8,15}\D*$)(?:\+|00|0|\()[\d\s().\-/]+|(?=(?:\D*\d){9,15}$)\d+(?:[\s.\-]\d+)+")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,49}")


@dataclass(frozen=True)
class Column:
    """A column as the mapping sees it: its place from 0, its heading, some filled cells, the share of filled ones."""

    index: int
    name: str
    values: tuple[str, ...] = ()
    filled: float = 1.0


@dataclass(frozen=True)
class Known:
    """A custom field of the workspace, as far as mapping needs it."""

    name: str
    label: str


@dataclass(frozen=True)
class Guess:
    """What a column becomes. ``target`` is a field's name, a custom field's name, a new field's name, or "".

    ``how`` says what it was recognised by (shown to the user); ``chosen`` is the user's own choice.
    """

    index: int
    name: str
    action: Action
    target: str
    how: How


def guess_mapping(columns: Sequence[Column], custom_fields: Iterable[Known] = ()) -> tuple[Guess, ...]:
    """Return one guess per column, in order. Every field is used at most once.

    A named column that is recognised by nothing becomes a new field if at least half of its cells are filled,
    and is ignored otherwise. A file that this house exported is taken by its own names.
    """
    known = tuple(custom_fields)
    if _is_own_export(columns):
        return tuple(_own(column, {field.name for field in known}) for column in columns)
    found: dict[int, Guess] = {}
    used: set[str] = set()
    filled = [column for column in columns if column.values]
    for guesser in (_exact(known), _close(known), _by_values):
        _settle(guesser, filled, found, used)
    _propose_new(filled, found, used | {field.name for field in known})
    return tuple(found.get(column.index) or _left(column) for column in columns)


def check_mapping(guesses: Sequence[Guess], custom_fields: Iterable[Known] = ()) -> None:
    """Raise InvalidValue when the mapping cannot be run: no e-mail column, a field twice, a bad or unknown name."""
    customs = {field.name for field in custom_fields}
    seen: set[tuple[str, str]] = set()
    for guess in guesses:
        if guess.action == "ignore":
            continue
        kind = "field" if guess.action == "field" else "custom"
        if (kind, guess.target) in seen:
            raise InvalidValue(
                guess.name,
                "field_mapped_twice",
                f"Two columns become “{guess.target}”; choose one.",
                target=guess.target,
            )
        seen.add((kind, guess.target))
        _check_target(guess, customs)
    if ("field", "email") not in seen:
        raise InvalidValue("email", "no_email_column", "Choose the column that holds the e-mail addresses.")


def choose(guesses: Sequence[Guess], index: int, action: Action, target: str = "") -> tuple[Guess, ...]:
    """Return the mapping with one column set by the user; another column that had this field lets go of it.

    Raises InvalidValue for a column or a standard field that does not exist.
    """
    if index not in {guess.index for guess in guesses}:
        raise InvalidValue("column", "unknown_column", "The file has no such column.", column=index)
    changed: list[Guess] = []
    for guess in guesses:
        if guess.index == index:
            name = target or technical_name(guess.name) if action == "new" else target
            guess = Guess(index, guess.name, action, "" if action == "ignore" else name, "chosen")
            if action == "field":
                _check_target(guess, set())
        elif action != "ignore" and guess.action == action and guess.target == target:
            guess = Guess(guess.index, guess.name, "ignore", "", "chosen")
        changed.append(guess)
    return tuple(changed)


def parse_target(text: str, custom_fields: Iterable[Known] = ()) -> tuple[Action, str]:
    """Return action and target for a field named by a user: ``lastName``, ``nom``, ``ignore``, ``new:effectif``.

    Raises InvalidValue ``unknown_field``.
    """
    if text in ("", "-", "ignore"):
        return "ignore", ""
    if text.startswith("new:"):
        return "new", text.removeprefix("new:")
    customs = {field.name for field in custom_fields}
    if text in customs:
        return "custom", text
    field = _BY_LETTERS.get(heading_key(text).replace(" ", ""))
    if field is None:
        raise InvalidValue(
            "mapping",
            "unknown_field",
            f"There is no field “{text}”. Fields: {', '.join((*API_NAME.values(), *sorted(customs)))}; ignore; new:…",
            value=text,
        )
    return "field", field


def as_data(guesses: Sequence[Guess]) -> dict[str, Any]:
    """Return the mapping as stored with the import."""
    return {"columns": [[g.index, g.name, g.action, g.target, g.how] for g in guesses]}


def from_data(data: Mapping[str, Any]) -> tuple[Guess, ...]:
    """Return the mapping that ``as_data`` stored."""
    return tuple(Guess(*column) for column in data.get("columns", ()))


_BY_KEY: dict[str, str] = {heading_key(word): field for field in STANDARD_FIELDS for word in SYNONYMS[field]}
_BY_API_NAME: dict[str, str] = {name: field for field, name in API_NAME.items()}
_BY_KEY.update({field.replace("_", " "): field for field in STANDARD_FIELDS})
# “firstname”, “FIRST NAME” and “LinkedIn” are the same words, parted or not.
_BY_LETTERS: dict[str, str] = {key.replace(" ", ""): field for key, field in _BY_KEY.items()}
# “Statut” is somebody's own list of words unless its values are those of this house.
_CLOSED: dict[str, tuple[str, ...]] = {"status": STATUSES, "consent_source": CONSENT_SOURCES}
_NOT_BY_CLOSENESS = frozenset({"status", "notes", "tags", "groups", "language", "timezone"})
_CLOSE_KEYS = tuple(key for key, field in _BY_KEY.items() if len(key) >= 4 and field not in _NOT_BY_CLOSENESS)

_RESERVED = frozenset(heading_key(word) for words in ERROR_FILE_HEADINGS.values() for word in words)

_Guesser = Callable[[Column], tuple[Action, str, How, float] | None]


def _settle(guesser: _Guesser, columns: Sequence[Column], found: dict[int, Guess], used: set[str]) -> None:
    """Give each field to the column that fits it best; of equals to the first."""
    offers = []
    for column in columns:
        if column.index not in found and (offer := guesser(column)) is not None:
            offers.append((-offer[3], column.index, column, offer))
    for _, _, column, (action, target, how, _) in sorted(offers, key=lambda offer: offer[:2]):
        if target in used:
            continue
        used.add(target)
        found[column.index] = Guess(column.index, column.name, action, target, how)


def _exact(customs: Sequence[Known]) -> _Guesser:
    own = {heading_key(word): field.name for field in customs for word in (field.label, field.name)}

    def guess(column: Column) -> tuple[Action, str, How, float] | None:
        key = heading_key(column.name)
        if key in own:
            return "custom", own[key], "exact", 2.0
        field = _BY_LETTERS.get(key.replace(" ", ""))
        if field is None or not _values_agree(column, field):
            return None
        # Of several exact headings (“Email”, “Email pro”) the plainer one stands earlier in the table.
        return "field", field, "exact", 1.0 - _rank(field, key) / 1000

    return guess


def _rank(field: str, key: str) -> int:
    words = [heading_key(word) for word in SYNONYMS[field]]  # type: ignore[index]
    return words.index(key) if key in words else 0


def _close(customs: Sequence[Known]) -> _Guesser:
    own = {heading_key(word): field.name for field in customs for word in (field.label, field.name)}

    def guess(column: Column) -> tuple[Action, str, How, float] | None:
        key = heading_key(column.name)
        if key in RELATED:
            return ("field", RELATED[key], "close", 95.0) if _values_agree(column, RELATED[key]) else None
        best = process.extractOne(key, [*_CLOSE_KEYS, *own], scorer=_closeness, score_cutoff=CUT_OFF)
        if best is None or len(key) < 3:
            return None
        word, score, _ = best
        if word in own:
            return "custom", own[word], "close", score
        field = _BY_KEY[word]
        others = set(key.split()) - set(word.split())
        if others & OTHER_MEANING or ("linkedin" in key.replace(" ", "") and field != "linkedin_url"):
            return None
        return ("field", field, "close", score) if _values_agree(column, field) else None

    return guess


def _closeness(left: str, right: str, **_: object) -> float:
    """Likeness of two headings: of their spelling, or of a shorter one as whole words of the longer."""
    spelled = fuzz.ratio(left, right)
    words = fuzz.token_sort_ratio(left, right)
    mine, theirs = set(left.split()), set(right.split())
    # “Société du prospect” holds the whole of “société”; one short shared word such as “nom” says too little.
    contained = 86.0 if theirs and theirs <= mine and len(right) >= 5 and len(mine) <= 4 else 0.0
    return max(spelled, words, contained)


def _by_values(column: Column) -> tuple[Action, str, How, float] | None:
    values = [value.strip() for value in column.values if value.strip()]
    if len(values) < _MIN_VALUES:
        return None
    for field, pattern in (("email", _ADDRESS), ("linkedin_url", _LINKEDIN), ("website", _URL), ("phone", _PHONE)):
        share = sum(1 for value in values if pattern.fullmatch(value)) / len(values)
        if share >= _SHARE:
            return "field", field, "values", share
    return None


def _values_agree(column: Column, field: str) -> bool:
    """False where the name says one thing and nearly every value another (a “Contact” column full of addresses)."""
    values = [value.strip() for value in column.values if value.strip()]
    if field in _CLOSED:
        return bool(values) and all(value in _CLOSED[field] for value in values)
    addresses = sum(1 for value in values if _ADDRESS.fullmatch(value)) / max(len(values), 1)
    if field == "email":
        return addresses > 0 or not values or any("@" in value for value in values)
    return addresses < _SHARE


def _is_own_export(columns: Sequence[Column]) -> bool:
    return {"email", "firstName", "linkedinUrl", "consentSource"} <= {column.name for column in columns}


def _own(column: Column, customs: set[str]) -> Guess:
    """The field that an export of this house wrote into the column: its own name says it, values or not."""
    if column.name in _BY_API_NAME:
        return Guess(column.index, column.name, "field", _BY_API_NAME[column.name], "exact")
    if column.name in customs:
        return Guess(column.index, column.name, "custom", column.name, "exact")
    if column.values and _NAME.fullmatch(column.name) and column.name not in STANDARD_FIELDS:
        return Guess(column.index, column.name, "new", column.name, "new")
    return _left(column)


def _propose_new(columns: Sequence[Column], found: dict[int, Guess], taken: set[str]) -> None:
    proposed = 0
    for column in columns:
        key, name = heading_key(column.name), technical_name(column.name)
        meant = _BY_LETTERS.get(key.replace(" ", ""))
        wanted = column.name and column.filled >= _NEW_FROM_FILL and proposed < _NEW_AT_MOST
        if column.index in found or not wanted or name in taken or meant or key in _RESERVED:
            continue
        taken.add(name)
        proposed += 1
        found[column.index] = Guess(column.index, column.name, "new", name, "new")


def _left(column: Column) -> Guess:
    return Guess(column.index, column.name, "ignore", "", "none" if column.values else "empty")


def _check_target(guess: Guess, customs: set[str]) -> None:
    if guess.action == "field" and guess.target not in STANDARD_FIELDS:
        raise InvalidValue(guess.name, "unknown_field", f"There is no field “{guess.target}”.", value=guess.target)
    if guess.action == "custom" and guess.target not in customs:
        raise InvalidValue(
            guess.name, "unknown_field", f"There is no custom field “{guess.target}”.", value=guess.target
        )
    if guess.action == "new" and not _NAME.fullmatch(guess.target):
        raise InvalidValue(
            guess.name,
            "bad_field_name",
            "A field's technical name has small letters, digits and underscores, and starts with a letter.",
            value=guess.target,
        )
    if guess.action == "new" and (guess.target in STANDARD_FIELDS or guess.target in customs):
        raise InvalidValue(
            guess.name, "field_name_taken", f"There is a field “{guess.target}” already.", value=guess.target
        )
