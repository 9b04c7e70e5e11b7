"""An incoming mail, read from whatever bytes arrive: who wrote, in answer to what, its words, its attachments."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import getaddresses, parsedate_to_datetime
from enum import StrEnum

from fluenzr_app.mail.addresses import email_key
from fluenzr_app.mail.bodies import text_to_html
from fluenzr_app.mail.errors import AttachmentMissing
from fluenzr_app.mail.html_text import text_of_page
from fluenzr_app.mail.mime import Headers, Part, decode_header, first, octets, read_head, walk, words

TEXT_MAX = 500_000
HTML_MAX = 4_000_000
SUBJECT_MAX = 998
_PEOPLE_MAX = 200
_IDS_MAX = 200
_ATTACHMENTS_MAX = 500
_FILENAME_MAX = 150

_MESSAGE_ID = re.compile(r"<([^<>\s\x00-\x1f\x7f]{1,900})>")
_BARE_ID = re.compile(r"[^<>\s@\x00-\x1f\x7f]{1,400}@[^<>\s@\x00-\x1f\x7f]{1,400}").fullmatch
_ONE_MAILBOX = re.compile(r"([^<>]*)<\s*([^<>\s]+@[^<>\s]+)\s*>\s*").fullmatch
_FORWARDS = re.compile(r"\s*(?:(?:re|aw|sv|antw|rép?)\s*:\s*)*(?:fwd?|tr|wg|rv|i|enc|doorst|vs|vb|pd)\s*:", re.I).match
_PGP_INLINE = re.compile(r"^-----BEGIN PGP MESSAGE-----$", re.MULTILINE).search
_FILE_FORBIDDEN = re.compile(r'[\\/:*?"<>|]')
_FLOW_QUOTE = re.compile(r"(>*)(.*)", re.DOTALL)


class Kind(StrEnum):
    """What a mail is besides words from one person to another."""

    ENCRYPTED = "encrypted"
    SIGNED = "signed"
    CALENDAR_INVITATION = "calendar_invitation"
    CALENDAR_ANSWER = "calendar_answer"
    FORWARDED = "forwarded"
    DELIVERY_REPORT = "delivery_report"
    READ_RECEIPT = "read_receipt"
    ABUSE_REPORT = "abuse_report"
    MAILING_LIST = "mailing_list"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody named in a header. `key`: the address as `addresses.email_key` has it, empty when it is none."""

    name: str
    address: str
    key: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file in a mail. `index` names it for `attachment_content`; `size` is in octets, decoded.

    `filename` is never empty and can stand in a download: no path, no control or direction characters.
    `content_id` is without brackets. `inline`: shown inside the HTML rather than beside it.
    """

    index: int
    filename: str
    content_type: str
    size: int
    content_id: str
    inline: bool


@dataclass(frozen=True, slots=True)
class IncomingMail:
    """A mail somebody sent. Absent texts are empty, absent dates and people None.

    `rfc_id`, `in_reply_to`, `references`: Message-IDs with their angle brackets. `date`: UTC, as the sender's
    clock says. `text`: plain words to show, made from the HTML where nothing plain was sent. `html`: as sent,
    not sanitised. `size`: of the whole mail in octets. `truncated`: the mail is longer than what was read.
    """

    rfc_id: str
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    sender: Person
    reply_to: Person | None
    to: tuple[Person, ...]
    cc: tuple[Person, ...]
    subject: str
    date: datetime | None
    text: str
    html: str
    attachments: tuple[Attachment, ...]
    size: int
    truncated: bool
    kinds: frozenset[Kind]
    content_type: str
    fields: Headers = field(repr=False)

    def header(self, name: str) -> str:
        """The first header of this name, decoded and on one line; empty when absent."""
        return next(iter(self.headers(name)), "")

    def headers(self, name: str) -> tuple[str, ...]:
        """All headers of this name in their order, decoded, each on one line."""
        wanted = name.lower()
        return tuple(_line(decode_header(value)) for key, value in self.fields if key == wanted)

    @property
    def is_encrypted(self) -> bool:
        """Whether the words can be read only by whoever has a key."""
        return Kind.ENCRYPTED in self.kinds

    @property
    def is_calendar_answer(self) -> bool:
        """Whether a calendar accepts or declines an invitation."""
        return Kind.CALENDAR_ANSWER in self.kinds

    @property
    def is_forwarded(self) -> bool:
        """Whether somebody passes on a mail of somebody else."""
        return Kind.FORWARDED in self.kinds


def parse(raw: bytes, *, whole_size: int | None = None) -> IncomingMail:
    """The mail in `raw`; whatever the bytes are, it raises nothing and takes well under a second.

    `whole_size`: the mail's size in octets where only its beginning was fetched.
    """
    parts = list(walk(raw))
    body_parts, attached = _sorted(parts)
    text, html = _body(raw, body_parts)
    return _mail(
        parts[0].headers,
        text=text,
        html=html,
        attachments=tuple(_attachment(raw, index, part) for index, part in enumerate(attached)),
        size=max(len(raw), whole_size or 0),
        truncated=whole_size is not None and whole_size > len(raw),
        kinds=frozenset(_kinds(parts, text)),
        content_type=parts[0].content_type,
    )


def parse_headers(raw: bytes) -> IncomingMail:
    """A mail of which only the headers were fetched: without words and attachments, its size that of the headers."""
    headers, _ = read_head(raw, 0, len(raw))
    part = next(walk(raw))
    kinds = frozenset(_kinds([part], ""))
    return _mail(
        headers, text="", html="", attachments=(), size=len(raw), truncated=True, kinds=kinds,
        content_type=part.content_type,
    )  # fmt: skip


def attachment_content(raw: bytes, index: int) -> tuple[Attachment, bytes]:
    """One attachment of the mail in `raw` with its content. Raises AttachmentMissing."""
    attached = _sorted(list(walk(raw)))[1]
    if not 0 <= index < len(attached):
        raise AttachmentMissing(index)
    return _attachment(raw, index, attached[index]), octets(raw, attached[index])


def _mail(
    fields: Headers,
    *,
    text: str,
    html: str,
    attachments: tuple[Attachment, ...],
    size: int,
    truncated: bool,
    kinds: frozenset[Kind],
    content_type: str,
) -> IncomingMail:
    subject = _line(decode_header(first(fields, "subject")))[:SUBJECT_MAX]
    senders = _people(fields, "from") or _people(fields, "sender")
    answers = _people(fields, "reply-to")
    return IncomingMail(
        rfc_id=next(iter(_ids(first(fields, "message-id"))), ""),
        in_reply_to=_ids(first(fields, "in-reply-to")),
        references=_ids(first(fields, "references")),
        sender=senders[0] if senders else Person("", "", ""),
        reply_to=answers[0] if answers else None,
        to=_people(fields, "to"),
        cc=_people(fields, "cc"),
        subject=subject,
        date=_date(first(fields, "date")),
        text=text,
        html=html,
        attachments=attachments,
        size=size,
        truncated=truncated,
        kinds=kinds | ({Kind.FORWARDED} if _FORWARDS(subject) else set()) | _list_kind(fields),
        content_type=content_type,
        fields=fields,
    )


def _list_kind(fields: Headers) -> set[Kind]:
    return {Kind.MAILING_LIST} if first(fields, "list-id") or first(fields, "list-post") else set()


def _line(value: str) -> str:
    """Text on one line, without characters that steer a terminal or turn the direction of reading."""
    if value.isascii() and value.isprintable():
        return " ".join(value.split())
    kept = "".join(" " if char in "\t\r\n" else char for char in value if char in "\t\r\n" or not _steers(char))
    return " ".join(kept.split())


def _steers(char: str) -> bool:
    # Joiners belong to words in several scripts.
    return unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") and char not in "\u200c\u200d"


def _ids(value: str) -> tuple[str, ...]:
    found = [f"<{rfc_id}>" for rfc_id in _MESSAGE_ID.findall(value)[:_IDS_MAX]]
    if not found:
        found = [f"<{word}>" for word in value.split()[:_IDS_MAX] if _BARE_ID(word)]
    return tuple(dict.fromkeys(found))


def _date(value: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(value[:100])
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found if 1990 <= found.year <= 2100 else None


def _people(fields: Headers, name: str) -> tuple[Person, ...]:
    people: list[Person] = []
    for value in (value for key, value in fields if key == name):
        people += _named(value)
        if len(people) >= _PEOPLE_MAX:
            break
    return tuple(people[:_PEOPLE_MAX])


def _named(value: str) -> Iterable[Person]:
    one = _ONE_MAILBOX(value)
    if one:
        # Names such as `Weiß, Anna` come without the quotes they need.
        return [_person(_unquoted(one[1]), one[2])]
    found = [_person(name, address) for name, address in _addresses(value) if "@" in address]
    if not found and "=?" in value:
        found = [_person(name, address) for name, address in _addresses(decode_header(value)) if "@" in address]
    return found


def _addresses(value: str) -> Sequence[tuple[str, str]]:
    try:
        return getaddresses([value[:32_768]])
    except (RecursionError, IndexError, ValueError):
        return [("", address) for address in _MESSAGE_ID.findall(value)[:_PEOPLE_MAX]]


def _unquoted(name: str) -> str:
    name = name.strip()
    if len(name) >= 2 and name[0] == name[-1] == '"':
        return re.sub(r"\\(.)", r"\1", name[1:-1])
    return name


def _person(name: str, address: str) -> Person:
    address = _line(decode_header(address)).strip("<>' ")[:320]
    try:
        key = email_key(address)
    except ValueError:
        key = ""
    shown = _line(decode_header(name)).strip("\"' ")[:200]
    return Person("" if shown == address else shown, address, key)


def _sorted(parts: list[Part]) -> tuple[list[Part], list[Part]]:
    """The parts that are the mail's own words, and those that are files."""
    bodies: list[Part] = []
    attached: list[Part] = []
    for part in parts:
        if part.content_type.startswith("multipart/"):
            if part.end > part.start and part is parts[-1]:
                # Nested deeper than is read: its bytes are kept as a file.
                attached.append(part)
        elif _is_body(part, first_of_all=not bodies):
            bodies.append(part)
        else:
            attached.append(part)
    return bodies, attached[:_ATTACHMENTS_MAX]


