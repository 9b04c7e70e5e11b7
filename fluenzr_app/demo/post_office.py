"""The demo's own post office: SMTP on loopback with a login for each account, and the accounts' mailboxes in memory."""

import contextlib
from collections.abc import AsyncIterator, Collection
from datetime import datetime

from fluenzr_app.clock import Clock, SystemClock
from fluenzr_app.demo.imap_door import ImapDoor
from fluenzr_app.mail.addresses import email_key
from fluenzr_app.mail.mailbox import Mailbox, MailboxFailure
from fluenzr_app.mail.sandbox import SandboxPostOffice
from fluenzr_app.mail.sandbox_mailbox import SandboxMailboxes

HOST = "127.0.0.1"
_GONE = "550 5.1.1 This mailbox does not exist"
_FULL = "452 4.2.2 The mailbox is full"


class DemoPostOffice:
    """Takes every mail of the demo and hands none on; its ports stay the same whenever it is open.

    `mailboxes`: what arrives for the accounts. They are read in this process; at `imap_port` is but their door.
    """

    def __init__(self) -> None:
        self._clock: Clock = SystemClock()
        self._passwords: dict[str, str] = {}
        self._gone: set[str] = set()
        self._full: set[str] = set()
        self._port = self._imap_port = 0
        # The database is a scratch one: no earlier process has numbered these mails.
        self.mailboxes = SandboxMailboxes(uidvalidity=1)
        self.sandbox = SandboxPostOffice(passwords=self._passwords, keep=2_000, refuse=self._refuse, now=self._now)

    @property
    def port(self) -> int:
        """Where it listens, or listened when it was last open; 0 before."""
        return self._port

    @property
    def imap_port(self) -> int:
        """Where a login to the mailboxes can be tried, or could when it was last open; 0 before."""
        return self._imap_port

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Take mail for as long as the block lasts. Raises OSError when somebody took the port in between."""
        await self.sandbox.start(HOST, self._port)
        self._port = self.sandbox.port
        door = ImapDoor(self.sandbox.may_enter)
        try:
            self._imap_port = await door.start(self._imap_port)
            yield
        finally:
            await door.stop()
            await self.sandbox.stop()

    def go_by(self, clock: Clock) -> None:
        """From now on mails are stamped with the time of this clock."""
        self._clock = clock

    def set_password(self, email: str, password: str) -> None:
        """From now on only this password opens the mailbox; whoever came in with another one is sent out."""
        self._passwords[email] = password
        self.sandbox.hang_up()

    def is_account(self, email: str) -> bool:
        """Return whether an address is that of an account which sends by this post office."""
        return email_key(email) in self._passwords

    def is_own(self, email: str) -> bool:
        """Return whether an address is of the same domain as one of the accounts: somebody of the sample firm."""
        domain = email_key(email).rpartition("@")[2]
        return any(known.rpartition("@")[2] == domain for known in self._passwords)

    def open_mailbox(self, email: str, password: str) -> Mailbox:
        """Return the mailbox of an account; raises MailboxFailure `auth_failed` unless the password is right."""
        if not self.sandbox.may_enter(email, password):
            raise MailboxFailure(
                "auth_failed", "[AUTHENTICATIONFAILED] Authentication failed.", stage="login", permanent=True
            )
        return self.mailboxes.open(email)

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
