"""The parts of a mail (RFC 2045, 2046, 2047, 2231), read from whatever bytes arrive.

Written by hand because the email package takes seconds for mails of 20 MB or of thousands of nested parts, and
raises on some. Here everything is bounded: what lies beyond a bound is left unread, never an error.
"""

from __future__ import annotations

import binascii
import codecs
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

Headers = tuple[tuple[str, str], ...]

_HEAD_MAX = 512 * 1024
_HEADERS_MAX = 2_000
_VALUE_MAX = 64 * 1024
_DEPTH_MAX = 20
_PARTS_MAX = 1_000
_FALSE_BOUNDARIES_MAX = 5_000

_LINE_ENDS = re.compile(rb"\r\n|\n|\r")
_HEADER = re.compile(rb"([!-9;-~]{1,100})[ \t]*:(.*)", re.DOTALL).fullmatch
_BOUNDARY_REST = re.compile(rb"(--)?[ \t]*(?:\r?\n|\r|\Z)").match
_WORD = re.compile(r"=\?([\w.:+-]{1,60})(?:\*[\w-]{1,20})?\?([bBqQ])\?([^?\r\n]{0,2000})\?=")
_BETWEEN_WORDS = re.compile(r"(\?=)[ \t\r\n]+(?==\?[\w.:+-]{1,60}(?:\*[\w-]{1,20})?\?[bBqQ]\?)")
_PARAMETER = re.compile(r';\s*([^\s=;"]{1,60})\s*=\s*("(?:\\.|[^"\\])*"?|[^;]*)')
_CONTINUED = re.compile(r"([^*]+)(?:\*(\d{1,3}))?(\*)?").fullmatch
_TYPE = re.compile(r"\s*([\w.+-]{1,80}/[\w.+-]{1,80})", re.ASCII).match
_TEXT_CODECS = re.compile(r"utf|iso|cp\d|koi8|shift|euc|gb|big5|hz|mac|latin|tis|kz|ascii|johab").match
_META_CHARSET = re.compile(rb"""<meta[^<>]{0,200}charset\s*=\s*["']?([\w.:-]{1,40})""", re.IGNORECASE).search


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a mail. `start` and `end` bound its encoded body inside the mail's bytes.

    `headers`: lower-case name and unfolded, undecoded value. `parents`: the types of the multiparts around it,
    outermost first. `branch` tells the innermost multipart around it apart from all others.
    """

    headers: Headers
    content_type: str
    parameters: Mapping[str, str]
    disposition: str
    disposition_parameters: Mapping[str, str]
    start: int
    end: int
    parents: tuple[str, ...]
    branch: int

    def header(self, name: str) -> str:
        """The first value of a header, undecoded; empty when absent."""
        return first(self.headers, name)


def first(headers: Headers, name: str) -> str:
    """The first value of the header `name` (lower case), undecoded; empty when absent."""
    return next((value for key, value in headers if key == name), "")


def read_head(raw: bytes, start: int, end: int) -> tuple[Headers, int]:
    """The headers that begin at `start`, and where the body under them begins.

    A line that is no header is passed over; when already the first line is none, there is no head.
    """
    if raw.startswith((b"\n", b"\r"), start, end):
        return (), start + (2 if raw.startswith(b"\r\n", start, end) else 1)
    # Searched for one by one, since an expression takes ten times as long over 20 MB.
    head_end, body = end, end
    for gap in (b"\n\n", b"\n\r\n", b"\r\r"):
        at = raw.find(gap, start, head_end)
        if at != -1:
            head_end, body = at, at + len(gap)
    lines = _LINE_ENDS.split(raw[start : min(head_end, start + _HEAD_MAX)])
    if lines and lines[0].startswith((b"From ", b">From ")):
        lines = lines[1:]
    if lines and not _HEADER(lines[0]):
        return (), start
    return tuple(_headers(lines)), body


def _headers(lines: list[bytes]) -> Iterator[tuple[str, str]]:
    name, values, count = "", list[bytes](), 0
    for line in [*lines, b":"]:
        if name and line[:1] in (b" ", b"\t"):
            values.append(line)
            continue
        if name:
            yield name, _decoded(b"".join(values)[:_VALUE_MAX]).strip()
            count += 1
        found = _HEADER(line)
        name = found[1].decode("ascii").lower() if found and count < _HEADERS_MAX else ""
        values = [found[2]] if found else []


def walk(raw: bytes, *, into_messages: bool = False) -> Iterator[Part]:
    """All parts in their order, multiparts before what they hold; the first is the mail itself.

    `into_messages`: the parts of mails inside the mail too. At most 1,000 parts, 20 levels deep.
    """
    pending: list[tuple[int, int, tuple[str, ...], int]] = [(0, len(raw), (), 0)]
    count = 0
    while pending and count < _PARTS_MAX:
        start, end, parents, branch = pending.pop()
        part = _part(raw, start, end, parents, branch)
        yield part
        count += 1
        if len(parents) >= _DEPTH_MAX:
            continue
        below = (*parents, part.content_type)
        if part.content_type.startswith("multipart/"):
            children = _children(raw, part, _PARTS_MAX - count)
            pending += [(begin, stop, below, count) for begin, stop in reversed(children)]
        elif into_messages and part.content_type in ("message/rfc822", "message/global", "text/rfc822-headers"):
            pending.append((part.start, part.end, below, count))


def _part(raw: bytes, start: int, end: int, parents: tuple[str, ...], branch: int) -> Part:
    headers, body = read_head(raw, start, end)
    default = "message/rfc822" if parents and parents[-1] == "multipart/digest" else "text/plain"
    written = first(headers, "content-type")
    kind = _TYPE(written)
    content_type = kind[1].lower() if kind else default
    disposition = first(headers, "content-disposition")
    return Part(
        headers,
        content_type,
        parameters_of(written),
        disposition.partition(";")[0].strip().lower(),
        parameters_of(disposition),
        body,
        end,
        parents,
        branch,
    )


def _children(raw: bytes, part: Part, most: int) -> list[tuple[int, int]]:
    boundary = part.parameters.get("boundary", "").encode("utf-8", "replace").rstrip()
    if not boundary:
        return [(part.start, part.end)] if part.end > part.start else []
    delimiter = b"\n--" + boundary
    children: list[tuple[int, int]] = []
    begun = -1
    # The line before a delimiter belongs to it (RFC 2046, 5.1.1); the first may stand at the very beginning.
    at = part.start - 1 if raw.startswith(delimiter[1:], part.start) else raw.find(delimiter, part.start, part.end)
    false = 0
    while at != -1 and len(children) < most:
        rest = _BOUNDARY_REST(raw, at + len(delimiter), part.end)
        if rest is None:
            false += 1
            if false > _FALSE_BOUNDARIES_MAX:
                break
        else:
            if begun >= 0:
                stop = at - 1 if at > begun and raw[at - 1] == 0x0D else at
                children.append((begun, max(begun, stop)))
            begun = -1 if rest[1] else rest.end()
            if rest[1]:
                break
        at = raw.find(delimiter, at + len(delimiter) - (1 if rest else 0), part.end)
    if begun >= 0 and len(children) < most:
        children.append((begun, part.end))
    if not children and part.end > part.start:
        # A multipart without its boundary: better shown as it is than lost.
        children.append((part.start, part.end))
    return children


def octets(raw: bytes, part: Part) -> bytes:
    """The part's body without its transfer encoding; damaged encodings give what can be read."""
    body = raw[part.start : part.end]
    match part.header("content-transfer-encoding").strip().lower().partition(";")[0].strip(" \"'"):
        case "base64":
            return _base64(body)
        case "quoted-printable":
            return binascii.a2b_qp(body)
        case "x-uuencode" | "uuencode" | "x-uue" | "uue":
            return _uudecoded(body)
    return body


