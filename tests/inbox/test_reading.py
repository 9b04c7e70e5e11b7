"""Mailboxes are read to their end, once, from where they stopped; what is wrong with one holds up no other."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from fluenzr_app.clock import utc_now
from fluenzr_app.inbox import reading
from fluenzr_app.inbox.prepared import Prepared
from fluenzr_app.inbox.store import store
from fluenzr_app.mail.mailbox import Envelope, Folder, FolderState, Mailbox, MailboxFailure
from tests.engine_world import ON_POSTGRESQL, ON_SQLITE, TWO_MAILS
from tests.inbox.world import InboxWorld

P0 = "p0@firm0.example"


class Wrapped:
    """A mailbox that a test changes in one respect."""

    def __init__(self, real: Mailbox) -> None:
        self.real = real

    @property
    def can_idle(self) -> bool:
        return self.real.can_idle

    def folders(self) -> tuple[Folder, ...]:
        return self.real.folders()

    def state(self, folder: str) -> FolderState:
        return self.real.state(folder)

    def uids_since(self, folder: str, since: object) -> tuple[int, ...]:
        return self.real.uids_since(folder, since)  # type: ignore[arg-type]

    def envelopes(self, folder: str, after_uid: int, limit: int) -> tuple[Envelope, ...]:
        return self.real.envelopes(folder, after_uid, limit)

    def fetch(self, folder: str, uid: int, max_octets: int) -> bytes:
        return self.real.fetch(folder, uid, max_octets)

    def find_message_id(self, folder: str, rfc_id: str) -> bool:
        return self.real.find_message_id(folder, rfc_id)

    def append_sent(self, folder: str, raw: bytes, at: object) -> None:
        self.real.append_sent(folder, raw, at)  # type: ignore[arg-type]

    def wait_for_news(self, folder: str, timeout_s: float, stopping: Callable[[], bool]) -> bool:
        return self.real.wait_for_news(folder, timeout_s, stopping)

    def close(self) -> None:
        self.real.close()


async def test_a_mail_is_stored_once_however_often_it_is_seen(inbox: InboxWorld) -> None:
    account = inbox.account()
    inbox.campaign([account], inbox.people(1), TWO_MAILS)
    await inbox.tick()
    mail = inbox.answer(inbox.office.mails_to(P0)[0])
    inbox.deliver(account, mail, "Junk")
    for _ in range(3):
        inbox.read()
        inbox.execute("UPDATE mailbox_folder SET last_uid = 0")
    assert inbox.kinds() == ["reply"]
    # The server has numbered its mails anew: everything is seen again, nothing counts twice.
    inbox.execute("UPDATE mailbox_folder SET uidvalidity = 77, last_uid = 500")
    inbox.read()
    assert inbox.kinds() == ["reply"]
    assert inbox.events().count("email.replied") == 1
    inbox.check_books()


async def test_nothing_from_before_the_connection_is_looked_at(inbox: InboxWorld) -> None:
    old = b"From: p0@firm0.example\r\nSubject: Re: About your company\r\nMessage-ID: <old@firm0.example>\r\n\r\nOld."
    inbox.mailboxes.deliver("lea@rivage.example", old, inbox.clock.now() - timedelta(days=2))
    account = inbox.account()
    inbox.campaign([account], inbox.people(1), TWO_MAILS)
    await inbox.run_for(days=4)
    assert inbox.kinds() == []
    assert inbox.walks() == {"completed": 1}


async def test_an_answer_in_any_folder_counts_but_not_in_the_users_own(inbox: InboxWorld) -> None:
    account = inbox.account()
    inbox.campaign([account], inbox.people(3), TWO_MAILS)
    await inbox.tick()
    for number, folder in enumerate(("INBOX", "Junk", "Sent")):
        taken = inbox.office.mails_to(f"p{number}@firm{number}.example")[0]
        mail = inbox.answer(taken) if folder == "INBOX" else None
        if mail is None:
            raw = inbox.mail_from(taken.recipient, account, "Re: x", "Oui.", In_Reply_To=taken.rfc_id)
            inbox.deliver(account, raw, folder)
    await inbox.run_for(days=4)
    assert inbox.walks() == {"replied": 2, "completed": 1}


@ON_SQLITE
async def test_follow_ups_wait_until_the_mailbox_was_read(inbox: InboxWorld) -> None:
    account = inbox.account()
    inbox.campaign([account], inbox.people(1), TWO_MAILS)
    await inbox.tick()
    answered = inbox.office.mails_to(P0)[0]

    def dark(_: int) -> Mailbox:
        raise MailboxFailure("auth_failed", "Login failed.", stage="auth", permanent=True)

    inbox.opened = dark
    await inbox.run_for(days=3, hours=3)
    assert len(inbox.office.mails_to(P0)) == 1, "an answer may lie there"
    assert inbox.rows("SELECT status, reason FROM message WHERE status = 'queued'") == [
        ("queued", "mailbox_not_synced")
    ]
    with inbox.db.read() as session:
        (view,) = reading.readings(session, inbox.workspace_id)
    assert (view.error_code, view.error_text, view.reads) == ("auth_failed", "Login failed.", True)
    assert view.failed_since is not None
    inbox.answer(answered)
    inbox.opened = inbox.open
    # A change of the account is reason to try at once, whatever the pause after failures.
    inbox.execute("UPDATE email_account SET revision = revision + 1")
    await inbox.run_for(hours=1)
    assert inbox.walks() == {"replied": 1}
    assert len(inbox.office.mails_to(P0)) == 1
    with inbox.db.read() as session:
        (view,) = reading.readings(session, inbox.workspace_id)
    assert (view.error_code, view.failed_since) == ("", None)
    inbox.check_books()


@ON_SQLITE
async def test_first_mails_do_not_wait_for_a_mailbox(inbox: InboxWorld) -> None:
    account = inbox.account()
    inbox.opened = lambda _: None
    inbox.campaign([account], inbox.people(2), TWO_MAILS)
    await inbox.run_for(days=3, hours=3)
    assert inbox.office.counted().total() == 2


@ON_SQLITE
async def test_one_mail_that_nothing_can_take_in_holds_up_no_other(
    inbox: InboxWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = inbox.account()
    inbox.campaign([account], inbox.people(3), TWO_MAILS)
    await inbox.tick()
    for number in range(3):
        inbox.answer(inbox.office.mails_to(f"p{number}@firm{number}.example")[0])

    def breaks(session: object, wiring: object, prepared: Prepared, now: object) -> str | None:
        if prepared.mail.sender.address == "p1@firm1.example":
            raise RuntimeError("nobody foresaw this one")
        return store(session, wiring, prepared, now)  # type: ignore[arg-type]

    monkeypatch.setattr("fluenzr_app.inbox.sync.store", breaks)
    (read,) = inbox.read().values()
    assert (read.stored, read.unreadable) == (2, 1)
    assert inbox.rows("SELECT count(*) FROM conversation") == [(2,)]


@ON_SQLITE
async def test_an_answer_that_cannot_be_read_stops_the_sequence_all_the_same(
    inbox: InboxWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    account, people = inbox.account(), inbox.people(1)
    inbox.campaign([account], people, TWO_MAILS)
    await inbox.tick()
    inbox.answer(inbox.office.mails_to(P0)[0])

    def breaks(*_: object) -> None:
        raise RuntimeError("nobody foresaw this one")

    monkeypatch.setattr("fluenzr_app.inbox.sync.prepare", breaks)
    await inbox.run_for(days=5)
    assert inbox.walks() == {"replied": 1}
    assert (inbox.conversation(people[0]).preview, inbox.one("SELECT truncated FROM inbound")) == (
        "Re: About your company",
        1,
    )
    assert len(inbox.office.mails_to(P0)) == 1
    inbox.check_books()


@ON_SQLITE
async def test_a_broken_mailbox_holds_up_no_other_and_is_tried_again(inbox: InboxWorld) -> None:
    good, bad = inbox.account("good"), inbox.account("bad")
    inbox.campaign([good], inbox.people(1, "g"), TWO_MAILS)
    inbox.campaign([bad], inbox.people(1, "b"), TWO_MAILS)
    await inbox.tick()
    inbox.answer(inbox.office.mails_to("g0@firm0.example")[0])
    inbox.answer(inbox.office.mails_to("b0@firm0.example")[0])

    class Breaks(Wrapped):
        def fetch(self, folder: str, uid: int, max_octets: int) -> bytes:
            raise MailboxFailure("disconnected", "BYE", stage="fetch")

    inbox.opened = lambda account_id: (
        Breaks(found) if (found := inbox.open(account_id)) is not None and account_id == bad else found
    )
    inbox.read()
    assert inbox.rows("SELECT count(*) FROM inbound") == [(1,)]
    inbox.opened = inbox.open
    inbox.execute("UPDATE mailbox_reading SET due_at = NULL")
    inbox.read()
    assert inbox.rows("SELECT count(*) FROM inbound") == [(2,)]
    inbox.check_books()


@ON_POSTGRESQL
async def test_two_readers_of_one_mailbox_store_each_mail_once(inbox: InboxWorld) -> None:
    account = inbox.account()
    count = 12
    inbox.campaign([account], inbox.people(count), TWO_MAILS)
    await inbox.tick()
    for number in range(count):
        inbox.answer(inbox.office.mails_to(f"p{number}@firm{number}.example")[0])
    # The worst case: both believe that the mailbox is theirs, and read it at the same moment.
    start = threading.Barrier(2)
    faults: list[BaseException] = []

    def read() -> None:
        from fluenzr_app.inbox.sync import read_mailbox

        try:
            leased = inbox.db.transact(reading.lease, account, "world", utc_now())
            mailbox = inbox.open(account)
            assert leased is not None
            assert mailbox is not None
            start.wait(10)
            read_mailbox(inbox.db, inbox.clock, inbox.wiring, leased, mailbox, lambda: False)
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert faults == []
    assert inbox.kinds() == ["reply"] * count
    assert inbox.walks() == {"replied": count}
    assert inbox.events().count("email.replied") == count
    inbox.check_books()


@ON_SQLITE
async def test_a_crash_between_two_mails_loses_none_and_counts_none_twice(
    inbox: InboxWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = inbox.account()
    inbox.campaign([account], inbox.people(5), TWO_MAILS)
    await inbox.tick()
    for number in range(5):
        inbox.answer(inbox.office.mails_to(f"p{number}@firm{number}.example")[0])

    class Killed(BaseException):
        """What no handler catches."""

    taken = 0

    def dies(session: object, wiring: object, prepared: Prepared, now: object) -> str | None:
        nonlocal taken
        taken += 1
        if taken == 3:
            store(session, wiring, prepared, now)  # type: ignore[arg-type]
            raise Killed
        return store(session, wiring, prepared, now)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr("fluenzr_app.inbox.sync.store", dies)
        with pytest.raises(Killed):
            inbox.read()
    assert inbox.kinds() == ["reply"] * 2
    # Where there is one process, its lease does not keep the next one from going on at once.
    inbox.read()
    assert inbox.kinds() == ["reply"] * 5
    assert inbox.walks() == {"replied": 5}
    inbox.check_books()


async def test_a_lease_keeps_others_away_until_it_ends(inbox: InboxWorld) -> None:
    account = inbox.account()
    wall = inbox.clock.now()
    assert inbox.db.transact(reading.lease, account, "one", wall) is not None
    assert inbox.db.transact(reading.lease, account, "two", wall + timedelta(minutes=1)) is None
    assert inbox.db.transact(reading.lease, account, "one", wall + timedelta(minutes=2)) is not None
    assert inbox.db.transact(reading.lease, account, "two", wall + timedelta(minutes=6)) is not None
    assert inbox.db.transact(reading.lease, account, "one", wall + timedelta(minutes=6)) is None


@ON_SQLITE
async def test_what_concerns_nobody_is_neither_fetched_nor_stored(inbox: InboxWorld) -> None:
    account = inbox.account()
    inbox.campaign([account], inbox.people(1), TWO_MAILS)
    await inbox.tick()
    for number in range(250):
        inbox.deliver(account, inbox.mail_from(f"friend{number}@home.example", account, "Sunday", "See you?"))
    inbox.answer(inbox.office.mails_to(P0)[0])
    fetched: list[int] = []

    class Counts(Wrapped):
        def fetch(self, folder: str, uid: int, max_octets: int) -> bytes:
            fetched.append(uid)
            return super().fetch(folder, uid, max_octets)

    inbox.opened = lambda account_id: Counts(found) if (found := inbox.open(account_id)) is not None else None
    (read,) = inbox.read().values()
    assert (read.seen, read.stored, len(fetched)) == (251, 1, 1)


async def test_a_clock_that_was_set_back_makes_no_mailbox_wait_or_look_read(inbox: InboxWorld) -> None:
    account = inbox.account()
    inbox.campaign([account], inbox.people(1), TWO_MAILS)
    await inbox.tick()
    inbox.answer(inbox.office.mails_to(P0)[0])
    wall = utc_now()
    ahead = wall + timedelta(days=2)
    inbox.execute("UPDATE mailbox_reading SET owner = 'dead', lease_until = :ahead, due_at = :ahead", ahead=ahead)
    with inbox.db.read() as session:
        assert list(reading.due(session, "world", wall)) == [account]
    inbox.opened = lambda _: None
    inbox.clock.set(inbox.clock.now() + timedelta(days=3, hours=1))
    inbox.execute("UPDATE email_account SET synced_at = :ahead", ahead=inbox.clock.now() + timedelta(days=1))
    await inbox.tick()
    assert len(inbox.office.mails_to(P0)) == 1, "an answer lies there"
    assert inbox.rows("SELECT reason FROM message WHERE status = 'queued'") == [("mailbox_not_synced",)]
    inbox.opened = inbox.open
    inbox.execute("UPDATE mailbox_reading SET due_at = NULL")
    inbox.read()
    assert inbox.moment("SELECT synced_at FROM email_account") == inbox.clock.now()
    assert inbox.walks() == {"replied": 1}
