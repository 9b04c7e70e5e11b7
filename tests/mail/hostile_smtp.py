"""An SMTP server that keeps to the protocol until it is told to misbehave, at any step.

Real sockets, real bytes: what the client wrote is recorded before anything is answered, so that a test can compare
what the client claims with what had arrived.
"""

from __future__ import annotations

import asyncio
import base64
import socket
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

CLOSE = "close"
"""Instead of a reply: the connection is closed."""
HANG = "hang"
"""Instead of a reply: silence."""
RESET = "reset"
"""Instead of a reply: the connection is torn down without good-bye (RST)."""

DEFAULT_CAPABILITIES = ("SIZE 10000000", "8BITMIME", "SMTPUTF8", "AUTH PLAIN LOGIN", "ENHANCEDSTATUSCODES")


@dataclass(frozen=True)
class Behaviour:
    """What the server does at each step. A string is a whole reply such as `421 4.7.0 no`, or CLOSE, HANG, RESET.

    `connect`, `ehlo`, `auth`, `mail`, `rcpt`, `data`, `content`, `noop`, `rset`: None behaves well.
    `tls_at_once`: a TLS port. `tls`: the context for it and for STARTTLS. `junk`: bytes sent on connecting.
    `close_in_content_after`: bytes of content after which the connection is torn down.
    """

    connect: str | None = None
    ehlo: str | None = None
    auth: str | None = None
    mail: str | None = None
    rcpt: str | None = None
    data: str | None = None
    content: str | None = None
    noop: str | None = None
    rset: str | None = None
    starttls: str | None = None
    capabilities: tuple[str, ...] = DEFAULT_CAPABILITIES
    tls: ssl.SSLContext | None = None
    tls_at_once: bool = False
    junk: bytes | None = None
    close_in_content_after: int | None = None
    password: str = "secret"

    def at(self, step: str, reply: str) -> Behaviour:
        """The same, but with `reply` at `step`."""
        return replace(self, **{step: reply})  # type: ignore[arg-type]


@dataclass
class HostileSmtp:
    """A running server. `behaviour` may be replaced between commands; the lists say what arrived."""

    behaviour: Behaviour
    port: int = 0
    commands: list[str] = field(default_factory=list)
    mails: list[bytes] = field(default_factory=list)
    """Whole mails: their final dot arrived, whatever was answered."""
    connections: int = 0
    reached: dict[str, asyncio.Event] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def at(self, step: str) -> asyncio.Event:
        """Set as soon as the client has reached `step`."""
        return self.reached.setdefault(step, asyncio.Event())

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            await _Conversation(self, reader, writer).run()
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, _Over, asyncio.CancelledError):
            # `stop` cancels; a task that ended as cancelled would be logged as a fault of the server.
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def stop(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class _Over(Exception):
    """The conversation has ended."""


class _Conversation:
    def __init__(self, server: HostileSmtp, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server, self.reader, self.writer = server, reader, writer

    async def run(self) -> None:
        if self.server.behaviour.junk is not None:
            self.writer.write(self.server.behaviour.junk)
        await self.answer("connect", "220 hostile.test ESMTP")
        while line := await self.reader.readline():
            text = line.decode("utf-8", "replace").rstrip("\r\n")
            self.server.commands.append(text)
            await self.command(text.partition(" ")[0].upper(), text)

    async def command(self, verb: str, text: str) -> None:
        behaviour = self.server.behaviour
        if verb == "EHLO":
            lines = ["hostile.test", *behaviour.capabilities]
            good = "".join(f"250{'-' if at < len(lines) else ' '}{each}\r\n" for at, each in enumerate(lines, 1))
            await self.answer("ehlo", good.removesuffix("\r\n"))
        elif verb == "STARTTLS":
            await self.answer("starttls", "220 go ahead")
            assert behaviour.tls is not None
            await self.writer.start_tls(behaviour.tls)
        elif verb == "AUTH":
            await self.authenticate(text)
        elif verb in ("MAIL", "RCPT", "NOOP", "RSET"):
            await self.answer(verb.lower(), "250 2.0.0 ok")
        elif verb == "DATA":
            await self.data()
        elif verb == "QUIT":
            self.writer.write(b"221 bye\r\n")
            raise _Over
        else:
            self.writer.write(b"500 what?\r\n")

    async def authenticate(self, text: str) -> None:
        words = text.split(" ")
        if words[1].upper() == "PLAIN":
            password = base64.b64decode(words[2]).split(b"\0")[2].decode()
        else:
            self.writer.write(b"334 UGFzc3dvcmQ6\r\n")
            password = base64.b64decode(await self.reader.readline()).decode()
        right = password == self.server.behaviour.password
        await self.answer("auth", "235 2.7.0 welcome" if right else "535 5.7.8 authentication failed")

    async def data(self) -> None:
        await self.answer("data", "354 go ahead")
        if self.server.behaviour.data is not None:
            return
        content = b""
        limit = self.server.behaviour.close_in_content_after
        while not content.endswith(b"\r\n.\r\n"):
            chunk = await self.reader.read(65536)
            if not chunk:
                raise _Over
            content += chunk
            if limit is not None and len(content) >= limit:
                raise _Over
        self.server.mails.append(content.removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n."))
        await self.answer("content", "250 2.0.0 queued as 4711")

    async def answer(self, step: str, good: str) -> None:
        self.server.at(step).set()
        reply = getattr(self.server.behaviour, step) or good
        if reply == HANG:
            # Until the client gives up.
            await self.reader.read()
            raise _Over
        if reply == RESET:
            sock = self.writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.writer.transport.abort()
            raise _Over
        if reply == CLOSE:
            raise _Over
        self.writer.write(reply.encode() + b"\r\n")
        await self.writer.drain()
        if reply.startswith("421"):
            raise _Over


@asynccontextmanager
async def hostile_smtp(
    behaviour: Behaviour | None = None, *, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[HostileSmtp]:
    """A running server on loopback, on a free port unless one is given."""
    server = HostileSmtp(behaviour or Behaviour())
    at_once = server.behaviour.tls if server.behaviour.tls_at_once else None
    listener = await asyncio.start_server(server.serve, host, port, ssl=at_once)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        await server.stop()
        await listener.wait_closed()
