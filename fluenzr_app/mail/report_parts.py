"""What a mail about delivery is made of: words for people, fields for programs, the mail that came back.

Real reports break MIME in every way: fields in a text part, the returned mail behind a dashed line, a part
without a boundary. So the three are told apart by what they hold, and by their content type only first.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as BadBase64
from dataclasses import dataclass, field
from email import message_from_bytes
from email.header import decode_header
from email.message import Message

from fluenzr_app.mail.html_text import text_of_page

# What a report says stands before the mail it returns; the rest may be as large as any attachment.
_READ = 384 * 1024
_NOTICE = 48 * 1024
_RETURNED = 64 * 1024
# Each open boundary is looked for in every line.
_MOST_BOUNDARIES = 24
_DEEPEST = 6
# Codecs that no mail is written in, and that take quadratic time.
_NO_CHARSETS = frozenset({"punycode", "idna", "undefined", "unicode_escape", "raw_unicode_escape"})
_LONGEST_HEADER = 8_000
_MOST_HEADERS = 50
# Lines that look like where the returned mail begins; a hostile mail may be made of them.
_MOST_TRIES = 40

_STATUS_TYPES = frozenset({"message/delivery-status", "message/global-delivery-status", "text/delivery-status"})
_RETURNED_TYPES = frozenset({
    "text/rfc822-headers", "message/rfc822-headers", "message/global-headers", "text/rfc822", "message/rfc-822",
})  # fmt: skip
_MAIL_TYPES = frozenset({"message/rfc822", "message/global"})
_STATUS_FIELD = re.compile(r"^[ \t>]{0,8}(?:final|original)-recipient[ \t]{0,8}:", re.IGNORECASE | re.MULTILINE)

# Names that a mail's header has and a report's own words hardly ever.
_HEADER_LINE = re.compile(
    r"[ \t>|]{0,8}(received|return-path|message-id|mime-version|content-type|content-transfer-encoding|date|from|to"
    r"|subject|reply-to|cc|dkim-signature|x-[a-z0-9-]{1,40}|sender|delivered-to|in-reply-to|references"
    r"|list-[a-z]{1,20})"
    r"[ \t]{0,4}:",
    re.IGNORECASE,
)
_TELLING = frozenset({"received", "return-path", "message-id", "mime-version", "dkim-signature", "content-type"})
_RULER = re.compile(
    r"(?![^\n]{0,80}(?:transcript|session|detail|reason|error|fail|address|recipient|diagnos|attached))[ \t>]{0,8}(?:"
    r"(?:[-=*_#~+]{2,}|\.{3,}) ?[^\n]{0,60}(?:copy|original|unsent|returned|headers|returning|début|message text"
    r"|follows"
    r"|元のメッセージ|original-?nachricht|ursprüngliche|mensaje original|message d.origine|messaggio originale"
    r"|原始邮件|oorspronkelijk|mensagem original)[^\n]{0,60}"
    r"|(?:-{3,} ?)?(?:your )?(?:the )?(?:original|unsent|undelivered|returned) (?:message|mail)(?: headers?)?"
    r"(?: (?:follows|below|is attached|text|body|header))[^\n]{0,40}"
    r"|(?:message|mail|text|headers?) (?:headers? )?(?:follows|of (?:the )?(?:original|message))[^\n]{0,40}"
    r"|(?:your|the) (?:original )?message (?:reads|was|follows|began as follows|headers?)[^\n]{0,10}:?"
    r"|received message follows:?|begin message"
    r")[ \t-]{0,80}$",
    re.IGNORECASE,
)


@dataclass(slots=True)
class ReportParts:
    """`notice`: words for people; `status`: RFC 3464 fields; `returned`: header and text of the mail sent back."""

    head: Message
    report_type: str = ""
    notice: str = ""
    status: str = ""
    returned: str = ""
    has_status_part: bool = False
    _notices: list[str] = field(default_factory=list)

    def header(self, name: str) -> str:
        """The header's text, RFC 2047 words decoded; empty when there is none."""
        return next(iter(self.headers(name)), "")

    def headers(self, name: str) -> list[str]:
        """Every header of this name, read as `header` does."""
        wanted = name.lower()
        return [decoded(value) for each, value in self.head.raw_items() if str(each).lower() == wanted][:_MOST_HEADERS]


def decoded(value: object) -> str:
    """A header's raw value as text, folded lines joined; never raises."""
    if value is None:
        return ""
    text = _utf8(" ".join(str(value)[:_LONGEST_HEADER].split()))
    if "=?" not in text:
        return text
    try:
        pairs = decode_header(text)
    except Exception:
        return text
    return "".join(part if isinstance(part, str) else _as_text(part, charset or "") for part, charset in pairs)


