"""An import as its pages show it: plain values made of what the room tells."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from fluenzr_app.contacts import mojibake
from fluenzr_app.contacts.custom_values import FieldDefinition
from fluenzr_app.contacts.field_names import technical_name
from fluenzr_app.contacts.import_views import ImportView
from fluenzr_app.contacts.inspection import ColumnFacts
from fluenzr_app.contacts.mapping import Guess
from fluenzr_app.contacts.reasons import sentence
from fluenzr_app.contacts.staging import Example
from fluenzr_app.db.ids import public_id
from fluenzr_app.mail.addresses import check_syntax
from fluenzr_app.mail.errors import BadAddress
from fluenzr_app.ui.language import words
from fluenzr_app.words.catalogue import Lang

# A number that a spreadsheet has rounded (“6,12E+08”): its digits are gone from the file.
_ROUNDED = re.compile(r"[+-]?\d[.,]\d+E\+\d+", re.IGNORECASE)


@dataclass(frozen=True)
class Cell:
    """A sample value; `flag` is good, attention (damaged) or error (cannot be stored), empty for nothing in it."""

    text: str
    flag: str


@dataclass(frozen=True)
class ColumnRow:
    """A column of the file. `target` is the value of its drop-down, `new_name` what a new field would be called."""

    index: int
    name: str
    cells: list[Cell]
    target: str
    new_name: str
    how: str
    filled: float


@dataclass(frozen=True)
class Fault:
    """A faulty row to show."""

    line: int
    column: str
    reason: str
    cell: str


@dataclass(frozen=True)
class Count:
    """How many rows something is true of."""

    code: str
    text: str
    n: int


@dataclass(frozen=True)
class Outcome:
    """What the import will do; all are rows."""

    rows: int = 0
    ready: int = 0
    new: int = 0
    existing: int = 0
    suppressed: int = 0
    duplicates: int = 0
    faults: int = 0
    empty_lines: int = 0
    error_share: float = 0.0
    stop_first: bool = False


@dataclass(frozen=True)
class PastImport:
    """A line of the list of imports."""

    id: str
    file_name: str
    status: str
    rows: int
    imported: int
    updated: int
    errors: int
    created_at: str


@dataclass(frozen=True)
class OwnTarget:
    """A custom field that a column can become."""

    value: str
    label: str


def column_rows(view: ImportView) -> list[ColumnRow]:
    """Return the columns with their samples, flagged for what they are mapped to."""
    guesses = {guess.index: guess for guess in view.mapping}
    rows = max(view.inspection.rows, 1)
    return [
        _column(column, guesses[column.index], rows, view.options.repair)
        for column in view.inspection.columns
        if column.index in guesses
    ]


def outcome(view: ImportView) -> Outcome:
    """Return the preview in plain numbers; all 0 when there is none."""
    found = view.preview
    if found is None:
        return Outcome()
    checks = found.checks
    ready = found.new + (found.existing if view.options.on_duplicate == "update" else 0)
    return Outcome(
        checks.rows,
        ready,
        found.new,
        found.existing,
        found.suppressed,
        checks.duplicates,
        checks.faults,
        checks.empty_lines,
        found.error_share,
        found.advises_to_stop,
    )


def faults(view: ImportView, lang: Lang) -> list[Fault]:
    """Return the first faulty rows, each with its reason in words."""
    if view.preview is None:
        return []
    return [
        Fault(example.line, example.column, _reason(example, lang), example.cell)
        for example in view.preview.checks.examples[:8]
    ]


def warnings(view: ImportView, lang: Lang) -> list[Count]:
    """Return what is worth a look although it is imported, the most frequent first."""
    if view.preview is None:
        return []
    counted = sorted(view.preview.checks.warnings.items(), key=lambda pair: -pair[1])
    mended = {"mojibake"} if view.options.repair else set()
    return [Count(code, sentence(code, lang), n) for code, n in counted if n and code not in mended]


def past(view: ImportView) -> PastImport:
    """Return a line of the list of imports."""
    return PastImport(
        public_id("imp", view.id),
        view.file_name,
        view.status,
        view.rows_total,
        view.imported,
        view.updated,
        view.errors,
        view.created_at.isoformat(),
    )


def own_targets(definitions: tuple[FieldDefinition, ...]) -> list[OwnTarget]:
    """Return the custom fields that a column can become."""
    return [OwnTarget(f"custom:{definition.name}", definition.label or definition.name) for definition in definitions]


def parse_choice(value: str) -> tuple[Any, str]:
    """Return action and target of a drop-down's value; what is none of them is to ignore the column."""
    action, _, target = value.partition(":")
    return (action, target) if action in ("field", "custom", "new") else ("ignore", "")


def _reason(example: Example, lang: Lang) -> str:
    """Return why a row is faulty; what is wrong with an address is told in the reader's own language."""
    if example.code == "email_invalid":
        try:
            check_syntax(example.cell)
        except BadAddress as bad:
            return words(lang, f"contacts.errors.address_{bad.code}")
    return sentence(example.code, lang, example.detail)


def _column(column: ColumnFacts, guess: Guess, rows: int, mend: bool) -> ColumnRow:
    target = f"{guess.action}:{guess.target}" if guess.action != "ignore" else "ignore"
    values = [mojibake.repair(value) if mend else value for value in column.first_values]
    cells = [Cell(value, _flag(value, guess)) for value in values]
    new_name = guess.target if guess.action == "new" else technical_name(column.name)
    return ColumnRow(column.index, column.name, cells, target, new_name, guess.how, column.filled / rows)


def _flag(value: str, guess: Guess) -> str:
    if not value:
        return "empty"
    if mojibake.is_broken(value) or (guess.target == "phone" and _ROUNDED.fullmatch(value)):
        return "attention"
    if guess.action == "field" and guess.target == "email":
        try:
            check_syntax(value)
        except BadAddress:
            return "error"
    return "good"
