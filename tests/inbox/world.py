"""The engine's world with mailboxes that are read: what people answer lands there and takes effect."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from fluenzr_app.clock import ManualClock
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database
from fluenzr_app.inbox.answer_origin import AnswerOrigin
from fluenzr_app.inbox.store import Wiring
from fluenzr_app.inbox.sync import Read
from fluenzr_app.inbox.watch import MailboxWatch
from fluenzr_app.mail.mailbox import Mailbox
from fluenzr_app.mail.sandbox_mailbox import SandboxMailboxes
from fluenzr_app.sending.origin import Origin
from fluenzr_app.settings import Settings
from tests.engine_world import PUBLIC_URL, EngineWorld, Taken


class InboxWorld(EngineWorld):
    """One workspace whose accounts have mailboxes; `answer`, `report` and `deliver` put mail there, `read` reads it."""

    def __init__(self, db: Database, clock: ManualClock, keyring: KeyRing, data_dir: Path) -> None:
        super().__init__(db, clock, keyring, data_dir)
        self.mailboxes = SandboxMailboxes(uidvalidity=1)
        self.numbers = itertools.count(1)
        # Replaced by tests in which a mailbox fails.
        self.opened: Callable[[int], Mailbox | None] = self.open
        self.wiring = Wiring(keyring, self.origins, PUBLIC_URL)
        self.watch = MailboxWatch(db, clock, self.wiring, lambda account_id: self.opened(account_id), owner="world")

    def new_origins(self) -> dict[str, Origin]:
        return {**super().new_origins(), "answer": AnswerOrigin()}

    def account(self, name: str = "lea", **limits: Any) -> int:
        account_id = super().account(name, **limits)
        self.execute("UPDATE email_account SET imap_host = 'imap.rivage.example' WHERE id = :id", id=account_id)
        return account_id

    def address(self, account_id: int) -> str:
        return str(self.one("SELECT email FROM email_account WHERE id = :id", id=account_id))

    def open(self, account_id: int) -> Mailbox | None:
        return self.mailboxes.open(self.address(account_id))

    def read(self) -> dict[int, Read]:
        """Read every mailbox to its end."""
        return self.watch.read_now()

    async def tick(self, times: int = 1) -> None:
        """Read the mailboxes, then do what the ticker does."""
        for _ in range(times):
            self.read()
            await super().tick()

    async def run_until(self, end: datetime, *, longest: timedelta = timedelta(hours=12)) -> None:
        await super().run_until(end, longest=longest)

    def deliver(self, account_id: int, mail: EmailMessage | bytes, folder: str = "INBOX") -> None:
        """Put a mail into an account's mailbox, as arrived now."""
        raw = mail if isinstance(mail, bytes) else mail.as_bytes()
        self.mailboxes.deliver(self.address(account_id), raw, self.clock.now(), folder)

    def mail_from(self, sender: str, account_id: int, subject: str, text: str, **headers: str) -> EmailMessage:
        """A mail as somebody's program makes it."""
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = sender, self.address(account_id), subject
        mail["Date"] = format_datetime(self.clock.now())
        mail["Message-ID"] = f"<theirs-{next(self.numbers)}@{sender.rpartition('@')[2].rstrip('>')}>"
        for name, value in headers.items():
            mail[name.replace("_", "-")] = value
        mail.set_content(text)
        return mail

    def answer(self, taken: Taken, text: str = "Oui, volontiers.", sender: str = "", **headers: str) -> EmailMessage:
        """Let the recipient of a mail answer it in its thread; returns the answer."""
        mail = self.mail_from(
            sender or taken.recipient, taken.account_id, f"Re: {taken.mail['Subject']}",
            f"{text}\n\nOn Mon, Mar 2, 2026 at 9:00 AM Léa Rivage <lea@rivage.example> wrote:\n> Hello\n",
            In_Reply_To=taken.rfc_id, References=taken.rfc_id, **headers,
        )  # fmt: skip
        self.deliver(taken.account_id, mail)
        return mail

    def report(self, taken: Taken, status: str, words: str, action: str = "failed") -> None:
        """Let a mail server report about a mail (RFC 3464)."""
        self.returned.add(taken.rfc_id)
        code = "550" if status.startswith("5") else "452"
        about = f"Message-ID: {taken.rfc_id}\r\nTo: {taken.recipient}\r\nSubject: {taken.mail['Subject']}\r\n"
        raw = (
            "From: Mail Delivery System <MAILER-DAEMON@mx.example>\r\n"
            f"To: {self.address(taken.account_id)}\r\nSubject: Undelivered Mail Returned to Sender\r\n"
            f"Message-ID: <report-{next(self.numbers)}@mx.example>\r\nAuto-Submitted: auto-replied\r\n"
            'MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
            f"--b\r\nContent-Type: text/plain\r\n\r\n<{taken.recipient}>: host mx.example said: {code} {status} {words}"
            "\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
            f"Final-Recipient: rfc822; {taken.recipient}\r\nAction: {action}\r\nStatus: {status}\r\n"
            f"Diagnostic-Code: smtp; {code} {status} {words}\r\n\r\n"
            f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\n{about}\r\n--b--\r\n"
        )
        self.deliver(taken.account_id, raw.encode())

    def kinds(self) -> list[str]:
        """The kinds of incoming mail that were stored, in their order."""
        return [row[0] for row in self.rows("SELECT kind FROM inbound ORDER BY id")]

    def events(self, prefix: str = "email.") -> list[str]:
        return [
            row[0] for row in self.rows("SELECT type FROM event WHERE type LIKE :like ORDER BY id", like=prefix + "%")
        ]

    def conversation(self, contact_id: int) -> Any:
        found: Sequence[Any] = self.rows("SELECT * FROM conversation WHERE contact_id = :id", id=contact_id)
        assert len(found) == 1, found
        return found[0]

    def check_books(self) -> None:
        super().check_books()
        kept = {row[0]: row[1] for row in self.rows("SELECT status, n FROM conversation_count WHERE n <> 0")}
        counted = {row[0]: row[1] for row in self.rows("SELECT status, count(*) FROM conversation GROUP BY status")}
        assert kept == counted


@pytest.fixture
def inbox(database: Database, clock: ManualClock, keyring: KeyRing, settings: Settings) -> Iterator[InboxWorld]:
    """A world with mailboxes on an empty database, at Monday 2 March 2026, 09:00 in Paris."""
    made = InboxWorld(database, clock, keyring, settings.data_dir)
    yield made
    slot = made.engine._state.slot
    if slot is not None:
        slot.free()
        made.engine._state.slot = None