def read_report(raw: bytes) -> ReportParts:
    """Reads the parts of what may be a report. Never raises; looks at the first 384 KiB alone."""
    head = _parse(raw)
    parts = ReportParts(head)
    try:
        _walk(head, parts, 0)
    except RecursionError:
        parts._notices.append(_as_text(raw[:_NOTICE], ""))
    text = "\n\n".join(parts._notices)[:_NOTICE]
    parts.notice, returned = split_returned(text)
    parts.returned = (parts.returned or returned)[:_RETURNED]
    if not parts.status and (_STATUS_FIELD.search(parts.notice) or _STATUS_FIELD.search(returned)):
        parts.status = text
    return parts


def split_returned(text: str) -> tuple[str, str]:
    """The report's own words, and what looks like the returned mail behind them (empty when nothing does)."""
    lines = text.split("\n")
    tries = 0
    for number, line in enumerate(lines):
        if not line or line.isspace():
            continue
        if tries > _MOST_TRIES:
            break
        if _RULER.match(line.rstrip("\r")) and number:
            rest = lines[number + 1 :]
            tries += 1
            if line.lstrip()[:2] in ("--", "==") and any("@" in each for each in lines[:number]):
                return "\n".join(lines[:number]), "\n".join(rest)
            # A line that only promises the mail in another part, or another heading of the report itself.
            if any(_header_names(rest[skipped : skipped + 14]) >= 2 for skipped in range(min(3, len(rest)))):
                return "\n".join(lines[:number]), "\n".join(rest)
        found = _HEADER_LINE.match(line)
        tries += found is not None
        if found and _begins_a_mail(lines[number : number + 40]):
            return "\n".join(lines[:number]), "\n".join(lines[number:])
    return text, ""


def _begins_a_mail(lines: list[str]) -> bool:
    names: set[str] = set()
    indented = lines[0][:1] in (" ", "\t")
    strange = 0
    for line in lines:
        found = _HEADER_LINE.match(line)
        if found:
            names.add(found[1].lower())
        elif not line.strip(" >\t\r"):
            break
        elif line[:1] not in " \t>":
            strange += 1
            if strange > 2:
                break
    # Indented, it may be the few lines by which some servers say which mail they mean.
    telling = _TELLING - {"message-id"} if indented else _TELLING
    return len(names) >= 3 and bool(names & telling)


def _header_names(lines: list[str]) -> int:
    return len({found[1].lower() for line in lines if (found := _HEADER_LINE.match(line))})


def _parse(raw: bytes) -> Message:
    data = raw[:_READ].lstrip(b"\r\n\t \0\xef\xbb\xbf")
    for number, found in enumerate(re.finditer(rb"boundary[ \t]*=", data, re.IGNORECASE)):
        if number == _MOST_BOUNDARIES:
            data = data[: found.start()]
            break
    try:
        return message_from_bytes(data)
    except Exception:
        bare = Message()
        bare.set_payload(_as_text(data[:_NOTICE], ""))
        return bare


def _walk(part: Message, parts: ReportParts, depth: int) -> None:
    kind = part.get_content_type().lower()
    payload = part.get_payload()
    if kind == "multipart/report" and not parts.report_type:
        parts.report_type = _report_type(part)
    if kind in _STATUS_TYPES:
        parts.has_status_part = True
        parts.status = f"{parts.status}\n\n{_status_text(part)}"[:_NOTICE]
    elif kind in _MAIL_TYPES:
        _take_mail(part, parts, depth)
    elif kind in _RETURNED_TYPES:
        if not parts.returned:
            parts.returned = _text_of(part)[:_RETURNED]
    elif isinstance(payload, list):
        # A list's digest may hold a report that went to somebody else.
        if depth < _DEEPEST and kind != "multipart/digest":
            _walk_children(kind, [each for each in payload if isinstance(each, Message)], parts, depth)
    elif kind.startswith(("text/", "multipart/")) or not depth:
        _take_text(kind, part, parts)


def _walk_children(kind: str, children: list[Message], parts: ReportParts, depth: int) -> None:
    plain = [child for child in children if child.get_content_type() == "text/plain" and _text_of(child).strip()]
    for child in children:
        if kind == "multipart/alternative" and plain and child.get_content_type() == "text/html":
            continue
        _walk(child, parts, depth + 1)


