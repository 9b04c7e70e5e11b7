"""No mail keeps a mailbox from being read on, whatever stands in it; large ones hold the database for a moment only."""

import base64
import random
import zlib
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from fluenzr_app.clock import utc_now
from fluenzr_app.inbox import reading
from fluenzr_app.inbox.files import file_that_came
from fluenzr_app.inbox.prepared import Place, Prepared, prepare
from fluenzr_app.inbox.sync import Stopped, read_mailbox
from fluenzr_app.inbox.thread import thread
from tests.engine_world import ON_POSTGRESQL, ON_SQLITE, TWO_MAILS
from tests.inbox.test_reading import Wrapped
from tests.inbox.world import InboxWorld

P0, P1 = "p0@firm0.example", "p1@firm1.example"


async def test_whatever_stands_in_a_mail_the_next_one_is_read(inbox: InboxWorld) -> None:
    account = inbox.account()
    inbox.campaign([account], inbox.people(2), TWO_MAILS)
    await inbox.tick()
    first, other = inbox.office.mails_to(P0)[0], inbox.office.mails_to(P1)[0]
    word = base64.b64encode(b"a\x00b").decode()
    surrogate = base64.b64encode("\ud83d".encode("utf-16-le", "surrogatepass")).decode()
    thread = f"In-Reply-To: {first.rfc_id}\r\n"
    heads = [
        f"From: =?utf-8?b?{word}?= <{P0}>\r\nSubject: =?utf-8?b?{word}?=\r\n{thread}Content-Type: text/plain",
        (
            f"From: =?utf-16-le?b?{surrogate}?= <{P0}>\r\nSubject: =?utf-16-le?b?{surrogate}?=\r\n{thread}"
            "Content-Type: text/plain; charset=utf-7"
        ),
        (
            f"From: \x00{P0}\r\nSubject: a\x00b\r\n{thread}References: <a\x00b@c.example> <\ud800@x.example>\r\n"
            'Content-Type: application/octet-stream; name="a\x00b"'
        ),
        (
            f"From: {P0}\r\nReply-To: =?utf-8?b?{word}?= <a\x00@b.example>\r\nMessage-ID: <\x00@x>\r\n{thread}"
            "Content-Type: text/html"
        ),
        (
            f"From: {P0}\r\n{thread}MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-16-le\r\n"
            "Content-Transfer-Encoding: base64"
        ),
    ]
    for number, head in enumerate(heads):
        body = surrogate if "base64" in head else "a\x00b +2D0-\udcff"
        raw = f"X-Number: {number}\r\n{head}\r\n\r\n{body}".encode("utf-8", "surrogatepass")
        inbox.deliver(account, raw)
    inbox.answer(other)
    (read,) = inbox.read().values()
    assert read.unreadable == 0
    assert inbox.walks() == {"replied": 2}
    assert inbox.one("SELECT count(*) FROM conversation") == 2
    inbox.check_books()


@ON_SQLITE
async def test_mails_with_very_many_references_are_read(inbox: InboxWorld) -> None:
    account = inbox.account()
    inbox.campaign([account], inbox.people(2), TWO_MAILS)
    await inbox.tick()
    for number in range(100):
        ids = " ".join(f"<{number}.{each}@x.example>" for each in range(1500))
        mail = f"From: a{number}@b.example\r\nSubject: x\r\nIn-Reply-To: {ids}\r\nReferences: {ids}\r\n\r\nx"
        inbox.deliver(account, mail.encode())
    inbox.answer(inbox.office.mails_to(P0)[0])
    (read,) = inbox.read().values()
    assert (read.seen, read.stored) == (101, 1)


