"""The first half of an import: the file read and checked once, its good rows laid down ready to be stored.

Two files come out, one JSON line per row: ``staged.jsonl`` (fit to be stored) and ``faults.jsonl`` (for the error
file). A position in the first is a place to go on from after a restart.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fluenzr_app.contacts.checks import Checker, Fault, Plan, Staged
from fluenzr_app.contacts.csv_read import Opened, read_chunks

STAGED = "staged.jsonl"
FAULTS = "faults.jsonl"
_EXAMPLES = 20


@dataclass(frozen=True)
class Example:
    """A faulty row to show: its line, its column's heading ("" for the whole row), why, and the cell."""

    line: int
    column: str
    code: str
    detail: str
    cell: str


@dataclass(frozen=True)
class StageResult:
    """What the checks found; rows = ready + duplicates + faults."""

    rows: int
    ready: int
    duplicates: int
    faults: int
    empty_lines: int
    warnings: dict[str, int]
    fault_codes: dict[str, int]
    examples: tuple[Example, ...]

    def as_data(self) -> dict[str, Any]:
        """Return a form for JSON."""
        return asdict(self)

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> StageResult:
        """Return what ``as_data`` was made from."""
        return cls(**{**data, "examples": tuple(Example(**example) for example in data["examples"])})


def stage(opened: Opened, plan: Plan, directory: Path) -> StageResult:
    """Check the whole file and write both files into ``directory``; the same input gives the same bytes.

    They appear only when they are whole, so that a half-written one is never gone on from.
    """
    checker = Checker(plan)
    warnings: Counter[str] = Counter()
    codes: Counter[str] = Counter()
    examples: list[Example] = []
    rows = ready = duplicates = empty = 0
    staged_part, faults_part = directory / f"{STAGED}.part", directory / f"{FAULTS}.part"
    with staged_part.open("w", encoding="utf-8") as staged, faults_part.open("w", encoding="utf-8") as faults:
        for chunk in read_chunks(opened):
            checked = checker.check(chunk, len(opened.names))
            rows += checked.rows
            empty += chunk.empty_lines
            ready += len(checked.ready)
            duplicates += len(checked.duplicates)
            warnings.update(checked.warnings)
            codes.update(fault.code for fault in checked.faults)
            staged.writelines(_line(row) for row in checked.ready)
            faults.writelines(_line(fault) for fault in checked.faults)
            for fault in checked.faults[: _EXAMPLES - len(examples)]:
                examples.append(_example(fault, opened.names))
    faults_part.replace(directory / FAULTS)
    staged_part.replace(directory / STAGED)
    return StageResult(
        rows,
        ready,
        duplicates,
        codes.total(),
        empty,
        {code: n for code, n in warnings.items() if n},
        dict(codes),
        tuple(examples),
    )


def read_staged(path: Path, start: int, most: int) -> tuple[list[Staged], int]:
    """Return up to ``most`` rows from byte ``start`` on, and the byte after them."""
    rows: list[Staged] = []
    with path.open("rb") as file:
        file.seek(start)
        while len(rows) < most and (line := file.readline()):
            rows.append(Staged(*json.loads(line)))
        return rows, file.tell()


def read_faults(path: Path) -> Iterator[Fault]:
    """Yield the faulty rows in file order."""
    with path.open("rb") as file:
        for line in file:
            number, column, code, detail, cells = json.loads(line)
            yield Fault(number, column, code, detail, tuple(cells))


def _line(row: Staged | Fault) -> str:
    # ASCII only: every line break in the file ends a row, and lone surrogates pass unharmed.
    return json.dumps(row, separators=(",", ":")) + "\n"


def _example(fault: Fault, names: tuple[str, ...]) -> Example:
    inside = 0 <= fault.column < len(names)
    cell = fault.cells[fault.column] if 0 <= fault.column < len(fault.cells) else " ; ".join(fault.cells)
    return Example(fault.line, names[fault.column] if inside else "", fault.code, fault.detail, cell[:80])
