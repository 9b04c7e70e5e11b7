"""Python's IMAP client made safe against its server: every answer has a bound in octets and in time.

The client of the standard library reads lines and literals of any length, for as long as the server likes to talk,
and waits on a buffered file that a time-out leaves unusable. Here each command gets an allowance, and reading goes
through a buffer that can be asked again after a pause.
"""

from __future__ import annotations

import imaplib
import re
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import cast

from imap_tools import BaseMailBox

_CHUNK = 65_536
_MAX_LINE = 65_536
# Keep-alive probes find a peer that vanished without a word within two minutes.
_KEEP_ALIVE = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4))
_UNTAGGED = re.compile(rb"\* (\d+) (EXISTS|EXPUNGE)\b", re.IGNORECASE)


class TooMuch(Exception):
    """The server said more than any honest answer holds."""


class SaidBye(ConnectionError):
    """The server said good-bye unasked; the text is its words."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one command may cost: octets of its whole answer, of its longest line and literal, and seconds."""

    seconds: float
    octets: int = 1_000_000
    line: int = _MAX_LINE
    literal: int = _MAX_LINE


class BoundedClient(imaplib.IMAP4):
    """An IMAP client over a socket that is connected already."""

    def __init__(self, sock: socket.socket, host: str, timeout_s: float, tls_at_once: ssl.SSLContext | None) -> None:
        self._given = sock
        self._tls_at_once = tls_at_once
        self._timeout_s = timeout_s
        self._buffer = bytearray()
        self.allow(Allowance(seconds=2 * timeout_s))
        super().__init__(host, timeout=timeout_s)

    def allow(self, allowance: Allowance) -> None:
        """Starts the account of the next command and forgets what earlier ones left behind."""
        self._allowance = allowance
        self._octets_left = allowance.octets
        self._deadline = time.monotonic() + allowance.seconds
        # The library keeps every untagged answer that nobody asked for.
        self.untagged_responses = {}

    def open(self, host: str = "", port: int = 143, timeout: float | None = None) -> None:
        self.host, self.port = host, port
        sock = self._given
        sock.settimeout(timeout)
        with suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for name, value in _KEEP_ALIVE:
                if hasattr(socket, name):
                    sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        if self._tls_at_once is not None:
            sock = self._tls_at_once.wrap_socket(sock, server_hostname=host)
        self.sock = sock

    def encrypt(self, context: ssl.SSLContext) -> bool:
        """STARTTLS, and the capabilities anew; False when the server refuses."""
        verdict, _ = self._simple_command("STARTTLS")
        if verdict != "OK":
            return False
        if self._buffer:
            # What was slipped in before the encryption would count as said under it.
            raise TooMuch("it spoke on before the encryption began")
        self.sock = context.wrap_socket(self.sock, server_hostname=self.host)
        self.ask_capabilities()
        return True

    def ask_capabilities(self) -> None:
        """Reads anew what the server offers: it may be more after the encryption or the login."""
        self._get_capabilities()

    def read(self, size: int) -> bytes:
        if size > self._allowance.literal:
            raise TooMuch(f"a literal of {size} octets where {self._allowance.literal} were asked for at most")
        self._spend(size)
        while len(self._buffer) < size:
            self._receive(self._timeout_s)
        return self._taken(size)

    def readline(self) -> bytes:
        line = self._line(self._timeout_s)
        if line is None:
            raise TimeoutError("the server stays silent")
        return _unless_bye(line)

    def line_within(self, pause_s: float) -> bytes | None:
        """The next line, or None when none has come after `pause_s`; the part that came is kept."""
        line = self._line(pause_s)
        return None if line is None else _unless_bye(line)

    def send(self, data: bytes | bytearray) -> None:  # type: ignore[override]
        view = memoryview(data)
        for start in range(0, len(view), _CHUNK):
            if time.monotonic() > self._deadline:
                raise TimeoutError("the server takes too long to take this")
            self.sock.settimeout(self._timeout_s)
            self.sock.sendall(view[start : start + _CHUNK])

    def shutdown(self) -> None:
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()

    def _line(self, pause_s: float) -> bytes | None:
        limit = self._allowance.line
        searched = 0
        until = time.monotonic() + pause_s
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched > limit:
                raise TooMuch(f"a line of more than {limit} octets")
            remaining = until - time.monotonic()
            try:
                self._receive(max(remaining, 0.001))
            except TimeoutError:
                if time.monotonic() > self._deadline:
                    raise
                return None
        if end >= limit:
            raise TooMuch(f"a line of more than {limit} octets")
        self._spend(end + 1)
        return self._taken(end + 1)

    def _spend(self, octets: int) -> None:
        self._octets_left -= octets
        if self._octets_left < 0:
            raise TooMuch(f"an answer of more than {self._allowance.octets} octets")

    def _taken(self, octets: int) -> bytes:
        with memoryview(self._buffer) as view:
            taken = bytes(view[:octets])
        del self._buffer[:octets]
        return taken

    def _receive(self, patience_s: float) -> None:
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError("the answer takes too long")
        self.sock.settimeout(min(patience_s, remaining))
        chunk = self.sock.recv(_CHUNK)
        if not chunk:
            raise ConnectionResetError("the server closed the connection")
        self._buffer += chunk


