"""Delivery reports as real servers make them: a user who is unknown, a mailbox that is full (RFC 3464)."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage, Message
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import SMTP, compat32
from email.utils import format_datetime
from typing import Final, Literal

from fluenzr_app.demo.letter import Letter

Server = Literal["postfix", "exchange", "gmail"]
_SERVERS: Final[tuple[Server, ...]] = ("postfix", "exchange", "gmail")
_SHARES: Final = (40, 40, 20)


@dataclass(frozen=True, slots=True)
class _Style:
    """How a server reports; `{to}` is the recipient, `{mx}` the server's name."""

    sender: str
    subject: str
    words: str
    gone: tuple[str, str]
    full: tuple[str, str]


_STYLES: Final = {
    "postfix": _Style(
        sender="Mail Delivery System <MAILER-DAEMON@{mx}>",
        subject="Undelivered Mail Returned to Sender",
        words="This is the mail system at host {mx}.\n\nYour message could not be delivered to one recipient."
        " It is attached below.\n\n<{to}>: host {mx} said: {said} (in reply to RCPT TO command)\n",
        gone=("5.1.1", "550 5.1.1 <{to}>: Recipient address rejected: User unknown in virtual mailbox table"),
        full=("4.2.2", "452 4.2.2 <{to}>: Mailbox full, quota exceeded"),
    ),
    "exchange": _Style(
        sender="Microsoft Outlook <postmaster@{mx}>",
        subject="Non remis\u00a0: {subject}",
        words="Votre message n’a pas pu être remis à {to}.\n\nInformations pour les administrateurs\u00a0:"
        "\nServeur de génération\u00a0: {mx}\n{to}\n{said}\n",
        gone=("5.1.10", "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient {to} not found by SMTP address lookup"),
        full=("5.2.2", ("554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException.MapiExceptionShutoff"
                       "QuotaExceeded; Failed to process message")),
    ),
    "gmail": _Style(
        sender="Mail Delivery Subsystem <mailer-daemon@{mx}>",
        subject="Delivery Status Notification (Failure)",
        words="** Message non distribué **\n\nVotre message à {to} n’a pas été distribué.\n\nRéponse du serveur distant"
        "\u00a0:\n{said}\n",
        gone=("5.1.1", "550-5.1.1 The email account that you tried to reach does not exist: {to}"),
        full=("5.2.2", "552-5.2.2 The email account that you tried to reach is over quota: {to}"),
    ),
}  # fmt: skip


def report(letter: Letter, kind: Literal["gone", "full"], at: datetime, rng: random.Random) -> bytes:
    """Return the report that a letter could not be delivered: for good (`gone`), or because a mailbox is full."""
    server = rng.choices(_SERVERS, _SHARES)[0]
    style = _STYLES[server]
    domain = letter.to_address.rpartition("@")[2]
    values = {"to": letter.to_address, "mx": f"mx.{domain}", "subject": letter.subject}
    status, said = style.gone if kind == "gone" else style.full
    said = said.format(**values)
    mail = MIMEMultipart("report", policy=SMTP)
    mail.set_param("report-type", "delivery-status")
    mail["From"] = style.sender.format(**values)
    mail["To"] = letter.from_address
    mail["Subject"] = style.subject.format(**values)
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = f"<{rng.getrandbits(96):024x}@mx.{domain}>"
    mail["Auto-Submitted"] = "auto-replied"
    if server == "gmail":
        mail["X-Failed-Recipients"] = letter.to_address
    mail.attach(MIMEText(style.words.format(said=said, **values), "plain", "utf-8"))
    mail.attach(_status_part(values, status, said))
    mail.attach(_returned(letter))
    return mail.as_bytes()


def _status_part(values: dict[str, str], status: str, said: str) -> Message:
    about_mail = Message(policy=compat32)
    about_mail["Reporting-MTA"] = f"dns; {values['mx']}"
    about_recipient = Message(policy=compat32)
    about_recipient["Final-Recipient"] = f"rfc822; {values['to']}"
    about_recipient["Action"] = "failed"
    about_recipient["Status"] = status
    about_recipient["Remote-MTA"] = f"dns; {values['mx']}"
    about_recipient["Diagnostic-Code"] = f"smtp; {said}"
    part = Message(policy=compat32)
    part["Content-Type"] = "message/delivery-status"
    part.set_payload([about_mail, about_recipient])
    return part


def _returned(letter: Letter) -> Message:
    """Return the headers of what came back."""
    part = EmailMessage(policy=SMTP)
    part["From"] = f"{letter.from_name} <{letter.from_address}>" if letter.from_name else letter.from_address
    part["To"] = letter.to_address
    part["Subject"] = letter.subject
    part["Message-ID"] = letter.rfc_id
    part["Date"] = format_datetime(letter.at)
    holder = Message(policy=compat32)
    holder["Content-Type"] = "text/rfc822-headers; charset=utf-8"
    holder.set_payload(part.as_bytes().decode("ascii").rstrip() + "\n")
    return holder
