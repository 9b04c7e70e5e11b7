"""What every mailbox does, whatever stands behind it: tried on a real IMAP server and on the sandbox."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from fluenzr_app.mail.imap_mailbox import open_mailbox
from fluenzr_app.mail.imap_session import ImapSettings
from fluenzr_app.mail.mailbox import Mailbox, MailboxFailure
from fluenzr_app.mail.sandbox_mailbox import SandboxMailboxes
from tests.real.post_office import PostOffice

_numbers = itertools.count(1)


@dataclass(frozen=True)
class World:
    """One address: how mail reaches it, and how its mailbox is opened."""

    deliver: Callable[[bytes], object]
    open: Callable[[], Mailbox]


def _of_sandbox(request: pytest.FixtureRequest, address: str) -> World:
    mailboxes = SandboxMailboxes(uidvalidity=5)
    return World(
        lambda raw: mailboxes.deliver(address.upper(), raw, datetime.now(UTC)), lambda: mailboxes.open(address)
    )


def _of_dovecot(request: pytest.FixtureRequest, address: str) -> World:
    office: PostOffice = request.getfixturevalue("post_office")
    username, password = office.user(address)
    settings = ImapSettings(
        "localhost", office.imaps_port, "ssl", username, password, timeout_s=10, ca_file=office.ca_file
    )
    return World(lambda raw: office.deliver(address, raw), lambda: open_mailbox(settings))


@pytest.fixture(params=[_of_sandbox, _of_dovecot], ids=["sandbox", "dovecot"])
def world(request: pytest.FixtureRequest) -> World:
    made: World = request.param(request, f"contract-{next(_numbers)}@fluenzr.test")
    return made


@pytest.fixture
def mailbox(world: World) -> Iterator[Mailbox]:
    opened = world.open()
    yield opened
    opened.close()


def _mail(subject: str, body: str = "Hello") -> bytes:
    return f"Subject: {subject}\r\nMessage-ID: <{subject}@out.example>\r\n\r\n{body}\r\n".encode()


def _deliver(world: World, mailbox: Mailbox, raw: bytes) -> None:
    """Returns once the mail is there to be read."""
    before = mailbox.state("INBOX").messages
    world.deliver(raw)
    deadline = time.monotonic() + 10
    while mailbox.state("INBOX").messages == before:
        assert time.monotonic() < deadline, "the mail did not arrive"


def never() -> bool:
    return False


def test_an_empty_mailbox_has_its_folders_and_nothing_in_them(mailbox: Mailbox) -> None:
    assert {each.name: each.role for each in mailbox.folders()} == {"INBOX": "inbox", "Junk": "junk", "Sent": "sent"}
    state = mailbox.state("INBOX")
    assert (state.messages, state.uidnext) == (0, 1)
    assert state.uidvalidity > 0
    assert mailbox.envelopes("INBOX", 0, 10) == ()
    assert mailbox.uids_since("INBOX", datetime.now(UTC) - timedelta(days=400)) == ()
    assert not mailbox.find_message_id("INBOX", "<a@b.example>")


def test_new_mail_is_given_once_page_by_page_and_in_order(world: World, mailbox: Mailbox) -> None:
    for number in range(5):
        _deliver(world, mailbox, _mail(f"m{number}"))
    first = mailbox.envelopes("INBOX", 0, 2)
    second = mailbox.envelopes("INBOX", first[-1].uid, 2)
    third = mailbox.envelopes("INBOX", second[-1].uid, 2)
    assert mailbox.envelopes("INBOX", third[-1].uid, 2) == ()
    assert mailbox.envelopes("INBOX", 4_294_967_295, 2) == ()
    found = [*first, *second, *third]
    assert [each.uid for each in found] == [1, 2, 3, 4, 5]
    assert [f"Subject: m{number}\r\n".encode() in each.head for number, each in enumerate(found)] == [True] * 5
    assert all(each.head.endswith(b"\r\n\r\n") and b"Hello" not in each.head for each in found)
    assert mailbox.state("INBOX").uidnext == 6


def test_arrival_is_told_in_utc_and_searched_by_time(world: World, mailbox: Mailbox) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    _deliver(world, mailbox, _mail("x"))
    (found,) = mailbox.envelopes("INBOX", 0, 10)
    assert before <= found.arrived_at <= datetime.now(UTC)
    assert found.arrived_at.utcoffset() == timedelta(0)
    assert mailbox.uids_since("INBOX", before) == (1,)
    assert mailbox.uids_since("INBOX", before - timedelta(days=30)) == (1,)
    assert mailbox.uids_since("INBOX", before + timedelta(days=3)) == ()


def test_a_mail_is_fetched_whole_or_cut(world: World, mailbox: Mailbox) -> None:
    _deliver(world, mailbox, _mail("x", "é" * 1000))
    size = mailbox.envelopes("INBOX", 0, 1)[0].size
    whole = mailbox.fetch("INBOX", 1, 1_000_000)
    assert len(whole) == size
    assert whole.endswith("éé\r\n".encode())
    assert mailbox.fetch("INBOX", 1, size) == whole
    assert mailbox.fetch("INBOX", 1, 100) == whole[:100]


def test_what_is_not_there_is_named_and_the_mailbox_stays_open(mailbox: Mailbox) -> None:
    with pytest.raises(MailboxFailure) as gone:
        mailbox.fetch("INBOX", 77, 100)
    assert (gone.value.code, gone.value.still_open) == ("message_gone", True)
    for reading in (
        lambda: mailbox.state("Nowhere"),
        lambda: mailbox.envelopes("Nowhere", 0, 1),
        lambda: mailbox.append_sent("Nowhere", b"x", datetime.now(UTC)),
    ):
        with pytest.raises(MailboxFailure) as missing:
            reading()  # type: ignore[no-untyped-call]
        assert (missing.value.code, missing.value.still_open) == ("folder_missing", True)
    assert mailbox.state("INBOX").messages == 0


@pytest.mark.parametrize(
    "rfc_id",
    [
        "<plain@out.example>",
        '<quo"ted\\back*slash%{5}(x)@out.example>',
        "<" + "long" * 100 + "@out.example>",
        "<no-domain>",
    ],
)
def test_a_sent_mail_is_found_by_exactly_its_message_id(mailbox: Mailbox, rfc_id: str) -> None:
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2, hours=3)
    mailbox.append_sent("Sent", f"Subject: x\r\nMESSAGE-Id:\r\n {rfc_id}\r\n\r\nText\r\n".encode(), at)
    assert mailbox.find_message_id("Sent", rfc_id)
    assert not mailbox.find_message_id("INBOX", rfc_id)
    assert not mailbox.find_message_id("Sent", rfc_id[:-1])
    assert not mailbox.find_message_id("Sent", rfc_id[0] + rfc_id[2:])
    assert not mailbox.find_message_id("Sent", "<>")
    assert not mailbox.find_message_id("Sent", f"{rfc_id}\r\nx LOGOUT")
    (found,) = mailbox.envelopes("Sent", 0, 10)
    assert found.arrived_at == at


def test_a_message_id_in_the_text_or_in_another_header_is_not_one(mailbox: Mailbox) -> None:
    mailbox.append_sent(
        "Sent",
        b"Message-ID: <other@out.example>\r\nReferences: <a@out.example>\r\n\r\nMessage-ID: <a@out.example>\r\n",
        datetime.now(UTC),
    )
    assert not mailbox.find_message_id("Sent", "<a@out.example>")


def test_a_waiting_thread_hears_of_mail_at_once(world: World, mailbox: Mailbox) -> None:
    assert mailbox.can_idle
    assert mailbox.envelopes("INBOX", 0, 10) == ()
    delivered: list[float] = []

    def deliver() -> None:
        world.deliver(_mail("news"))
        delivered.append(time.monotonic())

    late = threading.Timer(0.3, deliver)
    late.start()
    assert mailbox.wait_for_news("INBOX", 20, never)
    heard = time.monotonic()
    late.join()
    # Mostly a third of a second, with Postfix and Dovecot on the way; the wait itself is far longer.
    assert heard - delivered[0] < 3
    assert [each.uid for each in mailbox.envelopes("INBOX", 0, 10)] == [1]
    assert not mailbox.wait_for_news("INBOX", 0.1, never)


def test_mail_that_came_before_the_wait_began_is_not_waited_for(world: World, mailbox: Mailbox) -> None:
    mailbox.envelopes("INBOX", 0, 10)
    _deliver(world, mailbox, _mail("early"))
    start = time.monotonic()
    assert mailbox.wait_for_news("INBOX", 20, never)
    assert time.monotonic() - start < 10, "not for the twenty seconds that it might have waited"
    assert len(mailbox.envelopes("INBOX", 0, 10)) == 1


def test_waiting_ends_with_its_time_and_soon_after_a_stop(mailbox: Mailbox) -> None:
    start = time.monotonic()
    assert not mailbox.wait_for_news("INBOX", 0.2, never)
    assert time.monotonic() - start > 0.19
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    start = time.monotonic()
    assert not mailbox.wait_for_news("INBOX", 60, stop.is_set)
    assert time.monotonic() - start < 20, "not for the minute that it might have waited"
    assert mailbox.state("INBOX").messages == 0


def test_a_closed_mailbox_says_so(mailbox: Mailbox) -> None:
    mailbox.close()
    mailbox.close()
    for reading in (
        mailbox.folders,
        lambda: mailbox.state("INBOX"),
        lambda: mailbox.fetch("INBOX", 1, 1),
        lambda: mailbox.append_sent("Sent", b"x", datetime.now(UTC)),
        lambda: mailbox.wait_for_news("INBOX", 60, never),
    ):
        with pytest.raises(MailboxFailure) as caught:
            reading()
        assert (caught.value.code, caught.value.still_open) == ("disconnected", False)
