"""The demo's own post office: real SMTP on loopback, with a login for each account and people who cannot be reached."""

import contextlib
from collections.abc import AsyncIterator, Collection
from datetime import datetime

from fluenzr_app.clock import Clock, SystemClock
from fluenzr_app.mail.addresses import email_key
from fluenzr_app.mail.sandbox import SandboxPostOffice

HOST = "127.0.0.1"
_GONE = "550 5.1.1 This mailbox does not exist"
_FULL = "452 4.2.2 The mailbox is full"


class DemoPostOffice:
    """Takes every mail of the demo and hands none on; `port` stays the same whenever it is open."""

    def __init__(self) -> None:
        self._clock: Clock = SystemClock()
        self._passwords: dict[str, str] = {}
        self._gone: set[str] = set()
        self._full: set[str] = set()
        self._port = 0
        self.sandbox = SandboxPostOffice(passwords=self._passwords, keep=2_000, refuse=self._refuse, now=self._now)

    @property
    def port(self) -> int:
        """Where it listens, or listened when it was last open; 0 before."""
        return self._port

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Take mail for as long as the block lasts. Raises OSError when somebody took the port in between."""
        await self.sandbox.start(HOST, self._port)
        self._port = self.sandbox.port
        try:
            yield
        finally:
            await self.sandbox.stop()

    def go_by(self, clock: Clock) -> None:
        """From now on mails are stamped with the time of this clock."""
        self._clock = clock

    def set_password(self, email: str, password: str) -> None:
        """From now on only this password opens the mailbox; whoever came in with another one is sent out."""
        self._passwords[email] = password
        self.sandbox.hang_up()

    def close_mailboxes(self, gone: Collection[str], full: Collection[str]) -> None:
        """Refuse mail for these addresses from now on: for good, or as long as the demo lasts."""
        self._gone |= {email_key(address) for address in gone}
        self._full |= {email_key(address) for address in full}

    def _now(self) -> datetime:
        return self._clock.now()

    def _refuse(self, key: str) -> str | None:
        if key in self._gone:
            return _GONE
        return _FULL if key in self._full else None
