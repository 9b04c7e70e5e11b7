"""Writing CSV: UTF-8, one header row, the quote rule on every cell, CRLF line ends (RFC 4180)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from fluenzr_app.contacts.formula_guard import guard

_FLUSH = 1 << 16


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[str]], *, delimiter: str = ",") -> Iterator[bytes]:
    """Yield the file in pieces of about 64 KB; rows are taken one by one, so that any number fits.

    No BOM is written: a byte-identical export → import → export needs one form only, and the reader of this
    house and every present spreadsheet find UTF-8 by themselves.
    """
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow([guard(cell) for cell in header])
    for row in rows:
        writer.writerow([guard(cell) for cell in row])
        if buffer.tell() >= _FLUSH:
            yield buffer.getvalue().encode("utf-8")
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode("utf-8")
