"""Reading CSV files that strangers wrote: any usual encoding and delimiter, hostile content included.

A file is read in one forward pass with bounded memory. What is wrong with one row becomes a row error with its
line number; what is wrong with the file as a whole raises ``FileRefused``. No input crashes the reader.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal, NamedTuple

from fluenzr_app.contacts.delimiters import Delimiter, find_delimiter, parse_delimiter
from fluenzr_app.contacts.encodings import (
    PYTHON_CODEC,
    Encoding,
    FoundEncoding,
    find_encoding,
)
from fluenzr_app.contacts.errors import FileRefused, NoHeader
from fluenzr_app.contacts.formula_guard import unguard
from fluenzr_app.contacts.mojibake import repair

MAX_CELL = 32_767
"""Characters in one cell, as in a spreadsheet."""
MAX_LINE = 1 << 20
"""Characters in one physical line."""
MAX_COLUMNS = 500
CHUNK_ROWS = 5_000
_SAMPLE_CHARS = 1 << 16
_MAX_RECORD_LINES = 2_000
_RAW_KEPT = 2_000

RowProblem = Literal["ragged_row", "nul_byte", "cell_too_long", "line_too_long", "undecodable", "open_quote"]

_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_DATA_LIKE = re.compile(r"[+\-()./\s\d,:]*\d[+\-()./\s\d,:]*|https?://\S+|www\.\S+", re.IGNORECASE)


@dataclass(frozen=True)
class Dialect:
    """How a file is read. ``header_line`` is the physical line of the column names, from 1."""

    encoding: Encoding
    delimiter: Delimiter
    header_line: int


@dataclass(frozen=True)
class Opened:
    """A file whose dialect and header are known. ``names`` are unique; an unnamed column is called ``""``."""

    path: Path
    dialect: Dialect
    found: FoundEncoding
    names: tuple[str, ...]


class Row(NamedTuple):
    """One record: its first physical line, its cells in the order of the header, and what is wrong with it.

    With a ``problem`` the cells are what could be read (the original row for the error file).
    """

    line: int
    cells: tuple[str, ...]
    problem: RowProblem | None = None


@dataclass(frozen=True)
class Chunk:
    """Up to CHUNK_ROWS records, and how many empty lines were passed over between them."""

    rows: tuple[Row, ...]
    empty_lines: int


def open_csv(
    path: Path,
    *,
    encoding: Encoding | None = None,
    delimiter: Delimiter | None = None,
    header_line: int | None = None,
) -> Opened:
    """Find what is not given, read the header, and return both.

    Raises FileRefused (``empty_file``, ``spreadsheet``, ``not_text``, ``too_many_columns``, ``unreadable_header``)
    and NoHeader when the first row holds data.
    """
    found = FoundEncoding(encoding, "chosen", True) if encoding else find_encoding(path)
    sample = _sample(path, found.encoding)
    declared = re.match(r"sep=([,;\t|])\r?\n?", sample)
    if delimiter is None:
        # “sep=;” in the first line is Excel's own way to name the delimiter.
        delimiter = parse_delimiter(declared.group(1)) if declared else find_delimiter(sample)
    first = header_line or (2 if declared else 1)
    header = _read_header(path, found.encoding, delimiter, first)
    dialect = Dialect(found.encoding, delimiter, header.line)
    return Opened(path, dialect, found, _unique_names(header.cells))


def read_chunks(opened: Opened, *, size: int = CHUNK_ROWS) -> Iterator[Chunk]:
    """Yield the rows below the header in file order, ``size`` at a time, holding no more than one chunk."""
    width = len(opened.names)
    rows: list[Row] = []
    empty = 0
    with _open_text(opened.path, opened.dialect.encoding) as text:
        for record in _Records(text, opened.dialect.delimiter, width):
            if record.line <= opened.dialect.header_line:
                continue
            if record.problem is None and not "".join(record.cells).strip():
                empty += 1
                continue
            rows.append(_checked(record, width))
            if len(rows) >= size:
                yield Chunk(tuple(rows), empty)
                rows, empty = [], 0
    if rows or empty:
        yield Chunk(tuple(rows), empty)


def _checked(record: Row, width: int) -> Row:
    if record.problem is not None:
        return record
    cells = _fitted(record.cells, width)
    joined = "".join(cells)
    if len(cells) != width:
        problem: RowProblem = "ragged_row"
    elif "\x00" in joined:
        problem = "nul_byte"
    elif len(joined) > MAX_CELL and any(len(cell) > MAX_CELL for cell in cells):
        problem = "cell_too_long"
    elif "\ufffd" in joined:
        problem = "undecodable"
    elif "'" in joined:
        return Row(record.line, tuple(unguard(cell) for cell in cells))
    else:
        return Row(record.line, cells)
    return Row(record.line, tuple(cell[:_RAW_KEPT] for cell in cells[:MAX_COLUMNS]), problem)


def _fitted(cells: tuple[str, ...], width: int) -> tuple[str, ...]:
    """The cells without those beyond the header, if these are empty (a trailing delimiter is no fault)."""
    if len(cells) > width and not "".join(cells[width:]).strip():
        return cells[:width]
    return cells


def _open_text(path: Path, encoding: Encoding) -> IO[str]:
    # newline="" keeps \r, \n and \r\n apart, so that a cell's own line breaks survive.
    return path.open("r", encoding=PYTHON_CODEC[encoding], errors="replace", newline="")


def _sample(path: Path, encoding: Encoding) -> str:
    with _open_text(path, encoding) as text:
        return text.read(_SAMPLE_CHARS).removeprefix("\ufeff")


def _read_header(path: Path, encoding: Encoding, delimiter: Delimiter, first: int) -> Row:
    with _open_text(path, encoding) as text:
        for record in _Records(text, delimiter, None):
            if record.line < first or (record.problem is None and not "".join(record.cells).strip()):
                continue
            if record.problem is not None or "\x00" in "".join(record.cells):
                raise FileRefused(
                    "unreadable_header",
                    f"Line {record.line} should hold the names of the columns, but cannot be read. Check its quotes, "
                    "or save the file again as “CSV UTF-8”.",
                    line=record.line,
                )
            return _checked_header(record)
    raise FileRefused("empty_file", "The file holds no rows.")


def _checked_header(record: Row) -> Row:
    cells = tuple(" ".join(repair(unguard(cell)).split()) for cell in record.cells)
    while len(cells) > MAX_COLUMNS and not cells[-1]:
        cells = cells[:-1]
    if len(cells) > MAX_COLUMNS:
        raise FileRefused(
            "too_many_columns",
            f"The file has {len(cells)} columns; {MAX_COLUMNS} are the most that can be read. Remove those you do "
            "not need.",
            columns=len(cells),
        )
    filled = [cell for cell in cells if cell]
    address = next((cell for cell in filled if _ADDRESS.fullmatch(cell)), None)
    if address is not None or all(_DATA_LIKE.fullmatch(cell) for cell in filled):
        raise NoHeader(record.line, (address or filled[0])[:80])
    return Row(record.line, cells)


def _unique_names(cells: tuple[str, ...]) -> tuple[str, ...]:
    taken: set[str] = set()
    names: list[str] = []
    for cell in cells:
        name, number = cell[:200], 2
        while name and name in taken:
            name = f"{cell[:200]} ({number})"
            number += 1
        taken.add(name)
        names.append(name)
    return tuple(names)


class _Cut(str):
    """The beginning of a line that was too long; never part of a record of several lines."""


class _Records:
    """The records of a text: a csv.reader that survives open quotes and endless lines.

    csv.reader alone would take a stray opening quote for a cell that reaches to the next quote, be it at the
    end of the file. Here such a record costs its own line only: the lines after it are read again.
    """

    def __init__(self, text: IO[str], delimiter: Delimiter, width: int | None) -> None:
        self._text = text
        self._delimiter = delimiter
        self._width = width
        self._again: list[str] = []
        self._taken: list[str] = []
        self._line = 0
        self._too_long = False
        self._open_quote = False
        self._at_start = True

    def __iter__(self) -> Iterator[Row]:
        reader = self._reader()
        while True:
            start = self._line + 1
            self._taken.clear()
            self._too_long = self._open_quote = False
            cells: list[str] | None
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error:
                cells = None
            problem = self._problem(cells)
            if problem is None:
                yield Row(start, tuple(cells or ()))
                continue
            raw = self._taken[0].rstrip("\r\n")[:_RAW_KEPT]
            self._again.extend(reversed(self._taken[1:]))
            self._line = start
            reader = self._reader()
            yield Row(start, (raw,), problem)

    def _reader(self) -> Iterator[list[str]]:
        return csv.reader(self._lines(), delimiter=self._delimiter)

    def _problem(self, cells: list[str] | None) -> RowProblem | None:
        if self._too_long:
            return "line_too_long"
        if self._open_quote or (len(self._taken) > 1 and (cells is None or self._swallowed_rows(cells))):
            return "open_quote"
        return "cell_too_long" if cells is None else None

    def _swallowed_rows(self, cells: list[str]) -> bool:
        """True when a record of several lines has the wrong width, and its second line alone has the right one."""
        if self._width is None or len(_fitted(tuple(cells), self._width)) == self._width:
            return False
        try:
            second = next(csv.reader([self._taken[1]], delimiter=self._delimiter), [])
        except csv.Error:
            return False
        return len(_fitted(tuple(second), self._width)) == self._width

    def _lines(self) -> Iterator[str]:
        while True:
            line = self._again.pop() if self._again else self._read_line()
            cut = isinstance(line, _Cut)
            if not line or (cut and self._taken):
                # The reader asks for another line in the middle of a record only inside quotes.
                self._open_quote = bool(self._taken)
                if cut:
                    self._again.append(line)
                return
            self._too_long = cut
            self._line += 1
            self._taken.append(line)
            if len(self._taken) > _MAX_RECORD_LINES:
                raise csv.Error("record of too many lines")
            yield line

    def _read_line(self) -> str:
        line = self._text.readline(MAX_LINE)
        if self._at_start:
            line = line.removeprefix("\ufeff")
            self._at_start = False
        if len(line) < MAX_LINE or line.endswith(("\n", "\r")):
            return line
        while (rest := self._text.readline(MAX_LINE)) and not rest.endswith(("\n", "\r")):
            pass
        # Without quotes, so that the shortened line is a record of its own.
        return _Cut(line[:_RAW_KEPT].replace('"', "'") + "\n")
