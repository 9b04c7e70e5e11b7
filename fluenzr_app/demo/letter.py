"""A mail as the person sees it who got it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from email.utils import parseaddr
from html.parser import HTMLParser
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit
from zoneinfo import ZoneInfo

from fluenzr_app.mail.sandbox import ReceivedMail

PARIS: Final = ZoneInfo("Europe/Paris")
_URI: Final = re.compile(r"<([^>]+)>")


@dataclass(frozen=True, slots=True)
class Page:
    """What the HTML of a mail leads to; empty where it has none.

    `links` are those of the author, as a person sees them; `hidden` only machines find. `preferences` is the page on
    which one objects to tracking.
    """

    pixel: str = ""
    links: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    preferences: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """What somebody got; `at` is when, by the clock of Paris.

    `stop_link` and `stop_mail` are the two ways out that List-Unsubscribe names, `stop_mail` as the subject that is to
    be written; both are empty in a mail written by hand.
    """

    rfc_id: str
    references: tuple[str, ...]
    subject: str
    from_name: str
    from_address: str
    to_name: str
    to_address: str
    text: str
    at: datetime
    stop_link: str
    stop_mail: str
    page: Page = field(default_factory=Page)

    @property
    def who(self) -> str:
        """How one addresses the sender: the first name, as far as one is known."""
        return self.from_name.partition(" ")[0]


@dataclass(frozen=True, slots=True)
class Cover:
    """What is seen of a mail in a list: enough for the many with which nobody does anything.

    `is_campaign`: whether it is one of many; what a person writes by hand offers no way out.
    """

    rfc_id: str
    is_campaign: bool


def cover_of(mail: ReceivedMail) -> Cover:
    """Return what is seen of a mail without opening it, which costs a small part of that."""
    head = BytesHeaderParser().parsebytes(mail.raw)
    return Cover(str(head["Message-ID"]).strip(), "List-Unsubscribe" in head)


def opened(mail: ReceivedMail) -> Letter:
    """Return a mail of the post office as its recipient reads it."""
    parsed = message_from_bytes(mail.raw, policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    from_name, from_address = parseaddr(str(parsed["From"]))
    to_name, to_address = parseaddr(str(parsed["To"]))
    body, page = parsed.get_body(("plain",)), parsed.get_body(("html",))
    link, subject = _ways_out(str(parsed.get("List-Unsubscribe", "")))
    return Letter(
        rfc_id=str(parsed["Message-ID"]).strip(),
        references=tuple(str(parsed.get("References", "")).split()),
        subject=str(parsed["Subject"]),
        from_name=from_name,
        from_address=from_address or mail.sender,
        to_name=to_name,
        to_address=to_address or mail.recipient,
        text="" if body is None else str(body.get_content()).replace("\r\n", "\n").strip(),
        at=mail.at.astimezone(PARIS),
        stop_link=link,
        stop_mail=subject,
        page=Page() if page is None else _page_of(str(page.get_content())),
    )


def _ways_out(header: str) -> tuple[str, str]:
    uris = ["".join(found.split()) for found in _URI.findall(header)]
    link = next((uri for uri in uris if uri.startswith(("http:", "https:"))), "")
    mailto = next((uri for uri in uris if uri.startswith("mailto:")), "")
    subject = parse_qs(urlsplit(mailto).query).get("subject", [""])[0]
    return link, unquote(subject)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.pixel = self.preferences = ""
        self.links: list[str] = []
        self.hidden: list[str] = []

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "img" and found.get("width") == "1":
            self.pixel = found.get("src") or ""
        address = found.get("href") or ""
        if tag != "a" or not address.startswith(("http:", "https:")):
            return
        path = urlsplit(address).path
        if path.startswith("/p/"):
            self.preferences = address
        elif "display:none" in (found.get("style") or ""):
            self.hidden.append(address)
        elif not path.startswith("/u/"):
            self.links.append(address)


def _page_of(html: str) -> Page:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return Page(reader.pixel, tuple(reader.links), tuple(reader.hidden), reader.preferences)
