"""The door of the demo's mailboxes: takes an IMAP login on loopback, so that the test of a connection tells the truth.

Mails are read in this process without it (see `mailboxes`); beyond the login it only says that the inbox is there.
"""

import asyncio
import base64
import binascii
from collections.abc import Callable

HOST = "127.0.0.1"
_CAPABILITIES = "IMAP4rev1 AUTH=PLAIN SASL-IR"


class ImapDoor:
    """Listens while it is open; `may_enter` says whether a user name and a password belong together."""

    def __init__(self, may_enter: Callable[[str, str], bool]) -> None:
        self._may_enter = may_enter
        self._server: asyncio.Server | None = None
        self._visits: set[asyncio.Task[None]] = set()

    async def start(self, port: int = 0) -> int:
        """Listen and return the port; 0 lets the system choose. Raises OSError when the port is taken."""
        self._server = await asyncio.start_server(self._visit, HOST, port)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Close the port and every conversation."""
        if self._server is None:
            return
        self._server.close()
        for visit in list(self._visits):
            visit.cancel()
        await asyncio.gather(*self._visits, return_exceptions=True)
        await self._server.wait_closed()
        self._server = None

    async def _visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visit = asyncio.current_task()
        assert visit is not None
        self._visits.add(visit)
        try:
            await self._talk(reader, writer)
        except (OSError, EOFError, ValueError, asyncio.CancelledError):
            # A client that vanished or broke the line limit; `stop` cancels.
            pass
        finally:
            self._visits.discard(visit)
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        entered = False
        writer.write(b"* OK ready\r\n")
        while line := await reader.readline():
            tag, _, command = line.decode("utf-8", "replace").strip().partition(" ")
            verb, _, rest = command.partition(" ")
            verb = verb.upper()
            if verb == "AUTHENTICATE":
                entered = self._knows(rest)
            writer.write("".join(f"{each}\r\n" for each in _answers(tag, verb, entered)).encode())
            await writer.drain()
            if verb == "LOGOUT":
                return

    def _knows(self, rest: str) -> bool:
        mechanism, _, initial = rest.partition(" ")
        try:
            _, username, password = base64.b64decode(initial, validate=True).decode().split("\0")
        except (binascii.Error, ValueError):
            return False
        return mechanism.upper() == "PLAIN" and self._may_enter(username, password)


def _answers(tag: str, verb: str, entered: bool) -> list[str]:
    """Return the lines that answer a command (RFC 3501, 6)."""
    if verb == "CAPABILITY":
        return [f"* CAPABILITY {_CAPABILITIES}", f"{tag} OK done"]
    if verb == "AUTHENTICATE":
        return [f"{tag} OK welcome" if entered else f"{tag} NO [AUTHENTICATIONFAILED] Authentication failed."]
    if verb == "LOGOUT":
        return ["* BYE", f"{tag} OK done"]
    if verb == "NOOP" or (verb == "EXAMINE" and entered):
        return [f"{tag} OK done"]
    return [f"{tag} NO not here"]
