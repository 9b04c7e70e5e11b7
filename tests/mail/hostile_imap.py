"""An IMAP server that keeps to the protocol until it is told to misbehave, at any command.

It runs in threads of its own, since the product reads mailboxes from threads too.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from fluenzr_app.mail.imap_session import ImapSettings

CLOSE = b"close"
"""Instead of an answer: the connection is closed."""
HANG = b"hang"
"""Instead of an answer: silence."""

EXAMINED = (
    b"* 2 EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 12] ok\r\nTAG OK [READ-ONLY] examined\r\n"
)


@dataclass(frozen=True)
class Endless:
    """An answer that never ends: `start` once, then `again` for ever, `pause_s` apart."""

    again: bytes
    start: bytes = b""
    pause_s: float = 0.0


Answer = bytes | Endless


@dataclass
class HostileImap:
    """A running server. `answers`: by command (such as `UID FETCH`); TAG stands for the tag.

    `in_idle`: what follows the `+` of an IDLE. `challenges`: lines said, and each answered, before AUTHENTICATE ends.
    """

    greeting: Answer = b"* OK ready\r\n"
    capabilities: bytes = b"IMAP4rev1 IDLE UNSELECT"
    answers: dict[str, Answer] = field(default_factory=dict)
    in_idle: Answer = b""
    challenges: tuple[bytes, ...] = ()
    port: int = 0
    commands: list[str] = field(default_factory=list)
    octets_sent: int = 0
    idling: threading.Event = field(default_factory=threading.Event)
    _idle_tag: bytes = b""
    _stopping: threading.Event = field(default_factory=threading.Event)

    def settings(self, timeout_s: float = 0.5) -> ImapSettings:
        return ImapSettings("127.0.0.1", self.port, "none", "anna", "secret", timeout_s=timeout_s)

    def serve(self, listener: socket.socket) -> None:
        visits: list[threading.Thread] = []
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                visits.append(threading.Thread(target=self._visit, args=(connection,)))
                visits[-1].start()
        for visit in visits:
            visit.join()

    def stop(self, listener: socket.socket) -> None:
        self._stopping.set()
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()

    def _visit(self, connection: socket.socket) -> None:
        connection.settimeout(10)
        with connection, suppress(OSError, EOFError), connection.makefile("rb") as lines:
            self._say(connection, self.greeting, b"")
            for line in lines:
                self._command(connection, lines.readline, line)

    def _command(self, connection: socket.socket, next_line: Callable[[], bytes], line: bytes) -> None:
        tag, _, command = line.rstrip(b"\r\n").partition(b" ")
        words = command.decode("ascii").split(" ")
        verb = " ".join(words[:2]) if words[0] == "UID" else words[0]
        self.commands.append(command.decode("ascii"))
        if tag == b"DONE":
            self._say(connection, self.answers.get("DONE", b"TAG OK idled\r\n"), self._idle_tag)
            return
        if verb == "AUTHENTICATE":
            for challenge in self.challenges:
                self._send(connection, challenge)
                self.commands.append(next_line().decode("ascii").rstrip("\r\n"))
        usual = {
            "CAPABILITY": b"* CAPABILITY " + self.capabilities + b"\r\nTAG OK done\r\n",
            "EXAMINE": EXAMINED,
            "IDLE": b"+ idling\r\n",
        }
        self._say(connection, self.answers.get(verb, usual.get(verb, b"TAG OK done\r\n")), tag)
        if verb == "IDLE":
            self._idle_tag = tag
            self.idling.set()
            self._say(connection, self.in_idle, tag)

    def _say(self, connection: socket.socket, answer: Answer, tag: bytes) -> None:
        if answer == CLOSE:
            raise EOFError
        if answer == HANG:
            # Until the client gives up.
            while connection.recv(4096):
                pass
            raise EOFError
        if isinstance(answer, Endless):
            self._send(connection, answer.start.replace(b"TAG", tag))
            while not self._stopping.wait(answer.pause_s):
                self._send(connection, answer.again)
            raise EOFError
        self._send(connection, answer.replace(b"TAG", tag))

    def _send(self, connection: socket.socket, octets: bytes) -> None:
        connection.sendall(octets)
        self.octets_sent += len(octets)


@contextmanager
def running(server: HostileImap) -> Iterator[HostileImap]:
    """The server on a free port of loopback."""
    listener = socket.create_server(("127.0.0.1", 0))
    server.port = listener.getsockname()[1]
    thread = threading.Thread(target=server.serve, args=(listener,))
    thread.start()
    try:
        yield server
    finally:
        server.stop(listener)
        thread.join()
