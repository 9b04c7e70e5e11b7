"""Watching mailboxes ends soon when the process stops, whatever their servers do."""

import asyncio
import threading
import time

from fluenzr_app.mail.mailbox import Mailbox, MailboxFailure
from tests.engine_world import ON_SQLITE, TWO_MAILS
from tests.inbox.test_reading import Wrapped
from tests.inbox.world import InboxWorld

P0 = "p0@firm0.example"


class Mute(Wrapped):
    """A server that never sends the mail it was asked for, until its connection is closed."""

    def __init__(self, real: Mailbox, asked: threading.Event) -> None:
        super().__init__(real)
        self.asked = asked
        self.closed = threading.Event()

    def fetch(self, folder: str, uid: int, max_octets: int) -> bytes:
        self.asked.set()
        assert self.closed.wait(60)
        raise MailboxFailure("disconnected", "closed", stage="fetch")

    def close(self) -> None:
        self.closed.set()
        super().close()


@ON_SQLITE
async def test_fifty_mailboxes_that_are_waited_at_are_left_at_once(inbox: InboxWorld) -> None:
    count = 50
    for number in range(count):
        inbox.account(f"sender{number}")
    assert await inbox.watch.tick() == count
    async with asyncio.timeout(60):
        # All of them were read and given threads, so that none gives way to another.
        while inbox.one("SELECT count(*) FROM email_account WHERE synced_at IS NOT NULL") < count:
            await asyncio.sleep(0.02)
    begun = time.monotonic()
    await inbox.watch.stop()
    assert time.monotonic() - begun < 5
    assert inbox.one("SELECT count(*) FROM mailbox_reading WHERE owner <> '' OR failures > 0") == 0


@ON_SQLITE
async def test_a_server_that_says_nothing_holds_up_no_stop_and_loses_no_mail(inbox: InboxWorld) -> None:
    account = inbox.account()
    inbox.campaign([account], inbox.people(1), TWO_MAILS)
    await inbox.tick()
    inbox.answer(inbox.office.mails_to(P0)[0])
    inbox.execute("UPDATE mailbox_reading SET due_at = NULL")
    asked = threading.Event()
    inbox.opened = lambda account_id: Mute(found, asked) if (found := inbox.open(account_id)) is not None else None
    await inbox.watch.tick()
    assert await asyncio.to_thread(asked.wait, 10)
    begun = time.monotonic()
    await inbox.watch.stop()
    assert time.monotonic() - begun < 8
    assert inbox.rows("SELECT owner, failures FROM mailbox_reading") == [("", 0)]
    inbox.opened = inbox.open
    inbox.watch._stop.clear()
    inbox.read()
    assert inbox.walks() == {"replied": 1}
