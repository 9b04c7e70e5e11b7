"""One click in a mail program unsubscribes at once, in whichever manner its provider sends it (RFC 8058, 3)."""

import socket
from dataclasses import dataclass

from sqlmodel import select

from fluenzr_app.contacts.models import Contact, Suppression
from fluenzr_app.events.models import Event
from fluenzr_app.tracking import unsubscribe
from fluenzr_app.tracking.unsubscribe import UnsubscribeLink
from tests.people import make_contact

FORM = "Content-Type: application/x-www-form-urlencoded"
SAID = "List-Unsubscribe=One-Click"
MULTIPART = '--b0undary\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b0undary--\r\n'


@dataclass(frozen=True)
class Manner:
    """How a program asks: its header lines, its body, and the version of HTTP it speaks."""

    name: str
    lines: tuple[str, ...]
    body: str = SAID
    version: str = "1.1"
    chunked: bool = False
    query: str = ""

    def request(self, path: str) -> bytes:
        if self.chunked:
            length, body = "Transfer-Encoding: chunked", f"{len(self.body):x}\r\n{self.body}\r\n0\r\n\r\n"
        else:
            length, body = f"Content-Length: {len(self.body)}", self.body
        head = (f"POST {path}{self.query} HTTP/{self.version}", "Host: go.rivage.example", *self.lines, length)
        return ("\r\n".join((*head, "Connection: close", "", "")) + body).encode()


# None sends a cookie, an Origin or a Referer (RFC 8058, 3.1: no context of a browser).
MANNERS = (
    Manner("google", (FORM, "User-Agent: Mozilla/5.0 (compatible; Gmail; +https://www.google.com)", "Accept: */*")),
    Manner("yahoo", (f"{FORM}; charset=UTF-8", "User-Agent: YahooMailProxy", "Accept-Encoding: gzip")),
    Manner("microsoft", (FORM, "User-Agent: Microsoft-Outlook-Unsubscribe", "Accept-Language: en-US")),
    Manner(
        "apple", ("Content-Type: multipart/form-data; boundary=b0undary", "User-Agent: Mail/3774.600.62"), MULTIPART
    ),
    Manner("without an agent", (FORM,)),
    Manner("without a type", ("User-Agent: x",)),
    Manner("without a body", (FORM,), ""),
    Manner("with more fields", (FORM,), f"a=1&{SAID}&b=%C3%A9"),
    Manner("with more in the address", (FORM,), query="?utm_source=mail&lang=fr"),
    Manner("in pieces", (FORM,), chunked=True),
    Manner("the old way", (FORM,), version="1.0"),
    Manner("in small letters", ("content-type: application/x-www-form-urlencoded", "user-agent: x")),
    Manner("of a page in a browser", (FORM, "Origin: https://mail.example", "Sec-Fetch-Site: cross-site")),
)


def ask(port: int, request: bytes) -> str:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65_536), b"")).decode()


def test_every_manner_unsubscribes_at_once_and_only_once(served_port, database, keyring, clock, people):
    for number, manner in enumerate(MANNERS):
        with database.transaction() as session:
            contact = make_contact(session, keyring, people.workspace_id, f"p{number}@x.example", clock.now())
            email_hash = bytes(session.get(Contact, contact).email_hash)
        token = unsubscribe.make_token(keyring, UnsubscribeLink(people.workspace_id, contact, email_hash))
        for _ in range(2):
            answer = ask(served_port, manner.request(f"/u/{token}"))
            # Neither a redirect, which RFC 8058 forbids, nor a question.
            assert answer.startswith("HTTP/1.1 200 "), (manner.name, answer[:200])
            assert "set-cookie" not in answer.lower()
            assert "<form" not in answer
        with database.read() as session:
            assert session.get(Contact, contact).status == "unsubscribed", manner.name
            assert len(session.exec(select(Suppression)).all()) == number + 1
            (event,) = session.exec(select(Event).where(Event.contact_id == contact)).all()
            assert event.data == {"how": "one_click" if manner.body else "page"}


def test_no_other_method_unsubscribes(served_port, database, keyring, clock, people):
    with database.transaction() as session:
        contact = make_contact(session, keyring, people.workspace_id, "p@x.example", clock.now())
        email_hash = bytes(session.get(Contact, contact).email_hash)
    token = unsubscribe.make_token(keyring, UnsubscribeLink(people.workspace_id, contact, email_hash))
    for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"):
        request = MANNERS[0].request(f"/u/{token}").replace(b"POST", method.encode(), 1)
        assert " 405 " in ask(served_port, request)[:20] or method in ("GET", "HEAD")
    with database.read() as session:
        assert session.get(Contact, contact).status == "active"
