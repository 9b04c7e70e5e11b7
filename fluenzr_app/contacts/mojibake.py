"""Accents that an earlier programme broke ("Ã©" for "é"): found in a cell, and repaired.

The damage is UTF-8 read as Windows-1252 (or Mac Roman: "√©"). Only leads that stand for Latin letters and
western punctuation count; a wider net would "repair" honest text such as “CAFÉ»”.
"""

from __future__ import annotations

import re


def _reading(codec: str) -> dict[int, str]:
    """Byte → character as ``codec`` reads it; bytes that Windows-1252 leaves undefined pass as themselves."""
    table: dict[int, str] = {}
    for byte in range(0x80, 0x100):
        try:
            table[byte] = bytes([byte]).decode(codec)
        except UnicodeDecodeError:
            table[byte] = chr(byte)
    return table


class _Damage:
    """One wrong reading of UTF-8: what it looks like, and how to undo it."""

    def __init__(self, codec: str) -> None:
        self._table = _reading(codec)
        self._bytes = {char: byte for byte, char in self._table.items()}
        tail = self._class(range(0x80, 0xC0))
        # C2–C5 lead U+0080–U+017F (Latin letters), E2 leads western punctuation and the euro sign.
        two = self._class(range(0xC2, 0xC6))
        three = self._class((0xE2,))
        bom = "".join(self._table[byte] for byte in (0xEF, 0xBB, 0xBF))
        self.pattern = f"{two}{tail}|{three}{tail}{tail}|{re.escape(bom)}"
        self._regex = re.compile(self.pattern)

    def _class(self, codes: range | tuple[int, ...]) -> str:
        return "[" + "".join(re.escape(self._table[code]) for code in codes) + "]"

    def undo(self, text: str) -> str:
        return self._regex.sub(self._restore, text)

    def _restore(self, match: re.Match[str]) -> str:
        try:
            return bytes(self._bytes[char] for char in match.group()).decode("utf-8").lstrip("\ufeff")
        except UnicodeDecodeError:
            return match.group()


_KINDS = (_Damage("cp1252"), _Damage("mac_roman"))

PATTERN = "|".join(f"(?:{kind.pattern})" for kind in _KINDS)
"""Regular expression for pandas' ``str.contains``: true where a cell holds broken accents."""

_ANY = re.compile(PATTERN)


def is_broken(cell: str) -> bool:
    """True when the cell holds accents broken by a wrong reading."""
    return not cell.isascii() and _ANY.search(cell) is not None


def repair(cell: str) -> str:
    """The cell with its accents back; text broken twice is repaired twice, honest text is left alone."""
    for _ in range(3):
        if not is_broken(cell):
            break
        mended = cell
        for kind in _KINDS:
            mended = kind.undo(mended)
        if mended == cell:
            break
        cell = mended
    return cell
