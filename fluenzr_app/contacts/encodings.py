"""Which encoding a CSV file is written in: BOM, strict UTF-8, UTF-16 without BOM, then the 8-bit ones.

The 8-bit encodings cannot be told apart by validity (nearly every byte is valid in each), so they are told
apart by plausibility: which reading gives accented letters where French or English text would have them.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from fluenzr_app.contacts.errors import FileRefused

Encoding = Literal["utf-8", "utf-8-bom", "utf-16-le", "utf-16-be", "windows-1252", "latin-1", "mac-roman"]

ENCODINGS: tuple[Encoding, ...] = (
    "utf-8",
    "utf-8-bom",
    "utf-16-le",
    "utf-16-be",
    "windows-1252",
    "latin-1",
    "mac-roman",
)

PYTHON_CODEC: dict[Encoding, str] = {
    "utf-8": "utf-8",
    "utf-8-bom": "utf-8-sig",
    "utf-16-le": "utf-16-le",
    "utf-16-be": "utf-16-be",
    "windows-1252": "cp1252",
    "latin-1": "latin-1",
    "mac-roman": "mac_roman",
}

LABEL: dict[Encoding, str] = {
    "utf-8": "UTF-8",
    "utf-8-bom": "UTF-8 (BOM)",
    "utf-16-le": "UTF-16 LE",
    "utf-16-be": "UTF-16 BE",
    "windows-1252": "Windows-1252",
    "latin-1": "Latin-1 (ISO 8859-1)",
    "mac-roman": "Mac Roman",
}

_ALIASES: dict[str, Encoding] = {
    "utf8": "utf-8",
    "utf8bom": "utf-8-bom",
    "utf8sig": "utf-8-bom",
    "utf16": "utf-16-le",
    "utf16le": "utf-16-le",
    "utf16be": "utf-16-be",
    "windows1252": "windows-1252",
    "cp1252": "windows-1252",
    "ansi": "windows-1252",
    "latin1": "latin-1",
    "iso88591": "latin-1",
    "macroman": "mac-roman",
    "macintosh": "mac-roman",
    "mac": "mac-roman",
}

_BLOCK = 1 << 20
_SAMPLE = 1 << 16
_SNIPPET = re.compile(rb"[^\r\n]{0,24}[\x80-\xff]+[^\r\n]{0,24}")
_MULTIBYTE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")

# What other kinds of file begin with, and what to tell the user who chose one.
_FOREIGN: tuple[tuple[bytes, str, str], ...] = (
    (b"PK\x03\x04", "spreadsheet", "This is a workbook or an archive (.xlsx, .ods, .zip)"),
    (b"\xd0\xcf\x11\xe0", "spreadsheet", "This is an Excel workbook (.xls)"),
    (b"%PDF", "not_text", "This is a PDF document"),
    (b"\x1f\x8b", "not_text", "This is a compressed file"),
    (b"\x89PNG", "not_text", "This is a picture"),
    (b"\xff\xd8\xff", "not_text", "This is a picture"),
    (b"SQLite format 3", "not_text", "This is a database"),
)


@dataclass(frozen=True)
class FoundEncoding:
    """The encoding a file is read with, and how it was found (``certain`` is false for a guess)."""

    encoding: Encoding
    how: Literal["bom", "strict", "pattern", "plausible", "chosen"]
    certain: bool


def parse_encoding(name: str) -> Encoding:
    """The encoding that a user names, in any usual spelling; raises FileRefused ``unknown_encoding``."""
    found = _ALIASES.get(re.sub(r"[^a-z0-9]", "", name.lower()))
    if found is None:
        raise FileRefused(
            "unknown_encoding",
            f"The encoding “{name}” is not known here; choose one of {', '.join(ENCODINGS)}.",
            encoding=name,
        )
    return found


def find_encoding(path: Path) -> FoundEncoding:
    """Reads the whole file once, in blocks, and says how to decode it.

    Raises FileRefused ``empty_file``, ``spreadsheet`` or ``not_text``.
    """
    with path.open("rb") as file:
        head = file.read(_SAMPLE)
    if not head:
        raise FileRefused("empty_file", "The file is empty.")
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise FileRefused("not_text", "This file is written in UTF-32; save it as CSV UTF-8 and choose it again.")
    if head.startswith(codecs.BOM_UTF8):
        return FoundEncoding("utf-8-bom", "bom", True)
    if head.startswith(codecs.BOM_UTF16_LE):
        return FoundEncoding("utf-16-le", "bom", True)
    if head.startswith(codecs.BOM_UTF16_BE):
        return FoundEncoding("utf-16-be", "bom", True)
    _refuse_foreign(head)
    utf16 = _utf16_without_bom(head)
    if utf16 is not None:
        return FoundEncoding(utf16, "pattern", False)
    _refuse_binary(head)
    return _eight_bit_or_utf8(path)


def _refuse_foreign(head: bytes) -> None:
    for magic, code, what in _FOREIGN:
        if head.startswith(magic):
            raise FileRefused(
                code, f"{what}, not a CSV file. Open it in your spreadsheet, save it as “CSV UTF-8”, and choose that."
            )


def _refuse_binary(head: bytes) -> None:
    odd = sum(1 for byte in head if byte < 32 and byte not in (9, 10, 12, 13))
    if odd > len(head) * 0.1:
        raise FileRefused("not_text", "This is not a text file. Save your contacts as “CSV UTF-8” and choose that.")


def _utf16_without_bom(head: bytes) -> Encoding | None:
    """UTF-16 of western text has a zero in nearly every second byte, always on the same side."""
    even, odd = head[0::2], head[1::2]
    if len(odd) < 4:
        return None
    zeros_even, zeros_odd = even.count(0) / len(even), odd.count(0) / len(odd)
    if zeros_odd > 0.5 and zeros_even < 0.05:
        return "utf-16-le"
    if zeros_even > 0.5 and zeros_odd < 0.05:
        return "utf-16-be"
    return None


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block


def _eight_bit_or_utf8(path: Path) -> FoundEncoding:
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    strict = True
    snippets = bytearray()
    for block in _blocks(path):
        if len(snippets) < _SAMPLE and not block.isascii():
            for found in _SNIPPET.finditer(block):
                snippets += found.group() + b"\n"
                if len(snippets) >= _SAMPLE:
                    break
        if strict:
            try:
                decoder.decode(block)
            except UnicodeDecodeError:
                strict = False
        if not strict and len(snippets) >= _SAMPLE:
            break
    if strict:
        try:
            decoder.decode(b"", final=True)
            return FoundEncoding("utf-8", "strict", True)
        except UnicodeDecodeError:
            pass
    sample = bytes(snippets)
    if _mostly_utf8(sample):
        # A UTF-8 file with a few damaged bytes: reading it as Windows-1252 would break every accent in it.
        return FoundEncoding("utf-8", "plausible", False)
    return FoundEncoding(_most_plausible(sample), "plausible", False)


def _mostly_utf8(sample: bytes) -> bool:
    good = len(_MULTIBYTE.findall(sample))
    stray = len(re.findall(rb"[\x80-\xff]", _MULTIBYTE.sub(b"", sample)))
    return good >= 4 * max(stray, 1)


_EIGHT_BIT: tuple[Encoding, ...] = ("windows-1252", "latin-1", "mac-roman")
_FRENCH = frozenset("éèêëàâçîïôùûüœæÉÈÊÀÂÇÎÔÛŒ")
_EUROPEAN = frozenset("äöåáíóúñãõøßìòýÄÖÜÅÁÍÓÚÑØËÏÙ")
_TYPOGRAPHY = frozenset("’‘“”«»–—…€°\u00a0·•²³½№©®™ºª§£")


def _most_plausible(sample: bytes) -> Encoding:
    scores: dict[Encoding, float] = {}
    for encoding in _EIGHT_BIT:
        scores[encoding] = _plausibility(sample.decode(PYTHON_CODEC[encoding], errors="replace"))
    # max keeps the first of equals: Latin-1 and Windows-1252 differ in 32 bytes only, and a file without
    # them reads the same in both.
    return max(_EIGHT_BIT, key=lambda encoding: scores[encoding])


def _plausibility(text: str) -> float:
    score = 0.0
    for at, char in enumerate(text):
        if char < "\x80":
            continue
        before = text[at - 1] if at else " "
        after = text[at + 1] if at + 1 < len(text) else " "
        score += _char_plausibility(char, before, after)
    return score


def _char_plausibility(char: str, before: str, after: str) -> float:
    if char == "\ufffd" or "\x80" <= char <= "\x9f":
        return -4.0
    if char.isalpha():
        worth = 2.0 if char in _FRENCH else 1.0 if char in _EUROPEAN else -1.0
        wrong_case = (char.isupper() and before.isalpha() and before.islower()) or (
            char.islower() and before.isupper() and after.isupper()
        )
        return worth - 3.0 if wrong_case else worth
    inside_word = before.isalpha() and after.isalpha()
    if char in _TYPOGRAPHY:
        return -1.0 if inside_word and char not in "’‘·\u00a0–" else 1.0
    return -2.0 if inside_word else -1.0
