"""What a server answers to LIST, STATUS, SEARCH and FETCH, taken apart (RFC 9051, 7).

Everything here reads what somebody else wrote: what does not fit is left out, and nothing is believed twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from imap_tools.imap_utf7 import utf7_decode, utf7_encode

# A quoted string, a bracket, or an atom; a literal is put in as one NUL, which none of them can hold.
_TOKEN = re.compile(rb'\x00|"(?:[^"\\]|\\.)*"|[()]|[^\s()"\x00]+')
# In a FETCH also a key such as BODY[HEADER.FIELDS (MESSAGE-ID)]<0>.
_FETCH_TOKEN = re.compile(rb"[A-Z0-9.]{1,20}\[[^\]]{0,200}\](?:<\d+>)?|" + _TOKEN.pattern, re.IGNORECASE)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DATE = re.compile(r" ?(\d{1,2})-(\w{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-]\d{4})")
# RFC 9051, 9: a UID is a number of 32 bits and not zero.
MAX_UID = 4_294_967_295

Part = bytes | tuple[bytes, bytes] | None
"""A piece of an answer as Python's client gives it: a line, or a line and the literal that followed it."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of LIST. `attributes` in lower case, without the backslash."""

    name: str
    delimiter: str
    attributes: frozenset[str]


def listed(parts: Iterable[Part]) -> Iterator[Listed]:
    """The folders of a LIST answer; one whose name cannot be said back to the server is left out."""
    for tokens in _answers(parts):
        if b")" not in tokens or tokens[0] != b"(":
            continue
        end = tokens.index(b")")
        if len(tokens) < end + 3:
            continue
        raw = _text(tokens[end + 2])
        try:
            name = utf7_decode(raw)
            if utf7_encode(name) != raw:
                continue
        except ValueError:
            continue
        delimiter = tokens[end + 1]
        yield Listed(
            name,
            "" if delimiter.upper() == b"NIL" else _text(delimiter).decode("ascii", "replace"),
            frozenset(each.decode("ascii", "replace").lower().lstrip("\\") for each in tokens[1:end]),
        )


def numbers(parts: Iterable[Part]) -> list[int]:
    """The numbers of a SEARCH answer, ascending, each once. Raises ValueError for what is none."""
    found = {int(word) for part in parts if isinstance(part, bytes) for word in part.split()}
    return sorted(number for number in found if 0 < number <= MAX_UID)


def counts(parts: Iterable[Part]) -> dict[str, int]:
    """The items of a STATUS answer by their names in capitals. Raises ValueError for one that is no number."""
    found: dict[str, int] = {}
    for tokens in _answers(parts):
        words = tokens[tokens.index(b"(") + 1 :] if b"(" in tokens else []
        pairs = zip(words[0::2], words[1::2], strict=False)
        found.update({key.decode("ascii", "replace").upper(): int(value) for key, value in pairs})
    return found


def fetched(parts: Iterable[Part]) -> Iterator[dict[str, bytes]]:
    """The items of each FETCH answer by their names in capitals; a BODY's name without its part in brackets.

    Items in brackets, such as FLAGS, are left out: nothing here reads them.
    """
    for tokens in _answers(parts, _FETCH_TOKEN):
        items: dict[str, bytes] = {}
        position = tokens.index(b"(") + 1 if b"(" in tokens else len(tokens)
        while position + 1 < len(tokens):
            key, value = tokens[position], tokens[position + 1]
            if value == b"(":
                position = _after_bracket(tokens, position + 1)
                continue
            items[key.partition(b"[")[0].decode("ascii", "replace").upper()] = _text(value)
            position += 2
        yield items


def moment(text: bytes) -> datetime:
    """An INTERNALDATE such as `17-Jul-1996 02:44:25 -0700` in UTC. Raises ValueError."""
    found = _DATE.fullmatch(text.decode("ascii", "replace"))
    if found is None or found[2].title() not in MONTHS:
        raise ValueError(f"not a date: {text[:40]!r}")
    day, month, year, hour, minute, second, zone = found.groups()
    stamp = f"{year}-{MONTHS.index(month.title()) + 1:02}-{int(day):02}T{hour}:{minute}:{second}{zone}"
    try:
        return datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%S%z").astimezone(UTC)
    except OverflowError as error:
        raise ValueError(stamp) from error


class _Literal(bytes):
    """Octets that came as a literal: they mean themselves, whatever they look like."""


def _answers(parts: Iterable[Part], token: re.Pattern[bytes] = _TOKEN) -> Iterator[list[bytes]]:
    """The tokens of each answer. A line ends one, a line with a literal goes on."""
    text, literals = b"", []
    for part in parts:
        if part is None:
            continue
        if isinstance(part, tuple):
            text += part[0][: part[0].rfind(b"{")] + b"\0"
            literals.append(_Literal(part[1]))
            continue
        text += part
        rest = iter(literals)
        tokens = [next(rest, _Literal()) if found == b"\0" else found for found in token.findall(text)]
        if tokens:
            yield tokens
        text, literals = b"", []


def _after_bracket(tokens: list[bytes], position: int) -> int:
    depth = 0
    while position < len(tokens):
        token = tokens[position]
        if not isinstance(token, _Literal):
            depth += (token == b"(") - (token == b")")
        position += 1
        if depth == 0:
            break
    return position


def _text(token: bytes) -> bytes:
    if isinstance(token, _Literal):
        return bytes(token)
    if token.startswith(b'"'):
        return _ESCAPED.sub(rb"\1", token[1:-1])
    return b"" if token.upper() == b"NIL" else token
