"""A post office for the demo: a real SMTP server on loopback that keeps the mail it takes and sends none of it on.

The demo and `simulate` talk to it over a socket like to any other host, so that nothing of the way a mail takes
is left out. Nothing that arrives here ever leaves the process.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Self

from fluenzr_app.mail.addresses import email_key
from fluenzr_app.mail.errors import BadAddress, MailError

_MAX_MAIL_OCTETS = 25_000_000
_MAX_LINE = 8192
_PATH = re.compile(r"(?:FROM|TO):\s*<([^>]*)>", re.IGNORECASE)
_CAPABILITIES = (f"SIZE {_MAX_MAIL_OCTETS}", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "AUTH PLAIN LOGIN")


@dataclass(frozen=True, slots=True)
class ReceivedMail:
    """One mail to one recipient. `number` counts all mails of this post office from 1; `username` is who sent it."""

    number: int
    at: datetime
    username: str
    sender: str
    recipient: str
    raw: bytes = field(repr=False)


class SandboxPostOffice:
    """Takes mail over SMTP with login and keeps the latest of it in memory; counts are kept for ever.

    `passwords`: user name to password; None lets anybody in. `keep`: mails held, the oldest go first. `latency_s`: how
    long the answer to a mail takes. `refuse`: given a recipient's key, the reply that refuses it (such as
    "550 5.1.1 User unknown"), or None to take it. `now`: the time a mail is stamped with.
    """

    def __init__(
        self,
        *,
        passwords: Mapping[str, str] | None = None,
        keep: int = 10_000,
        latency_s: float = 0.0,
        refuse: Callable[[str], str | None] | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._passwords = passwords
        self._latency_s = latency_s
        self._refuse = refuse
        self._now = now
        self._mails: deque[ReceivedMail] = deque(maxlen=keep)
        self._counts: Counter[str] = Counter()
        self._total = 0
        self._server: asyncio.Server | None = None
        self._visits: set[asyncio.Task[None]] = set()

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listens; port 0 lets the system choose, see `port`. Raises OSError when the port is taken."""
        self._server = await asyncio.start_server(self._visit, host, port, limit=_MAX_LINE)

    async def stop(self) -> None:
        """Closes the port and every conversation. The mail stays readable."""
        if self._server is None:
            return
        self._server.close()
        for visit in list(self._visits):
            visit.cancel()
        await asyncio.gather(*self._visits, return_exceptions=True)
        await self._server.wait_closed()
        self._server = None

    def hang_up(self) -> None:
        """Ends every conversation under way, from whichever thread; clients have to log in anew."""
        if self._server is not None:
            self._server.get_loop().call_soon_threadsafe(lambda: [visit.cancel() for visit in self._visits])

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def port(self) -> int:
        """The port it listens on. Raises MailError while it is closed."""
        if self._server is None or not self._server.sockets:
            raise MailError("The sandbox post office is closed.")
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def total(self) -> int:
        """Mails taken since the start, those no longer kept included."""
        return self._total

    def count(self, recipient: str) -> int:
        """Mails taken for one address, those no longer kept included."""
        return self._counts[email_key(recipient)]

    def mails(self, recipient: str) -> tuple[ReceivedMail, ...]:
        """The mails kept for one address, oldest first."""
        key = email_key(recipient)
        return tuple(mail for mail in self._mails if mail.recipient == key)

    def since(self, number: int, limit: int = 1000) -> tuple[ReceivedMail, ...]:
        """The kept mails numbered above `number`, oldest first: what a simulated recipient has not yet seen."""
        if not self._mails:
            return ()
        start = max(0, number + 1 - self._mails[0].number)
        return tuple(islice(self._mails, start, start + limit))

    def may_enter(self, username: str, password: str) -> bool:
        """Whether these credentials are right."""
        return self._passwords is None or self._passwords.get(username) == password

    def refusal(self, recipient: str) -> str | None:
        """The reply that refuses a recipient, None when its mail is taken."""
        try:
            key = email_key(recipient)
        except BadAddress:
            return "501 5.1.3 Bad recipient address syntax"
        return self._refuse(key) if self._refuse is not None else None

    async def take(self, username: str, sender: str, recipients: list[str], raw: bytes) -> int:
        """Keeps one mail for each recipient and gives the number of the last."""
        if self._latency_s:
            await asyncio.sleep(self._latency_s)
        for recipient in recipients:
            key = email_key(recipient)
            self._total += 1
            self._counts[key] += 1
            self._mails.append(ReceivedMail(self._total, self._now(), username, sender, key, raw))
        return self._total

    async def _visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visit = asyncio.current_task()
        assert visit is not None
        self._visits.add(visit)
        try:
            await _Conversation(self, reader, writer).run()
        except (OSError, EOFError, ValueError, asyncio.CancelledError):
            # A client that vanished or broke the line limit; `stop` cancels, and a task that ended as cancelled
            # would be logged as a fault.
            pass
        finally:
            self._visits.discard(visit)
            writer.close()