def _is_body(part: Part, *, first_of_all: bool) -> bool:
    if part.content_type not in ("text/plain", "text/html") or part.disposition == "attachment":
        return False
    if any(parent in ("multipart/report", "multipart/encrypted") for parent in part.parents) and not first_of_all:
        return False
    return first_of_all or not _written_name(part)


def _body(raw: bytes, parts: list[Part]) -> tuple[str, str]:
    """Plain text and HTML of the parts together; the HTML empty when none was sent."""
    units = list(_units(raw, parts))
    texts = [(plain if plain.strip() else text_of_page(html)).strip("\n") for plain, html in units]
    text = "\n\n".join(text for text in texts if text.strip())[:TEXT_MAX]
    if not any(html for _, html in units):
        return text, ""
    return text, "\n".join(html or text_to_html(plain) for plain, html in units)[:HTML_MAX]


def _units(raw: bytes, parts: list[Part]) -> Iterator[tuple[str, str]]:
    """Each piece of the body as (plain, HTML): the two forms of an alternative are one piece."""
    waiting: list[Part] = []
    left = 20
    for part in [*parts, None]:
        if waiting and (part is None or not _belongs(part, waiting)):
            yield _unit(raw, waiting)
            waiting = []
            left -= 1
        if part is None or not left:
            return
        waiting.append(part)


