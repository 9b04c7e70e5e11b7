"""What is in a file before anything is decided about it: columns, first values, how filled, what is broken."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from fluenzr_app.contacts import mojibake
from fluenzr_app.contacts.csv_read import Opened, read_chunks
from fluenzr_app.contacts.mapping import Column

SHOWN_VALUES = 3
_KEPT_VALUES = 50


@dataclass(frozen=True)
class ColumnFacts:
    """One column: heading, first cells in file order ("" for an empty one), filled cells, broken cells."""

    index: int
    name: str
    first_values: tuple[str, ...]
    sample: tuple[str, ...]
    filled: int
    broken: int

    def as_column(self, rows: int) -> Column:
        """Return what the mapping needs to know."""
        return Column(self.index, self.name, self.sample, self.filled / rows if rows else 0.0)


@dataclass(frozen=True)
class Inspection:
    """A file at first sight. ``rows`` counts records that are not empty, ``problems`` those that cannot be read."""

    encoding: str
    encoding_how: str
    encoding_certain: bool
    delimiter: str
    header_line: int
    rows: int
    empty_lines: int
    problems: dict[str, int]
    broken_cells: int
    columns: tuple[ColumnFacts, ...]

    def as_data(self) -> dict[str, Any]:
        """Return a form for JSON."""
        return asdict(self)

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Inspection:
        """Return what ``as_data`` was made from."""
        columns = tuple(
            ColumnFacts(**{**c, "first_values": tuple(c["first_values"]), "sample": tuple(c["sample"])})
            for c in data["columns"]
        )
        return cls(**{**data, "columns": columns})


class _Tally:
    def __init__(self, index: int, name: str) -> None:
        self.index, self.name = index, name
        self.first: list[str] = []
        self.sample: list[str] = []
        self.filled = self.broken = 0

    def add(self, cells: Any) -> None:
        stripped = cells.str.strip()
        filled = stripped != ""
        self.filled += int(filled.sum())
        self.broken += int(cells.str.contains(mojibake.PATTERN, regex=True).sum())
        if len(self.first) < SHOWN_VALUES:
            self.first.extend(cell[:60] for cell in stripped.head(SHOWN_VALUES - len(self.first)))
        if len(self.sample) < _KEPT_VALUES:
            self.sample.extend(cell[:200] for cell in stripped[filled].head(_KEPT_VALUES - len(self.sample)))

    def facts(self) -> ColumnFacts:
        return ColumnFacts(self.index, self.name, tuple(self.first), tuple(self.sample), self.filled, self.broken)


def inspect(opened: Opened) -> Inspection:
    """Read the whole file once, in bounded memory, and return what is in it."""
    tallies = [_Tally(index, name) for index, name in enumerate(opened.names)]
    rows = empty = 0
    problems: Counter[str] = Counter()
    for chunk in read_chunks(opened):
        rows += len(chunk.rows)
        empty += chunk.empty_lines
        problems.update(row.problem for row in chunk.rows if row.problem)
        good = [row.cells for row in chunk.rows if row.problem is None]
        if good:
            frame = pd.DataFrame(good, dtype=object)
            for tally in tallies:
                tally.add(frame[tally.index])
    columns = tuple(tally.facts() for tally in tallies)
    dialect = opened.dialect
    return Inspection(
        encoding=dialect.encoding,
        encoding_how=opened.found.how,
        encoding_certain=opened.found.certain,
        delimiter=dialect.delimiter,
        header_line=dialect.header_line,
        rows=rows,
        empty_lines=empty,
        problems=dict(problems),
        broken_cells=sum(column.broken for column in columns),
        columns=columns,
    )
