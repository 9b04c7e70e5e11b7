"""Mails as people's programs make them: what they quote and how, what they put into headers, what they add."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr
from html import escape
from typing import Final, Literal

from fluenzr_app.demo.letter import Letter
from fluenzr_app.demo.wording import in_words, with_weekday
from fluenzr_app.mail.compose import reply_subject

Program = Literal["gmail", "outlook", "apple", "iphone", "thunderbird"]
_PROGRAMS: Final[tuple[Program, ...]] = ("gmail", "outlook", "apple", "iphone", "thunderbird")
_SHARES: Final = (34, 36, 10, 16, 4)


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes: a name, an address, and the program it is done with."""

    name: str
    address: str
    program: Program

    @property
    def domain(self) -> str:
        """The domain of the address."""
        return self.address.rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class Attached:
    """A file of plain text that goes along."""

    filename: str
    text: str


def program_of(rng: random.Random) -> Program:
    """Return a program, the usual ones more often."""
    return rng.choices(_PROGRAMS, _SHARES)[0]


def answer(
    writer: Writer, letter: Letter, text: str, at: datetime, rng: random.Random, attached: Attached | None = None
) -> bytes:
    """Return an answer to `letter` written at `at` (aware, in the writer's zone), with the letter quoted under it."""
    mail = _begun(writer, letter, at, rng)
    signed = f"{text}\n{writer.name}" if text.endswith(",") else text
    plain, page = _QUOTED[writer.program](signed, letter)
    mail.set_content(plain)
    mail.add_alternative(page, subtype="html")
    if attached is not None:
        mail.add_attachment(attached.text, subtype="csv", filename=attached.filename)
    return mail.as_bytes()


def notice(writer: Writer, letter: Letter, subject: str, text: str, at: datetime, rng: random.Random) -> bytes:
    """Return what a program sends by itself while its owner is away (RFC 3834), by the customs of that program."""
    mail = _begun(writer, letter, at, rng)
    mail.replace_header("Subject", subject)
    mail["Auto-Submitted"] = "auto-replied"
    if writer.program == "outlook":
        mail["X-Auto-Response-Suppress"] = "All"
    else:
        mail["Precedence"] = "bulk"
        mail["X-Autoreply"] = "yes"
    mail.set_content(text)
    return mail.as_bytes()


def request_to_stop(writer: Writer, letter: Letter, subject: str, at: datetime, rng: random.Random) -> bytes:
    """Return the mail that a program sends to the address of List-Unsubscribe when its owner presses the button."""
    mail = _begun(writer, letter, at, rng)
    mail.replace_header("Subject", subject)
    del mail["In-Reply-To"]
    del mail["References"]
    mail.set_content("")
    return mail.as_bytes()


def _begun(writer: Writer, letter: Letter, at: datetime, rng: random.Random) -> EmailMessage:
    mail = EmailMessage(policy=SMTP)
    mail["From"] = formataddr((writer.name, writer.address))
    mail["To"] = formataddr((letter.from_name, letter.from_address))
    answered = reply_subject(letter.subject)
    # Outlook writes it in capitals in French.
    mail["Subject"] = f"RE: {answered.removeprefix('Re: ')}" if writer.program == "outlook" else answered
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = _message_id(writer, rng)
    mail["In-Reply-To"] = letter.rfc_id
    mail["References"] = " ".join((*letter.references, letter.rfc_id))
    if writer.program == "thunderbird":
        mail["User-Agent"] = "Mozilla Thunderbird"
    elif writer.program in ("apple", "iphone"):
        mail["X-Mailer"] = "Apple Mail" if writer.program == "apple" else "iPhone Mail"
    elif writer.program == "outlook":
        mail["Thread-Topic"] = letter.subject
    return mail


def _message_id(writer: Writer, rng: random.Random) -> str:
    bits = rng.getrandbits(128)
    if writer.program == "gmail":
        return f"<CA+{bits:032x}@mail.gmail.example>"
    if writer.program == "outlook":
        return f"<{bits:032X}@{writer.domain.partition('.')[0].upper()}.prod.outlook.example>"
    return f"<{str(uuid.UUID(int=bits)).upper()}@{writer.domain}>"


def _gmail(text: str, letter: Letter) -> tuple[str, str]:
    at = letter.at
    led = f"Le {with_weekday(at.date(), short=True)} à {at:%H:%M}, {letter.from_name} <{letter.from_address}> a écrit :"
    page = (
        f'<div dir="ltr">{_page(text)}</div><br><div class="gmail_quote gmail_quote_container">'
        f'<div dir="ltr" class="gmail_attr">{escape(led)}<br></div>'
        '<blockquote class="gmail_quote" style="margin:0 0 0 .8ex;border-left:1px solid #ccc;padding-left:1ex">'
        f"{_page(letter.text)}</blockquote></div>"
    )
    return f"{text}\n\n{led}\n\n{_marked(letter.text)}\n", page


def _outlook(text: str, letter: Letter) -> tuple[str, str]:
    at = letter.at
    head = (
        ("De", f"{letter.from_name} <{letter.from_address}>"),
        ("Envoyé", f"{with_weekday(at.date())} {at:%H:%M}"),
        ("À", f"{letter.to_name} <{letter.to_address}>" if letter.to_name else letter.to_address),
        ("Objet", letter.subject),
    )
    plain = "\n".join(f"{name} : {value}" for name, value in head)
    marked = "<br>".join(f"<b>{name} :</b> {escape(value)}" for name, value in head)
    page = (
        f'<div class="WordSection1"><p class="MsoNormal">{_page(text)}</p>'
        '<div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm">'
        f'<p class="MsoNormal">{marked}</p></div><p class="MsoNormal">{_page(letter.text)}</p></div>'
    )
    return f"{text}\n\n\n{plain}\n\n{letter.text}\n", page


def _apple(text: str, letter: Letter) -> tuple[str, str]:
    at = letter.at
    led = f"Le {in_words(at.date())} à {at:%H:%M}, {letter.from_name} <{letter.from_address}> a écrit :"
    page = (
        f'<div>{_page(text)}</div><div><br><blockquote type="cite"><div>{escape(led)}</div><br>'
        f"<div>{_page(letter.text)}</div></blockquote></div>"
    )
    return f"{text}\n\n> {led}\n> \n{_marked(letter.text)}\n", page


def _iphone(text: str, letter: Letter) -> tuple[str, str]:
    return _apple(f"{text}\n\nEnvoyé de mon iPhone", letter)


def _thunderbird(text: str, letter: Letter) -> tuple[str, str]:
    at = letter.at
    led = f"Le {at:%d/%m/%Y} à {at:%H:%M}, {letter.from_name} a écrit :"
    page = (
        f'<p>{_page(text)}</p><div class="moz-cite-prefix">{escape(led)}<br></div>'
        f'<blockquote type="cite" cite="mid:{escape(letter.rfc_id.strip("<>"))}">{_page(letter.text)}</blockquote>'
    )
    return f"{text}\n\n{led}\n{_marked(letter.text)}\n", page


_QUOTED: Final = {
    "gmail": _gmail, "outlook": _outlook, "apple": _apple, "iphone": _iphone, "thunderbird": _thunderbird,
}  # fmt: skip


def _page(text: str) -> str:
    return "<br>\n".join(escape(line) for line in text.splitlines())


def _marked(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())