def _belongs(part: Part, waiting: list[Part]) -> bool:
    # In `alternative(plain, related(html, image))` the HTML stands one level below its plain form.
    return (
        "multipart/alternative" in part.parents
        and "multipart/alternative" in waiting[0].parents
        and part.content_type not in {one.content_type for one in waiting}
    )


def _unit(raw: bytes, parts: list[Part]) -> tuple[str, str]:
    plain = html = ""
    for part in parts:
        if part.content_type == "text/html":
            html = words(raw, part, HTML_MAX)
        else:
            plain = words(raw, part, TEXT_MAX * 2)
            if part.parameters.get("format", "").lower() == "flowed":
                plain = _unflowed(plain, delete_space=part.parameters.get("delsp", "").lower() == "yes")
    return plain, html


def _unflowed(text: str, *, delete_space: bool) -> str:
    """Paragraphs on one line each (RFC 3676)."""
    lines: list[str] = []
    flows = False
    depth_before = 0
    for line in text.split("\n"):
        found = _FLOW_QUOTE.fullmatch(line)
        marks, rest = (found[1], found[2]) if found else ("", line)
        rest = rest.removeprefix(" ")
        if flows and len(marks) == depth_before and rest != "-- ":
            lines[-1] = (lines[-1][:-1] if delete_space else lines[-1]) + rest
        else:
            lines.append(f"{marks} {rest}" if marks else rest)
        flows = rest.endswith(" ") and rest != "-- "
        depth_before = len(marks)
    return "\n".join(lines)


