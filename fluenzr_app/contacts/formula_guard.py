"""The quote rule that keeps spreadsheets from running a cell as a formula (contacts.md, CSV import).

Exports put one ``'`` before a cell that starts, after any number of quotes, with ``= + - @``, a tab or a
carriage return; imports take one away. As quotes are counted and never collapsed, the two undo each other.
"""

from __future__ import annotations

import re

_RISKY = re.compile(r"'*[=+\-@\t\r]")
_GUARDED = re.compile(r"'+[=+\-@\t\r]")


def guard(cell: str) -> str:
    """The cell as an export writes it."""
    return "'" + cell if _RISKY.match(cell) else cell


def unguard(cell: str) -> str:
    """The cell as it was before ``guard``; a cell that an export never wrote loses one quote at most."""
    return cell[1:] if _GUARDED.match(cell) else cell