@ON_SQLITE
async def test_a_large_mail_is_deflated_before_the_database_is_held(
    inbox: InboxWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = inbox.account()
    inbox.campaign([account], inbox.people(1), TWO_MAILS)
    await inbox.tick()
    mail = inbox.mail_from(P0, account, "Re: About", "Voici.", In_Reply_To=inbox.office.mails_to(P0)[0].rfc_id)
    mail.add_attachment(random.Random(3).randbytes(3_000_000), maintype="application", subtype="pdf", filename="a.pdf")
    inbox.deliver(account, mail)
    held: list[bool] = []
    compress = zlib.compress

    def watched(data: bytes, level: int = -1) -> bytes:
        lock: Any = inbox.db._one_writer
        held.append(lock.locked())
        return compress(data, level)

    monkeypatch.setattr("zlib.compress", watched)
    inbox.read()
    assert held == [False]
    with inbox.db.read() as session:
        (file,) = next(item for item in thread(session, inbox.workspace_id, 1) if item.kind == "reply").files
        assert len(file_that_came(session, inbox.workspace_id, 1, 1, file.index)[1]) == 3_000_000


@ON_POSTGRESQL
async def test_a_value_that_the_database_takes_from_nobody_is_the_mails_trouble(
    inbox: InboxWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = inbox.account()
    inbox.campaign([account], inbox.people(2), TWO_MAILS)
    await inbox.tick()
    inbox.answer(inbox.office.mails_to(P0)[0])
    inbox.answer(inbox.office.mails_to(P1)[0])

    def unheard_of(place: Place, raw: bytes, size: int, now: datetime) -> Prepared:
        made = prepare(place, raw, size, now)
        if made.mail.sender.address == P0:
            return replace(made, mail=replace(made.mail, subject="a\x00b"))
        return made

    monkeypatch.setattr("fluenzr_app.inbox.sync.prepare", unheard_of)
    (read,) = inbox.read().values()
    # The one is taken in by its headers alone: its sequence must stop as well.
    assert (read.stored, read.unreadable) == (2, 1)
    assert inbox.walks() == {"replied": 2}


@ON_SQLITE
async def test_a_stop_comes_between_two_mails_and_the_rest_is_read_by_the_next_one(inbox: InboxWorld) -> None:
    account = inbox.account()
    inbox.campaign([account], inbox.people(5), TWO_MAILS)
    await inbox.tick()
    for number in range(5):
        inbox.answer(inbox.office.mails_to(f"p{number}@firm{number}.example")[0])
    asked = iter((False, False, False, True))
    leased = inbox.db.transact(reading.lease, account, "world", utc_now())
    mailbox = inbox.open(account)
    assert leased is not None
    assert mailbox is not None
    with pytest.raises(Stopped):
        read_mailbox(inbox.db, inbox.clock, inbox.wiring, leased, mailbox, lambda: next(asked))
    assert inbox.kinds() == ["reply"] * 2
    (read,) = inbox.read().values()
    assert (read.seen, read.stored) == (3, 3), "what was read before is not looked at again"


@ON_SQLITE
async def test_a_long_reading_keeps_its_lease_and_ends_when_the_account_changes(
    inbox: InboxWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fluenzr_app.inbox.watch._RENEW_S", -1.0)
    account = inbox.account()
    inbox.campaign([account], inbox.people(4), TWO_MAILS)
    await inbox.tick()
    for number in range(4):
        inbox.answer(inbox.office.mails_to(f"p{number}@firm{number}.example")[0])
    leases: list[object] = []

    class Slow(Wrapped):
        def fetch(self, folder: str, uid: int, max_octets: int) -> bytes:
            leases.append(inbox.moment("SELECT lease_until FROM mailbox_reading"))
            if len(leases) == 3:
                inbox.execute("UPDATE email_account SET imap_host = '', revision = revision + 1")
            return super().fetch(folder, uid, max_octets)

    inbox.opened = lambda account_id: Slow(found) if (found := inbox.open(account_id)) is not None else None
    assert inbox.read() == {}
    assert inbox.kinds() == ["reply"] * 3
    assert leases == sorted(set(leases), key=str), "renewed before each mail"


@ON_SQLITE
async def test_a_conversation_that_cannot_be_brought_back_keeps_no_mailbox_from_being_read(
    inbox: InboxWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = inbox.account()
    inbox.campaign([account], inbox.people(1), TWO_MAILS)
    await inbox.tick()
    inbox.answer(inbox.office.mails_to(P0)[0])
    inbox.execute("UPDATE mailbox_reading SET due_at = NULL")

    def breaks() -> None:
        raise RuntimeError("nobody foresaw this one")

    monkeypatch.setattr(inbox.watch, "_wake", breaks)
    assert await inbox.watch.tick() == 1
    await inbox.watch.stop()
    assert inbox.one("SELECT count(*) FROM mailbox_folder") > 0