class _Conversation:
    """One client's dialogue (RFC 5321); commands after a login only."""

    def __init__(self, office: SandboxPostOffice, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._office, self._reader, self._writer = office, reader, writer
        self._username: str | None = None
        self._sender: str | None = None
        self._recipients: list[str] = []

    async def run(self) -> None:
        self._reply("220 sandbox ESMTP")
        while line := await self._reader.readline():
            text = line.decode("utf-8", "replace").strip()
            verb, _, rest = text.partition(" ")
            if verb.upper() == "QUIT":
                self._reply("221 2.0.0 Bye")
                return
            await self._command(verb.upper(), rest)
            await self._writer.drain()

    async def _command(self, verb: str, rest: str) -> None:
        if verb in ("EHLO", "HELO"):
            lines = ["sandbox", *_CAPABILITIES] if verb == "EHLO" else ["sandbox"]
            for at, each in enumerate(lines, start=1):
                self._reply(f"250{'-' if at < len(lines) else ' '}{each}")
        elif verb == "AUTH":
            await self._authenticate(rest)
        elif verb in ("NOOP", "RSET"):
            if verb == "RSET":
                self._forget()
            self._reply("250 2.0.0 Ok")
        elif verb not in ("MAIL", "RCPT", "DATA"):
            self._reply("502 5.5.1 Command not known")
        elif self._username is None:
            self._reply("530 5.7.0 Authentication required")
        elif verb == "MAIL":
            self._begin(rest)
        elif verb == "RCPT":
            self._address(rest)
        else:
            await self._content()

    async def _authenticate(self, rest: str) -> None:
        mechanism, _, initial = rest.partition(" ")
        try:
            if mechanism.upper() == "PLAIN":
                _, username, password = (_decoded(initial) if initial else await self._ask("")).split("\0")
            elif mechanism.upper() == "LOGIN":
                username = _decoded(initial) if initial else await self._ask("Username:")
                password = await self._ask("Password:")
            else:
                self._reply("504 5.5.4 Mechanism not known")
                return
        except (binascii.Error, ValueError):
            self._reply("501 5.5.2 Cannot decode this")
            return
        if self._office.may_enter(username, password):
            self._username = username
            self._reply("235 2.7.0 Welcome")
        else:
            self._reply("535 5.7.8 Authentication failed")

    async def _ask(self, question: str) -> str:
        self._reply(f"334 {base64.b64encode(question.encode()).decode()}")
        await self._writer.drain()
        return _decoded((await self._reader.readline()).decode("ascii").strip())

    def _begin(self, rest: str) -> None:
        found = _PATH.match(rest)
        if found is None:
            self._reply("501 5.5.4 Syntax: MAIL FROM:<address>")
        else:
            self._forget()
            self._sender = found[1]
            self._reply("250 2.1.0 Ok")

    def _address(self, rest: str) -> None:
        found = _PATH.match(rest)
        if self._sender is None:
            self._reply("503 5.5.1 MAIL first")
        elif found is None:
            self._reply("501 5.5.4 Syntax: RCPT TO:<address>")
        elif (refusal := self._office.refusal(found[1])) is not None:
            self._reply(refusal)
        else:
            self._recipients.append(found[1])
            self._reply("250 2.1.5 Ok")

    async def _content(self) -> None:
        if self._sender is None or not self._recipients:
            self._reply("503 5.5.1 RCPT first")
            return
        self._reply("354 Go ahead")
        await self._writer.drain()
        raw = await self._read_content()
        if raw is None:
            self._reply("552 5.3.4 Message too large")
            return
        number = await self._office.take(self._username or "", self._sender, self._recipients, raw)
        self._forget()
        self._reply(f"250 2.0.0 Ok: kept as {number}")

    async def _read_content(self) -> bytes | None:
        """The content without stuffing and final dot; None when it is too large, and then it is read all the same."""
        lines: list[bytes] = []
        octets = 0
        while (line := await self._reader.readline()) != b".\r\n":
            if not line.endswith(b"\n"):
                raise EOFError
            octets += len(line)
            if octets <= _MAX_MAIL_OCTETS:
                lines.append(line[1:] if line.startswith(b".") else line)
        return b"".join(lines) if octets <= _MAX_MAIL_OCTETS else None

    def _forget(self) -> None:
        self._sender, self._recipients = None, []

    def _reply(self, text: str) -> None:
        self._writer.write(text.encode() + b"\r\n")


def _decoded(text: str) -> str:
    return base64.b64decode(text, validate=True).decode()
