"""One mail from its draft to the bytes that go over the wire (RFC 5322, 2045, 8058).

The bytes are assembled by hand: building the same mail with the email package takes three times as long,
and composing is the bottleneck of sending. The same draft always gives the same bytes, so that every retry
of a message is the same message.
"""

from __future__ import annotations

import re
from binascii import b2a_base64, b2a_qp
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from hashlib import blake2b

from fluenzr_app.mail import headers
from fluenzr_app.mail.addresses import domain_of, wire_address
from fluenzr_app.mail.errors import BadHeader, NotComposable

_NEWLINES = re.compile(r"\r\n|\r|\n")
_TOKEN = re.compile(r"[A-Za-z0-9._-]{1,128}").fullmatch
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}").fullmatch
_REPLY_PREFIX = re.compile(r"\s*(?:re|ré|rép|aw|sv|antw)\s*(?:\[\d+\])?\s*:\s*", re.IGNORECASE)
# A thread may have hundreds of mails; some servers refuse headers of more than a few dozen kilobytes.
_MAX_REFERENCES = 50
_RESERVED_HEADERS = frozenset({
    "from", "sender", "to", "cc", "bcc", "reply-to", "subject", "date", "message-id", "in-reply-to", "references",
    "mime-version", "content-type", "content-transfer-encoding", "list-unsubscribe", "list-unsubscribe-post",
    "return-path", "received", "dkim-signature",
})  # fmt: skip
_HTML_HEAD = b'Content-Type: text/html; charset="utf-8"\r\nContent-Transfer-Encoding: '
_TEXT_HEAD = b'Content-Type: text/plain; charset="utf-8"\r\nContent-Transfer-Encoding: '


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """A file that goes with a mail. `content_type`: such as `application/pdf`; anything crooked goes as octets."""

    filename: str
    content_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Everything that one mail to one person says. Absent parts are None, never empty strings.

    `rfc_id`: its Message-ID with angle brackets, fixed before the first attempt. `date`: aware.
    `references`: Message-IDs of the thread, oldest first. `unsubscribe_url`: https for one-click (RFC 8058).
    `unsubscribe_mailto`: an address, or a whole `mailto:` URI. `extra`: further headers as (name, value).
    """

    rfc_id: str
    sender_address: str
    to_address: str
    subject: str
    text: str
    date: datetime
    sender_name: str = ""
    to_name: str = ""
    html: str | None = None
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    reply_to: str | None = None
    unsubscribe_url: str | None = None
    unsubscribe_mailto: str | None = None
    extra: tuple[tuple[str, str], ...] = ()
    attachments: tuple[AttachedFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Composed:
    """A mail ready for a transport. `raw` ends each line with CRLF and is not dot-stuffed.

    `smtputf8`: an address has a local part outside ASCII, so that only a server with RFC 6531 can take it.
    """

    raw: bytes = field(repr=False)
    envelope_from: str
    envelope_to: str
    smtputf8: bool = False


def compose(draft: Draft) -> Composed:
    """The mail as bytes, with the envelope it belongs in.

    Raises BadAddress for an address, BadHeader for a value that would break out of its line, NotComposable
    for a naive date.
    """
    if draft.date.tzinfo is None:
        raise NotComposable("The date of a mail needs a time zone.")
    sender, to = wire_address(draft.sender_address), wire_address(draft.to_address)
    head = [
        headers.mailbox("From", draft.sender_name, sender),
        headers.mailbox("To", draft.to_name, to),
        headers.unstructured("Subject", draft.subject),
        f"Date: {format_datetime(draft.date)}\r\n",
        headers.own_message_id(draft.rfc_id),
    ]
    if draft.reply_to:
        head.append(headers.mailbox("Reply-To", "", wire_address(draft.reply_to)))
    if draft.in_reply_to:
        head.append(headers.message_ids("In-Reply-To", (draft.in_reply_to,)))
    if draft.references:
        head.append(headers.message_ids("References", _bounded(draft.references)))
    if draft.unsubscribe_url or draft.unsubscribe_mailto:
        head.append(_list_unsubscribe(draft.unsubscribe_url, draft.unsubscribe_mailto))
    head.extend(_extra(name, value) for name, value in draft.extra)
    head.append("MIME-Version: 1.0\r\n")
    raw = "".join(head).encode() + (_with_files(draft) if draft.attachments else _body(draft))
    return Composed(raw, sender.address, to.address, sender.smtputf8 or to.smtputf8)


def new_rfc_id(domain: str, token: str) -> str:
    """`<token@domain>`: a Message-ID (RFC 5322, 3.6.4). `token` is unique, of letters, digits, `.`, `_`, `-`.

    Raises BadHeader for another token, BadAddress for a domain that is none.
    """
    if not _TOKEN(token):
        raise BadHeader("A Message-ID is made of letters, digits, dots, dashes and underscores.")
    return f"<{token}@{domain_of('x@' + domain)}>"


def reply_subject(subject: str) -> str:
    """`Re: ` before the subject, exactly once, whatever answering prefixes stood there (`RE :`, `AW:`, `Re[2]:`).

    Forwarding prefixes (`TR :`, `Fwd:`) are part of what is answered and stay.
    """
    rest = " ".join(subject.split())
    while (found := _REPLY_PREFIX.match(rest)) is not None:
        rest = rest[found.end() :]
    return f"Re: {rest}".rstrip()


def _bounded(references: tuple[str, ...]) -> tuple[str, ...]:
    # RFC 5322, 3.6.4: the first id names the thread, the last ones its present end.
    if len(references) <= _MAX_REFERENCES:
        return references
    return (references[0], *references[-(_MAX_REFERENCES - 1) :])


def _list_unsubscribe(url: str | None, mailto: str | None) -> str:
    found = [url] if url else []
    if mailto:
        found.append(mailto if mailto.lower().startswith("mailto:") else f"mailto:{mailto}")
    lines = headers.uris("List-Unsubscribe", found)
    # RFC 8058, 3.1: one-click is promised only with an https address.
    if url and url.lower().startswith("https://"):
        lines += "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    return lines


def _extra(name: str, value: str) -> str:
    if headers.header_name(name).lower() in _RESERVED_HEADERS:
        raise BadHeader(f"The header {name} is written by the composer itself.")
    return headers.unstructured(name, value)


def _body(draft: Draft) -> bytes:
    text = _TEXT_HEAD + _encoded(draft.text)
    if draft.html is None:
        return text
    boundary = _boundary(draft.rfc_id)
    return b"".join(
        (
            b'Content-Type: multipart/alternative;\r\n boundary="', boundary, b'"\r\n\r\n--', boundary, b"\r\n",
            text, b"\r\n--", boundary, b"\r\n",
            _HTML_HEAD, _encoded(draft.html), b"\r\n--", boundary, b"--\r\n",
        )
    )  # fmt: skip


def _with_files(draft: Draft) -> bytes:
    boundary = _boundary(f"files of {draft.rfc_id}")
    parts = [b'Content-Type: multipart/mixed;\r\n boundary="' + boundary + b'"\r\n']
    for part in (_body(draft), *map(_file, draft.attachments)):
        parts += [b"\r\n--", boundary, b"\r\n", part]
    return b"".join([*parts, b"\r\n--", boundary, b"--\r\n"])


def _file(attached: AttachedFile) -> bytes:
    kind = attached.content_type.lower()
    # A whole message or a part with parts of its own may not be encoded (RFC 2045, 6.4).
    if not _MEDIA_TYPE(kind) or kind.startswith(("message/", "multipart/")):
        kind = "application/octet-stream"
    encoded = b2a_base64(attached.content, newline=False)
    lines = [encoded[at : at + 76] for at in range(0, len(encoded), 76)]
    head = (
        f"Content-Type: {kind}\r\n"
        f"Content-Disposition: attachment;\r\n {headers.parameter('filename', attached.filename)}\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\n"
    )
    return head.encode() + b"\r\n".join(lines) + b"\r\n"


def _boundary(seed: str) -> bytes:
    # "=_" appears in neither quoted-printable nor base64 (RFC 2045, 6.7), so no body can hold the boundary.
    return b"=_" + blake2b(seed.encode("utf-8", "replace"), digest_size=15).hexdigest().encode()


def _encoded(body: str) -> bytes:
    """The transfer encoding's name, an empty line and the body under it, ending in CRLF."""
    octets = _NEWLINES.sub("\r\n", body).encode("utf-8", "replace")
    if not octets.endswith(b"\r\n"):
        octets += b"\r\n"
    # Text that is mostly outside ASCII trebles in quoted-printable.
    if not body.isascii() and sum(map((0x80).__le__, octets)) * 3 > len(octets):
        encoded = b2a_base64(octets, newline=False)
        lines = [encoded[at : at + 76] for at in range(0, len(encoded), 76)]
        return b"base64\r\n\r\n" + b"\r\n".join(lines) + b"\r\n"
    printable = b2a_qp(octets, quotetabs=False, istext=True, header=False)
    return b"quoted-printable\r\n\r\n" + printable