def _written_name(part: Part) -> str:
    return part.disposition_parameters.get("filename", "") or part.parameters.get("name", "")


def _attachment(raw: bytes, index: int, part: Part) -> Attachment:
    content_id = _line(part.header("content-id")).strip("<>")[:300]
    inline = part.disposition != "attachment" and bool(content_id) and part.content_type.startswith("image/")
    size = len(octets(raw, part))
    return Attachment(index, _file_name(part, index), part.content_type, size, content_id, inline)


def _file_name(part: Part, index: int) -> str:
    written = re.split(r"[\\/]", _written_name(part))[-1]
    name = _FILE_FORBIDDEN.sub("_", _line(written)).strip(". ")
    if len(name) > _FILENAME_MAX:
        stem, dot, ending = name.rpartition(".")
        name = (
            f"{stem[: _FILENAME_MAX - len(ending) - 1]}.{ending}" if dot and len(ending) <= 12 else name[:_FILENAME_MAX]
        )
    if name:
        return name
    kind = part.content_type
    if kind == "message/rfc822":
        subject = _line(decode_header(part.header("content-description")))
        return f"{_FILE_FORBIDDEN.sub('_', subject)[:80].strip('. ') or f'message-{index + 1}'}.eml"
    return f"attachment-{index + 1}{_ENDINGS.get(kind, '')}"


_ENDINGS = {
    "text/plain": ".txt", "text/html": ".html", "text/calendar": ".ics", "image/png": ".png", "image/jpeg": ".jpg",
    "image/gif": ".gif", "image/webp": ".webp", "application/pdf": ".pdf", "application/pgp-signature": ".asc",
    "application/pkcs7-signature": ".p7s", "application/pkcs7-mime": ".p7m", "text/vcard": ".vcf",
}  # fmt: skip


def _kinds(parts: list[Part], text: str) -> Iterator[Kind]:
    report = parts[0].parameters.get("report-type", "").lower() if parts[0].content_type == "multipart/report" else ""
    if report == "delivery-status":
        yield Kind.DELIVERY_REPORT
    if report == "disposition-notification":
        yield Kind.READ_RECEIPT
    if report == "feedback-report":
        yield Kind.ABUSE_REPORT
    for part in parts:
        match part.content_type:
            case "multipart/encrypted":
                yield Kind.ENCRYPTED
            case "multipart/signed":
                yield Kind.SIGNED
            case "application/pkcs7-mime" | "application/x-pkcs7-mime":
                yield Kind.SIGNED if part.parameters.get("smime-type", "").lower() == "signed-data" else Kind.ENCRYPTED
            case "text/calendar":
                answers = part.parameters.get("method", "").upper() in ("REPLY", "COUNTER")
                yield Kind.CALENDAR_ANSWER if answers else Kind.CALENDAR_INVITATION
    if _PGP_INLINE(text[:20_000]):
        yield Kind.ENCRYPTED