def _unless_bye(line: bytes) -> bytes:
    if line[:5].upper() == b"* BYE":
        raise SaidBye(line[5:].decode("utf-8", "replace").strip())
    return line


class ImapBox(BaseMailBox):
    """The library's mailbox over a bounded client."""

    client: BoundedClient

    def __init__(self, client: BoundedClient) -> None:
        self._given = client
        super().__init__()

    def _get_mailbox_client(self) -> imaplib.IMAP4:
        return self._given


class Idle:
    """One IDLE command (RFC 2177) under way: knows how many mails the folder holds and hears of more."""

    def __init__(self, client: BoundedClient, messages: int) -> None:
        self._client = client
        self._messages = messages
        self.news = False

    def begin(self) -> bool:
        """Whether the server went along; False when it refused."""
        client = self._client
        self._tag = cast(bytes, client._command("IDLE"))
        while not (line := client.readline()).startswith(b"+"):
            if line.startswith(self._tag + b" "):
                client.tagged_commands.pop(self._tag, None)
                return False
            self._hear(line)
        return True

    def listen(self, pause_s: float) -> None:
        """Hears one line, or none within `pause_s`; `news` is set when it told of a mail that was not there before."""
        line = self._client.line_within(pause_s)
        if line is not None:
            self._hear(line)

    def end(self) -> None:
        """DONE and its answer. News that cross it are heard too."""
        client = self._client
        client.send(b"DONE\r\n")
        while not (line := client.readline()).startswith(self._tag + b" "):
            self._hear(line)
        client.tagged_commands.pop(self._tag, None)

    def _hear(self, line: bytes) -> None:
        found = _UNTAGGED.match(line)
        if found is None:
            return
        if found[2].upper() == b"EXPUNGE":
            self._messages -= 1
        else:
            number = int(found[1])
            self.news = self.news or number > self._messages
            self._messages = number


Login = Callable[[ImapBox], None]
"""Signs in, or raises imaplib.IMAP4.error or the library's MailboxLoginError with the server's words."""


def password_login(username: str, password: str) -> Login:
    """By SASL where the server offers it, since LOGIN takes only ASCII (RFC 9051, 6.2.3)."""

    def sign_in(box: ImapBox) -> None:
        if "AUTH=PLAIN" in box.client.capabilities:
            box.login_utf8(username, password, initial_folder=None)
            return
        if not all(" " <= character <= "~" for character in username + password):
            raise imaplib.IMAP4.error("The server takes no letters outside ASCII in user name or password.")
        box.login(username, password, initial_folder=None)

    return sign_in


def token_login(username: str, token: str) -> Login:
    """XOAUTH2, as Google and Microsoft take it, with an access token."""

    def sign_in(box: ImapBox) -> None:
        answers = iter((f"user={username}\1auth=Bearer {token}\1\1".encode(), b""))
        # The refusal comes as a second challenge, which wants an empty answer before the server says NO.
        box.client.authenticate("XOAUTH2", lambda _: next(answers, None))

    return sign_in
