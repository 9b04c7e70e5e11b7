"""Header lines as bytes on the wire want them: RFC 5322 folding, RFC 2047 words, nothing that breaks out.

Written by hand because the email package takes more than a millisecond for what these functions do in
a few microseconds, and composing is what limits the speed of sending.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote

from fluenzr_app.mail.addresses import WireAddress
from fluenzr_app.mail.errors import BadHeader

_BREAKS_OUT = re.compile(r"[\r\n\0]").search
_PLAIN = re.compile(r"[!-~]+(?: [!-~]+)*").fullmatch
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*").fullmatch
_HEADER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,75}").fullmatch
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,900}>").fullmatch

# RFC 5322, 2.1.1: 78 is advised, 998 is the limit. RFC 2047, 2: an encoded word has 75 characters at most,
# a line that holds one 76.
_ADVISED_LINE = 76
_MAX_TOKEN = 900
_WORD_OVERHEAD = len("=?utf-8?q??=")
_MAX_WORD_TEXT = 75 - _WORD_OVERHEAD
# RFC 2047, 5 (3): what may stand for itself even in a display name.
_Q_LITERAL = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")
_Q_TABLE = tuple(
    chr(octet) if octet in _Q_LITERAL else "_" if octet == 0x20 else f"={octet:02X}" for octet in range(256)
)


def refuse_breakout(field: str, value: str) -> None:
    """Raises BadHeader when `value` holds CR, LF or NUL, with which one field could become two."""
    if _BREAKS_OUT(value):
        raise BadHeader(f"{field} holds a line break or a NUL character, which may not stand in a header.")


def unstructured(name: str, value: str) -> str:
    """One folded header line with its final CRLF, for free text such as a subject. Raises BadHeader."""
    refuse_breakout(name, value)
    if _PLAIN(value) and "=?" not in value:
        if len(name) + 2 + len(value) <= _ADVISED_LINE:
            return f"{name}: {value}\r\n"
        words = value.split(" ")
        if max(map(len, words)) <= _MAX_TOKEN:
            return _folded(name, words)
    if not value:
        return f"{name}:\r\n"
    return _folded(name, encoded_words(value, len(name) + 1))


def mailbox(name: str, display_name: str, address: WireAddress) -> str:
    """`From` or `To` with one address, folded, with its final CRLF. Raises BadHeader."""
    refuse_breakout(name, display_name)
    refuse_breakout(name, address.address)
    phrase = _phrase(display_name.strip(), len(name) + 1)
    if not phrase:
        return f"{name}: {address.address}\r\n"
    return _folded(name, [*phrase, f"<{address.address}>"])


def message_ids(name: str, ids: Iterable[str]) -> str:
    """Message-IDs, as many on a line as fit; an empty string when none is well formed.

    Ids come from other people's mail: a crooked one is left out, since answering matters more than
    threading; one with a line break is refused (BadHeader).
    """
    kept = []
    for rfc_id in ids:
        refuse_breakout(name, rfc_id)
        if _MESSAGE_ID(rfc_id):
            kept.append(rfc_id)
    return _folded(name, kept) if kept else ""


def own_message_id(rfc_id: str) -> str:
    """The Message-ID line of a new mail. Raises BadHeader unless it is `<left@right>` in plain ASCII."""
    refuse_breakout("Message-ID", rfc_id)
    if not _MESSAGE_ID(rfc_id) or "@" not in rfc_id:
        raise BadHeader("The Message-ID must have the form <left@right>.")
    return f"Message-ID: {rfc_id}\r\n"


def uris(name: str, values: Iterable[str]) -> str:
    """`<uri>, <uri>` one on each line (RFC 2369), with its final CRLF. Raises BadHeader."""
    tokens = []
    for value in values:
        refuse_breakout(name, value)
        if not _PLAIN(value) or " " in value or "<" in value or ">" in value or len(value) > _MAX_TOKEN:
            raise BadHeader(f"{name} needs a complete address in ASCII of {_MAX_TOKEN} characters at most.")
        tokens.append(f"<{value}>")
    return f"{name}: " + ",\r\n ".join(tokens) + "\r\n"


def header_name(name: str) -> str:
    """`name` itself when it may name a header (RFC 5322, 3.6.8); raises BadHeader otherwise."""
    if not _HEADER_NAME(name):
        raise BadHeader(f"“{name[:40]!r}” cannot name a header.")
    return name


def parameter(name: str, value: str) -> str:
    """`name="value"`, or `name*=utf-8''…` outside ASCII, on folded lines (RFC 2231). Raises BadHeader."""
    refuse_breakout(name, value)
    if _PLAIN(value) and len(value) <= _MAX_WORD_TEXT:
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'{name}="{escaped}"'
    encoded = quote(value, safe="")
    if len(encoded) <= _MAX_WORD_TEXT:
        return f"{name}*=utf-8''{encoded}"
    # RFC 2231, 3: a long value is numbered; a percent sign and its digits stay together.
    octets = re.findall(r"%[0-9A-F]{2}|.", encoded)
    lines, line = [], ""
    for octet in octets:
        if len(line) + len(octet) > _MAX_WORD_TEXT - 10:
            lines.append(line)
            line = ""
        line += octet
    lines.append(line)
    numbered = (
        f"{name}*{number}*={'' if number else 'utf-8' + chr(39) * 2}{part}" for number, part in enumerate(lines)
    )
    return ";\r\n ".join(numbered)


def encoded_words(text: str, taken: int = 0) -> list[str]:
    """RFC 2047 words of 75 characters at most, each of whole characters.

    `taken` is the number of characters that stand before the first word on its line.
    """
    octets = text.encode("utf-8", "replace")
    if sum(octet in _Q_LITERAL or octet == 0x20 for octet in octets) * 2 >= len(octets):
        return [f"=?utf-8?q?{part}?=" for part in _q_parts(text, _MAX_WORD_TEXT - taken)]
    return [f"=?utf-8?b?{b64encode(part).decode('ascii')}?=" for part in _b_parts(text, _MAX_WORD_TEXT - taken)]


def _q_parts(text: str, room: int) -> list[str]:
    parts: list[str] = []
    part: list[str] = []
    for character in text:
        encoded = _q_character(character)
        if len(encoded) > room:
            parts.append("".join(part))
            part, room = [], _MAX_WORD_TEXT
        part.append(encoded)
        room -= len(encoded)
    return [*parts, "".join(part)]


@lru_cache(maxsize=4096)
def _q_character(character: str) -> str:
    return "".join(_Q_TABLE[octet] for octet in character.encode("utf-8", "replace"))


def _b_parts(text: str, room: int) -> list[bytes]:
    parts: list[bytes] = []
    part = b""
    for character in text:
        octets = character.encode("utf-8", "replace")
        if len(part) + len(octets) > room // 4 * 3:
            parts.append(part)
            part, room = b"", _MAX_WORD_TEXT
        part += octets
    return [*parts, part]


@lru_cache(maxsize=8192)
def _phrase(name: str, taken: int) -> tuple[str, ...]:
    """The display name as tokens between which a line may be folded."""
    if not name:
        return ()
    if _PLAIN(name) and "=?" not in name and max(map(len, name.split(" "))) <= 60:
        if _ATOMS(name):
            return tuple(name.split(" "))
        escaped = name.replace("\\", "\\\\").replace('"', '\\"')
        return tuple(f'"{escaped}"'.split(" "))
    return tuple(encoded_words(name, taken))


def _folded(name: str, tokens: Iterable[str]) -> str:
    lines, line = [], f"{name}:"
    for token in tokens:
        # The first token stays beside the name: a first line with nothing else breaks some readers.
        if len(line) + 1 + len(token) > _ADVISED_LINE and line != f"{name}:":
            lines.append(line)
            line = ""
        line = f"{line} {token}"
    lines.append(line)
    return "\r\n".join(lines) + "\r\n"