def words(raw: bytes, part: Part, most: int) -> str:
    """The part's body as text of at most about `most` octets, whatever its charset says."""
    # Decoded, it is never longer than encoded; three quarters is what base64 leaves.
    head = Part(
        part.headers, part.content_type, part.parameters, part.disposition, part.disposition_parameters,
        part.start, min(part.end, part.start + most * 2), part.parents, part.branch,
    )  # fmt: skip
    found = octets(raw, head)[:most]
    charset = part.parameters.get("charset", "")
    if not charset and part.content_type == "text/html" and (meta := _META_CHARSET(found[:2048])):
        charset = meta[1].decode("ascii", "replace")
    text = decode(found, charset)
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")


def decode(found: bytes, charset: str) -> str:
    """Octets as text: by their byte order mark, the charset named, strict UTF-8, or else Windows' Latin."""
    if found.startswith(codecs.BOM_UTF8):
        found, charset = found[3:], "utf-8"
    elif found.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        charset = "utf-16"
    for name in (charset, "utf-8"):
        codec = _codec(name)
        if codec is None:
            continue
        try:
            return _whole(found.decode(codec))
        except (UnicodeError, LookupError):
            pass
        try:
            # The last character may have been cut off; where all others are ASCII it rather is another charset's.
            text = codecs.getincrementaldecoder(codec)("strict").decode(found)
        except (UnicodeError, LookupError):
            continue
        if not text.isascii():
            return _whole(text)
    return found.decode("cp1252", "replace")


