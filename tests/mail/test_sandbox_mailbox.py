"""What only the sandbox's mailboxes do; the rest is in the contract that they share with real ones."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta, timezone

import pytest

from fluenzr_app.mail.errors import BadAddress
from fluenzr_app.mail.mailbox import MailboxFailure
from fluenzr_app.mail.sandbox_mailbox import SandboxMailboxes

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_the_latest_mails_are_kept_and_numbers_go_on() -> None:
    mailboxes = SandboxMailboxes(uidvalidity=9, keep=3)
    for number in range(1, 6):
        assert mailboxes.deliver("Anna@x.example", b"Subject: %d\n\nx" % number, NOON) == number
    mailbox = mailboxes.open("anna@X.example")
    assert [each.uid for each in mailbox.envelopes("INBOX", 0, 10)] == [3, 4, 5]
    state = mailbox.state("INBOX")
    assert (state.uidvalidity, state.uidnext, state.messages) == (9, 6, 3)
    with pytest.raises(MailboxFailure) as gone:
        mailbox.fetch("INBOX", 1, 100)
    assert gone.value.code == "message_gone"


def test_large_mails_leave_room_for_fewer() -> None:
    mailboxes = SandboxMailboxes(uidvalidity=9, keep_octets=1000)
    for octets in (400, 400, 400, 5000):
        mailboxes.deliver("anna@x.example", b"y" * octets, NOON)
    mailbox = mailboxes.open("anna@x.example")
    assert [each.size for each in mailbox.envelopes("INBOX", 0, 10)] == [5000]
    for octets in (600, 400):
        mailboxes.deliver("anna@x.example", b"y" * octets, NOON)
    assert [each.size for each in mailbox.envelopes("INBOX", 0, 10)] == [600, 400]


def test_a_waiting_thread_is_woken_and_need_not_look_again() -> None:
    mailboxes = SandboxMailboxes(uidvalidity=9)
    mailbox = mailboxes.open("anna@x.example")
    delivered: list[float] = []

    def deliver() -> None:
        delivered.append(time.monotonic())
        mailboxes.deliver("anna@x.example", b"Subject: x\n\n", NOON)

    late = threading.Timer(0.05, deliver)
    late.start()
    assert mailbox.wait_for_news("INBOX", 10, lambda: False)
    assert time.monotonic() - delivered[0] < 5, "not for the ten seconds that it might have waited"
    late.join()


def test_arrival_is_what_was_said_and_exact() -> None:
    mailboxes = SandboxMailboxes(uidvalidity=9)
    paris = NOON.astimezone(timezone(timedelta(hours=1)))
    mailboxes.deliver("anna@x.example", b"Subject: x\n\ny", paris)
    mailbox = mailboxes.open("anna@x.example")
    (found,) = mailbox.envelopes("INBOX", 0, 10)
    assert (found.arrived_at, found.arrived_at.tzinfo, found.head) == (NOON, UTC, b"Subject: x\n\n")
    assert mailbox.uids_since("INBOX", NOON) == (1,)
    assert mailbox.uids_since("INBOX", NOON + timedelta(seconds=1)) == ()


def test_junk_goes_where_it_is_delivered_and_strangers_have_their_own() -> None:
    mailboxes = SandboxMailboxes(uidvalidity=9)
    mailboxes.deliver("anna@x.example", b"Subject: win\n\n", NOON, folder="Junk")
    anna, zoe = mailboxes.open("anna@x.example"), mailboxes.open("zoe@x.example")
    assert [anna.state(name).messages for name in ("INBOX", "Junk", "Sent")] == [0, 1, 0]
    assert zoe.state("Junk").messages == 0
    with pytest.raises(MailboxFailure):
        mailboxes.deliver("anna@x.example", b"", NOON, folder="Elsewhere")
    with pytest.raises(BadAddress):
        mailboxes.deliver("nobody", b"", NOON)


def test_many_threads_deliver_and_one_hears_of_everything() -> None:
    mailboxes = SandboxMailboxes(uidvalidity=9)
    mailbox = mailboxes.open("anna@x.example")
    assert mailbox.envelopes("INBOX", 0, 1) == ()

    def deliver() -> None:
        for _ in range(50):
            mailboxes.deliver("anna@x.example", b"Subject: x\n\n", NOON)

    threads = [threading.Thread(target=deliver) for _ in range(4)]
    for thread in threads:
        thread.start()
    seen = 0
    while seen < 200:
        assert mailbox.wait_for_news("INBOX", 10, lambda: False)
        found = mailbox.envelopes("INBOX", seen, 500)
        assert [each.uid for each in found] == list(range(seen + 1, seen + 1 + len(found)))
        seen += len(found)
    for thread in threads:
        thread.join()
    assert mailbox.state("INBOX").uidnext == 201