def _take_text(kind: str, part: Message, parts: ReportParts) -> None:
    text = _text_of(part)
    if kind == "text/html":
        text = _without_tags(text)
    if not text.strip():
        return
    if not parts.returned and parts._notices and _begins_a_mail(text.lstrip().split("\n")[:40]):
        # The returned header labelled as text.
        parts.returned = text[:_RETURNED]
        return
    if parts.has_status_part and parts.returned and parts._notices:
        # Behind fields and returned mail only footers follow.
        return
    parts._notices.append(text[:_NOTICE])


def _take_mail(part: Message, parts: ReportParts, depth: int) -> None:
    inner = _inner_mail(part)
    if inner is None:
        return
    wrapped = inner.get_content_type() == "multipart/report" and not parts.has_status_part
    if wrapped and depth < _DEEPEST and not _status_in("\n".join(parts._notices)):
        # A report handed on inside another mail.
        _walk(inner, parts, depth + 1)
        return
    if not parts.returned:
        header = "".join(f"{name}: {value}\n" for name, value in _raw_headers(inner))
        body = inner.get_payload()
        parts.returned = f"{header}\n{body if isinstance(body, str) else ''}"[:_RETURNED]


def _status_in(text: str) -> bool:
    return _STATUS_FIELD.search(text) is not None


def _inner_mail(part: Message) -> Message | None:
    payload = part.get_payload()
    if not isinstance(payload, list):
        return message_from_bytes(_text_of(part).encode("utf-8", "replace")) if isinstance(payload, str) else None
    inner = payload[0] if payload else None
    if not isinstance(inner, Message):
        return None
    if str(part.get("Content-Transfer-Encoding", "")).strip().lower() == "base64":
        body = inner.get_payload()
        data = _from_base64(body if isinstance(body, str) else "")
        return message_from_bytes(data) if data else inner
    return inner


def _status_text(part: Message) -> str:
    payload = part.get_payload()
    if not isinstance(payload, list):
        return _text_of(part)
    # Without a blank line below the part's own header, fields count as part of it.
    blocks = ["".join(f"{name}: {value}\n" for name, value in _raw_headers(part)).rstrip()]
    for block in payload:
        if not isinstance(block, Message):
            continue
        fields = "".join(f"{name}: {value}\n" for name, value in _raw_headers(block))
        body = block.get_payload()
        blocks.append(fields + (body if isinstance(body, str) else ""))
    text = "\n\n".join(blocks)
    if str(part.get("Content-Transfer-Encoding", "")).strip().lower() in ("base64", "quoted-printable"):
        data = _from_base64("".join(blocks[1:]))
        return _as_text(data, "") if data else text
    return text


def _raw_headers(mail: Message) -> list[tuple[str, str]]:
    # The raw values: the parser otherwise replaces what is not ASCII.
    return [(str(name), _utf8(str(value))) for name, value in mail.raw_items()]


def _utf8(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _report_type(part: Message) -> str:
    found = part.get_param("report-type", "")
    return str(found).strip().lower()


def _text_of(part: Message) -> str:
    try:
        data = part.get_payload(decode=True)
    except Exception:
        data = None
    if isinstance(data, bytes):
        return _as_text(data[: _READ // 2], str(part.get_content_charset("") or ""))
    payload = part.get_payload()
    return _utf8(payload) if isinstance(payload, str) else ""


def _as_text(data: bytes, charset: str) -> str:
    """The bytes by the charset they name, else UTF-8, else Windows-1252, which never fails here."""
    if charset.lower() in ("us-ascii", "ascii", "unknown-8bit", "unknown"):
        # Japanese hosts write ISO-2022-JP under any name; it is pure ASCII to other readers.
        charset = "iso-2022-jp" if b"\x1b$" in data else ""
    if charset.lower().replace("-", "_") in _NO_CHARSETS:
        charset = ""
    for each in (charset, "utf-8"):
        try:
            return _lines(data.decode(each)) if each else _refuse()
        except (LookupError, UnicodeError, ValueError):
            continue
    try:
        return _lines(data.decode(charset if _is_multibyte(charset) else "cp1252", "replace"))
    except LookupError:
        return _lines(data.decode("cp1252", "replace"))


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _is_multibyte(charset: str) -> bool:
    return charset.lower().startswith(("iso-2022", "shift", "euc", "gb", "big5", "ks_c", "windows-31j", "utf-8"))


def _refuse() -> str:
    raise LookupError


def _from_base64(text: str) -> bytes:
    try:
        return b64decode("".join(text.split()), validate=True)
    except (BadBase64, ValueError):
        return b""


def _without_tags(rich: str) -> str:
    try:
        return text_of_page(rich[:_NOTICE])
    except Exception:
        return re.sub(r"<[^<>]{0,2000}>", " ", rich[:_NOTICE])
