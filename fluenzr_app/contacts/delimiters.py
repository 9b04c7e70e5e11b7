"""Which character separates the cells of a CSV file."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from typing import Literal

from fluenzr_app.contacts.errors import FileRefused

Delimiter = Literal[",", ";", "\t", "|"]

DELIMITERS: tuple[Delimiter, ...] = (",", ";", "\t", "|")

_NAMES: dict[str, Delimiter] = {
    ",": ",",
    "comma": ",",
    ";": ";",
    "semicolon": ";",
    "\t": "\t",
    "\\t": "\t",
    "tab": "\t",
    "|": "|",
    "pipe": "|",
}
_ADDRESS = re.compile(r"\s*[^\s@,;|\"]+@[^\s@,;|\"]+\.[^\s@,;|\"]+\s*")
_RECORDS = 200


def parse_delimiter(name: str) -> Delimiter:
    """Return the delimiter that a user names (a character or a word); raises FileRefused ``unknown_delimiter``."""
    found = _NAMES.get(name if len(name) == 1 else name.strip().lower())
    if found is None:
        raise FileRefused(
            "unknown_delimiter",
            "Cells are separated by a comma, a semicolon, a tab or a vertical bar; choose one of them.",
            delimiter=name,
        )
    return found


def find_delimiter(sample: str) -> Delimiter:
    """Return the delimiter that cuts the sample (the file's first text) into the most regular table.

    A file of one column has none; a comma is as good as any then.
    """
    scores = {delimiter: _score(sample, delimiter) for delimiter in DELIMITERS}
    best = max(DELIMITERS, key=lambda delimiter: scores[delimiter])
    return best if scores[best] > 0 else ","


def _score(sample: str, delimiter: Delimiter) -> float:
    rows = _rows(sample, delimiter)
    if not rows or len(rows[0]) < 2:
        return 0.0
    widths = Counter(len(row) for row in rows)
    regular = widths[len(rows[0])] / len(rows)
    # “Nom, prénom;Email” cuts evenly by both characters; only the right one leaves whole addresses in cells.
    addresses = sum(1 for row in rows for cell in row if _ADDRESS.fullmatch(cell)) / len(rows)
    return regular + min(addresses, 1.0) + min(len(rows[0]), 50) / 1000


def _rows(sample: str, delimiter: Delimiter) -> list[list[str]]:
    rows: list[list[str]] = []
    # strict is off: a sample may end inside a quoted cell.
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
    while len(rows) < _RECORDS:
        try:
            row = next(reader)
        except StopIteration:
            break
        except csv.Error:
            continue
        if any(cell.strip() for cell in row):
            rows.append(row)
    # The last record of a cut sample is incomplete.
    return rows[:-1] if len(rows) > 2 and len(sample) >= 1 << 16 else rows