def _whole(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _codec(charset: str) -> str | None:
    name = charset.strip().strip("\"'").lower()
    if not name:
        return None
    try:
        known = codecs.lookup(name).name
    except (LookupError, ValueError):
        return None
    if not _TEXT_CODECS(known):
        return None
    # As browsers do: who says Latin-1 means Windows, and who says ASCII may well have sent more.
    if known == "iso8859-1":
        return "cp1252"
    if known == "gb2312":
        return "gb18030"
    return known


def decode_header(value: str) -> str:
    """A header's value with its encoded words (RFC 2047) read; damaged ones stay as they are."""
    if "=?" not in value:
        return value
    return _WORD.sub(_read_word, _BETWEEN_WORDS.sub(r"\1", value))


def _read_word(found: re.Match[str]) -> str:
    text = found[3].encode("utf-8", "replace")
    octets_ = _base64(text) if found[2] in "bB" else binascii.a2b_qp(text, header=True)
    return decode(octets_, found[1])


def parameters_of(value: str) -> dict[str, str]:
    """The parameters behind a header's value, names in lower case, RFC 2231 pieces joined and decoded."""
    if ";" not in value:
        return {}
    plain: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[str, bool]]] = {}
    for found in _PARAMETER.finditer(value[:_VALUE_MAX]):
        text = found[2].strip()
        if text.startswith('"'):
            text = re.sub(r"\\(.)", r"\1", text[1:].removesuffix('"'))
        name = _CONTINUED(found[1].lower())
        if name is None or (name[2] is None and name[3] is None):
            plain.setdefault(found[1].lower(), decode_header(text))
        else:
            pieces.setdefault(name[1], {})[int(name[2] or 0)] = (text, name[3] is not None)
    # What is spelled the newer way is meant for readers that know it.
    return plain | {name: _joined(found) for name, found in pieces.items()}


def _joined(pieces: dict[int, tuple[str, bool]]) -> str:
    charset, found = "", b""
    for number in sorted(pieces):
        text, encoded = pieces[number]
        if encoded and number == 0 and text.count("'") >= 2:
            charset, _, text = text.split("'", 2)
        found += unquote_to_bytes(text) if encoded else text.encode("utf-8", "replace")
    return decode(found, charset)


def _decoded(value: bytes) -> str:
    try:
        return value.decode("ascii")
    except UnicodeDecodeError:
        return decode(value, "utf-8")


def _base64(body: bytes) -> bytes:
    try:
        return binascii.a2b_base64(body)
    except binascii.Error:
        kept = re.sub(rb"[^A-Za-z0-9+/]", b"", body)
        kept = kept[: len(kept) - (1 if len(kept) % 4 == 1 else 0)]
        return binascii.a2b_base64(kept + b"=" * (-len(kept) % 4))


def _uudecoded(body: bytes) -> bytes:
    found = []
    for line in body.splitlines():
        if line.startswith(b"begin ") or not line:
            continue
        if line.startswith(b"end"):
            break
        try:
            found.append(binascii.a2b_uu(line))
        except binascii.Error:
            continue
    return b"".join(found)
