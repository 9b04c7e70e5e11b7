"""Mails as the programs of the world write them, built by code: what the table of incoming mails is made of."""

import base64
import quopri
from collections.abc import Iterable
from dataclasses import dataclass
from email.header import Header


@dataclass(frozen=True)
class Context:
    """Our own mail that the incoming ones answer, and the two people of the correspondence."""

    rfc_id: str = "<c1.abc@mail.fluenzr.example>"
    our_address: str = "ada@fluenzr.example"
    our_name: str = "Ada Rey"
    contact_address: str = "zoe.martin@acme.example"
    contact_name: str = "Zoé Martin"
    subject: str = "Une question sur vos achats"
    text: str = "Bonjour Zoé,\n\nqui s’occupe des achats chez Acme ?\n\nBien à vous\nAda"
    html: str = "<p>Bonjour Zoé,</p><p>qui s’occupe des achats chez Acme ?</p><p>Bien à vous<br>Ada</p>"

    unsubscribe_subject: str = "unsubscribe TOKEN"

    @property
    def quoted(self) -> str:
        """Our text as plain text quotes it."""
        return "\n".join(f"> {line}".rstrip() for line in self.text.split("\n"))


def headed(
    c: Context,
    body: bytes,
    *,
    subject: str | None = None,
    content: str = 'text/plain; charset="utf-8"',
    encoding: str = "",
    threaded: bool = True,
    sender: str | None = None,
    to: str | None = None,
    extra: Iterable[tuple[str, str]] = (),
    name: str = "x1",
) -> bytes:
    """A whole mail from the contact in answer to ours, unless said otherwise."""
    encoded = Header(c.contact_name, "utf-8").encode()
    lines = [
        "Return-Path: <" + c.contact_address + ">",
        "Received: from mx.acme.example by mx.fluenzr.example; Tue, 24 Nov 2026 10:00:02 +0100",
        f"From: {sender or f'{encoded} <{c.contact_address}>'}",
        f"To: {to or f'{c.our_name} <{c.our_address}>'}",
        "Subject: " + Header(f"Re: {c.subject}" if subject is None else subject, "utf-8", maxlinelen=70).encode(),
        "Date: Tue, 24 Nov 2026 10:00:00 +0100",
        f"Message-ID: <{name}@acme.example>",
        *([f"In-Reply-To: {c.rfc_id}", f"References: {c.rfc_id}"] if threaded else []),
        *(f"{key}: {value}" for key, value in extra),
        "MIME-Version: 1.0",
        f"Content-Type: {content}",
        *([f"Content-Transfer-Encoding: {encoding}"] if encoding else []),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def plain(c: Context, text: str, *, charset: str = "utf-8", encoding: str = "8bit", **rest: object) -> bytes:
    """A mail of plain text alone."""
    octets = text.replace("\n", "\r\n").encode(charset)
    if encoding == "base64":
        octets = base64.encodebytes(octets)
    elif encoding == "quoted-printable":
        octets = quopri.encodestring(octets)
    return headed(c, octets, content=f'text/plain; charset="{charset}"', encoding=encoding, **rest)  # type: ignore[arg-type]


def html_only(c: Context, page: str, **rest: object) -> bytes:
    """A mail of HTML alone, quoted-printable."""
    octets = quopri.encodestring(page.encode())
    return headed(c, octets, content='text/html; charset="utf-8"', encoding="quoted-printable", **rest)  # type: ignore[arg-type]


def both(c: Context, text: str, page: str, **rest: object) -> bytes:
    """A mail with the two alternatives."""
    body = multipart("alt", (part('text/plain; charset="utf-8"', text), part('text/html; charset="utf-8"', page)))
    return headed(c, body, content='multipart/alternative; boundary="alt"', **rest)  # type: ignore[arg-type]


def part(content: str, body: str | bytes, *, extra: Iterable[tuple[str, str]] = ()) -> bytes:
    """One part; what is not ASCII text goes as base64."""
    octets = body.encode() if isinstance(body, str) else body
    head = "".join(f"{key}: {value}\r\n" for key, value in extra)
    if isinstance(body, str) and content.startswith(("message/", "text/rfc822")):
        return f"Content-Type: {content}\r\n{head}\r\n".encode() + octets.replace(b"\n", b"\r\n")
    encoded = base64.encodebytes(octets).replace(b"\n", b"\r\n")
    return f"Content-Type: {content}\r\n{head}Content-Transfer-Encoding: base64\r\n\r\n".encode() + encoded


def multipart(boundary: str, parts: Iterable[bytes]) -> bytes:
    """Parts between their boundaries."""
    mark = boundary.encode()
    return b"".join(b"--" + mark + b"\r\n" + one + b"\r\n" for one in parts) + b"--" + mark + b"--\r\n"


def returned(c: Context) -> str:
    """The headers of our mail as a report brings them back."""
    return (
        f"From: {c.our_name} <{c.our_address}>\nTo: {c.contact_address}\n"
        f"Subject: {Header(c.subject, 'utf-8').encode()}\n"
        f"Message-ID: {c.rfc_id}\nDate: Tue, 24 Nov 2026 09:00:00 +0100\n\n"
    )


def report(c: Context, action: str, status: str, words: str, *, recipient: str | None = None) -> bytes:
    """A delivery report (RFC 3464) by our own server."""
    recipient = recipient or c.contact_address
    machine = (
        "Reporting-MTA: dns; mx.fluenzr.example\nArrival-Date: Tue, 24 Nov 2026 09:00:01 +0100\n\n"
        f"Final-Recipient: rfc822; {recipient}\nAction: {action}\nStatus: {status}\n"
        f"Diagnostic-Code: smtp; 550 {status} {words}\n"
    )
    body = multipart(
        "rep",
        (
            part("text/plain; charset=utf-8", f"I could not deliver to {recipient}: {words}\n"),
            part("message/delivery-status", machine),
            part("text/rfc822-headers", returned(c)),
        ),
    )
    return headed(
        c, body, subject="Undelivered Mail Returned to Sender", sender="MAILER-DAEMON@mx.fluenzr.example",
        content='multipart/report; report-type=delivery-status; boundary="rep"', threaded=False,
        extra=[("Auto-Submitted", "auto-replied")], name="dsn",
    )  # fmt: skip


def feedback(c: Context, kind: str, fields: str, *, sender: str = "feedback@arf.provider.example") -> bytes:
    """A report of abuse (RFC 5965)."""
    body = multipart(
        "arf",
        (
            part("text/plain; charset=utf-8", "This is an email abuse report.\n"),
            part("message/feedback-report", f"Feedback-Type: {kind}\nUser-Agent: Provider/1.0\nVersion: 1\n{fields}"),
            part("message/rfc822", returned(c) + "Bonjour\n"),
        ),
    )
    return headed(
        c, body, subject="Abuse report", sender=sender, threaded=False, name="arf",
        content='multipart/report; report-type=feedback-report; boundary="arf"',
    )  # fmt: skip


def calendar(c: Context, answer: str, subject: str, text: str = "") -> bytes:
    """The answer of a calendar to an invitation."""
    event = (
        "BEGIN:VCALENDAR\nMETHOD:REPLY\nVERSION:2.0\nBEGIN:VEVENT\nUID:e1@fluenzr.example\n"
        f"ATTENDEE;PARTSTAT={answer}:mailto:{c.contact_address}\nEND:VEVENT\nEND:VCALENDAR\n"
    )
    body = multipart(
        "cal", (part("text/plain; charset=utf-8", text), part("text/calendar; method=REPLY; charset=utf-8", event))
    )
    return headed(c, body, subject=subject, content='multipart/alternative; boundary="cal"', name="cal")
