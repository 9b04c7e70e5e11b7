"""Builds mails that report about delivery, with invented addresses."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import dedent

OURS = "anna@fluenzr.example"
JOE, EVE = "joe@client.example", "eve@client.example"
MESSAGE_ID = "<20260301.1@fluenzr.example>"

RETURNED = f"""\
Received: from mail.fluenzr.example ([192.0.2.7]) by mx.relay.example; Mon, 2 Mar 2026 09:00:01 +0100
Message-ID: {MESSAGE_ID}
Date: Mon, 2 Mar 2026 09:00:00 +0100
From: Anna <{OURS}>
To: {{to}}
Subject: A question about your catalogue
MIME-Version: 1.0

Hello, would you write to help@fluenzr.example or bob@other.example?
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """A mail with what it means: `expected` pairs of address and class, none for what is no bounce."""

    name: str
    family: str
    raw: bytes
    expected: tuple[tuple[str, str], ...]


def plain(
    body: str,
    *,
    sender: str = "Mail Delivery System <MAILER-DAEMON@mx.relay.example>",
    subject: str = "Undelivered Mail Returned to Sender",
    headers: str = "",
    returned_to: str = "",
    charset: str = "utf-8",
) -> bytes:
    """A report of one text part, the returned mail below its words when `returned_to` is given."""
    text = dedent(body).strip("\n") + "\n"
    if returned_to:
        text += "\n" + RETURNED.format(to=returned_to)
    head = (
        f"From: {sender}\nTo: {OURS}\nSubject: {subject}\n{headers}"
        f"Message-ID: <report.1@mx.relay.example>\nMIME-Version: 1.0\n"
        f"Content-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: 8bit\n\n"
    )
    return (head + text).encode(charset)


def report(
    fields: str,
    *,
    notice: str = "Your mail could not be delivered.",
    returned_to: str = "",
    subject: str = "Delivery Status Notification",
    sender: str = "postmaster@mx.relay.example",
    mta: str = "Reporting-MTA: dns; mx.relay.example\n\n",
    status_type: str = "message/delivery-status",
    report_type: str = "delivery-status",
) -> bytes:
    """A report in three parts (RFC 3462)."""
    returned = ""
    if returned_to:
        returned = f"--b1\nContent-Type: message/rfc822\n\n{RETURNED.format(to=returned_to)}\n"
    return (
        f"From: {sender}\nTo: {OURS}\nSubject: {subject}\nMessage-ID: <report.2@mx.relay.example>\n"
        f"MIME-Version: 1.0\nAuto-Submitted: auto-replied\n"
        f'Content-Type: multipart/report; report-type={report_type}; boundary="b1"\n\n'
        f"--b1\nContent-Type: text/plain; charset=utf-8\n\n{dedent(notice).strip()}\n\n"
        f"--b1\nContent-Type: {status_type}\n\n{mta}{dedent(fields).strip()}\n\n{returned}--b1--\n"
    ).encode()


def failed(address: str, status: str, diagnostic: str, action: str = "failed") -> str:
    """The fields of one recipient (RFC 3464)."""
    return (
        f"Final-Recipient: rfc822; {address}\nAction: {action}\nStatus: {status}\nDiagnostic-Code: smtp; {diagnostic}"
    )
