"""Mailboxes are read while mail goes out, and whatever kills the worker, each incoming mail takes effect once."""

import email
import email.policy
import itertools
import random
import time
from collections import Counter
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import bindparam, text

from fluenzr_app.clock import utc_now
from fluenzr_app.db.types import UtcDateTime
from fluenzr_app.events import figures
from fluenzr_app.inbox.reading import LEASE
from fluenzr_app.sending.workers import SILENT_AFTER
from tests.real.counting_smtp import Behaviour, CountedMail, CountingSmtp, StartCountingSmtp
from tests.real.post_office import PostOffice
from tests.scenarios.world import FULL, THREE_MAILS, WorkerProcess, World, build, wait_until

PEOPLE, KILLS, ROUNDS = (400, 50, 12) if FULL else (60, 6, 3)
SLOW = Behaviour(latency_ms=(50, 200), user="anyone", password="secret", orphans="random")
STEPS = 3
# An attempt is marked in one transaction and an answer stored in another, each under a time that was read before it.
AT_ONCE = timedelta(seconds=3)


class Exchange:
    """A world whose contacts answer what the counting server took for them, into the accounts' real mailboxes."""

    def __init__(self, world: World, server: CountingSmtp, office: PostOffice, seed: int) -> None:
        self.world, self.server, self.office = world, server, office
        self.rng = random.Random(seed)
        # Message-IDs of what was delivered, by who wrote it.
        self.answers: dict[str, list[str]] = {}
        self.accounts: set[str] = set()
        self._numbers = itertools.count(1)
        self._silences: list[tuple[float, set[str]]] = []

    def worker(self, data_dir: Path | None = None, connections: int = 2) -> WorkerProcess:
        """A process that trusts the post office; with few connections, so that a life ends before its work does."""
        trusted = str(self.office.ca_file)
        return self.world.worker(data_dir, SSL_CERT_FILE=trusted, FLUENZR_CONNECTIONS_PER_ACCOUNT=str(connections))

    def answer(self, count: int) -> None:
        """Let up to `count` of the people answer the mail they got last; once all have answered, they do so again."""
        last: dict[str, CountedMail] = {mail.recipient: mail for mail in self._taken()}
        # Half of the people never answer, so that there is a sequence to go on with.
        willing = sorted(each for each in last if each.partition("@")[0][-1] in "02468")
        fresh = [each for each in willing if each not in self.answers]
        for person in self.rng.sample(fresh or willing, min(count, len(fresh or willing))):
            mail = last[person]
            own_id = f"<theirs-{next(self._numbers)}@{person.rpartition('@')[2]}>"
            raw = _mail(person, mail.sender, "Re: Hello", own_id, mail.message_id)
            # The same mail comes twice now and then, as it does by an alias.
            for _ in range(self.rng.choice((1, 1, 1, 2))):
                self.office.deliver(mail.sender, raw, person)
            self.answers.setdefault(person, []).append(own_id)
            self.accounts.add(mail.sender)

    def let_days_pass(self, share: float) -> None:
        """The delay of some of the waiting walks is over."""
        with self.world.db.transaction() as session:
            connection = session.connection()
            waiting = connection.execute(text("SELECT id FROM enrollment WHERE wait_code = 'delay'")).scalars().all()
            over = [each for each in waiting if self.rng.random() < share]
            statement = text("UPDATE enrollment SET due_at = :now WHERE id IN :ids AND wait_code = 'delay'").bindparams(
                bindparam("now", type_=UtcDateTime()), bindparam("ids", expanding=True)
            )
            connection.execute(statement, {"now": utc_now(), "ids": over})

    def stopped(self) -> set[str]:
        """Who has an answer that is stored."""
        return {
            str(row[0])
            for row in self.rows(
                "SELECT DISTINCT c.email FROM inbound i JOIN contact c ON c.id = i.contact_id WHERE i.kind = 'reply'"
            )
        }

    def stored(self) -> Counter[str]:
        """How often each incoming mail is stored, by Message-ID."""
        return Counter(str(row[0]) for row in self.rows("SELECT rfc_id FROM inbound"))

    def all_stored(self) -> bool:
        """Whether every answer that was delivered is stored."""
        return self.stored().total() >= sum(map(len, self.answers.values()))

    def has_work(self) -> bool:
        """Whether there is something to send or to read at this moment."""
        due = self.rows(
            "SELECT 1 FROM message WHERE status IN ('queued', 'claimed', 'sending') UNION ALL"
            " SELECT 1 FROM enrollment WHERE status IN ('pending', 'in_progress') AND wait_code NOT IN"
            " ('delay', 'uncertain')"
        )
        return bool(due) or not self.all_stored()

    def is_over(self) -> bool:
        """Whether nothing is left to read or to send; lets the days pass."""
        self.let_days_pass(1)
        open_walks = self.rows(
            "SELECT count(*) FROM enrollment WHERE status IN ('pending', 'in_progress') AND wait_code <> 'uncertain'"
        )
        return self.all_stored() and open_walks[0][0] == 0

    def live_a_moment(self, worker: WorkerProcess) -> None:
        """People answer and days pass while the worker is at it; returns at a random moment after it did something."""
        self.let_days_pass(0.3)
        before = self.server.accepted().total() + self.stored().total()
        wait_until(
            lambda: self.server.accepted().total() + self.stored().total() > before or not self.has_work(), 60, worker
        )
        if self.rng.random() < 0.6:
            self.answer(PEOPLE // 15)
        time.sleep(self.rng.uniform(0, 0.3))

    def rows(self, statement: str) -> list[Any]:
        with self.world.db.read() as session:
            return list(session.connection().execute(text(statement)).all())

    def note_stopped(self) -> None:
        """Remember whose answer is stored while no worker runs: from now on nothing may be sent to them."""
        self._silences.append((time.time(), self.stopped()))

    def check_books(self) -> None:
        """Every mail once, every stop held, every count right."""
        world = self.world
        delivered = [each for ids in self.answers.values() for each in ids]
        assert self.stored() == Counter(delivered)
        assert self._lying() == set(delivered)
        assert set(self.server.accepted_ids().values()) == {1}
        walks = dict(self.rows("SELECT c.email, e.status FROM enrollment e JOIN contact c ON c.id = e.contact_id"))
        assert {person for person, status in walks.items() if status == "replied"} == set(self.answers)
        assert world.walks() == world.kept_walks()
        pairs = self.rows("SELECT contact_id, account_id, status FROM conversation")
        assert len(pairs) == len({row[:2] for row in pairs}) == len(self.answers)
        kept = dict(self.rows("SELECT status, n FROM conversation_count WHERE n <> 0"))
        assert kept == {"unread": len(pairs)}
        replied = self.rows(
            "SELECT coalesce(sum(n), 0) FROM rollup WHERE scope = 'campaign' AND metric = 'email.replied'"
        )
        assert int(replied[0][0]) == len(self.answers)
        with world.db.read() as session:
            assert figures.verify(session) == []
        self._check_times()
        # Something was there to be stopped.
        accepted = self.server.accepted()
        assert any(accepted[person] < STEPS for person in self.answers)

    def _check_times(self) -> None:
        for since, stopped in self._silences:
            assert not stopped & {mail.recipient for mail in self._taken() if mail.at > since}
        stored: dict[int, datetime] = {}
        for contact_id, at in self._moments("SELECT contact_id, stored_at AS at FROM inbound WHERE kind = 'reply'"):
            stored[contact_id] = min(at, stored.get(contact_id, at))
        attempts = self._moments(
            "SELECT m.contact_id, a.started_at AS at FROM attempt a JOIN message m ON m.id = a.message_id"
        )
        late = [(each, at - stored[each]) for each, at in attempts if each in stored and at > stored[each] + AT_ONCE]
        assert not late

    def _moments(self, statement: str) -> list[tuple[int, datetime]]:
        columns = text(statement).columns(at=UtcDateTime())
        with self.world.db.read() as session:
            return [(int(row[0]), row.at) for row in session.connection().execute(columns)]

    def _lying(self) -> set[str]:
        found = (raw for account in self.accounts for raw in self.office.mailbox(account))
        return {str(email.message_from_bytes(raw, policy=email.policy.default)["Message-ID"]) for raw in found}

    def _taken(self) -> list[CountedMail]:
        return [mail for mail in self.server.mails() if mail.outcome != "dropped"]


@pytest.mark.timeout(3600 if FULL else 240)
def test_every_answer_counts_once_and_stops_for_good_when_the_worker_is_killed_again_and_again(
    tmp_path: Path, counting_smtp: StartCountingSmtp, post_office: PostOffice
) -> None:
    server = counting_smtp(SLOW)
    world = build(
        tmp_path, [server.port, server.port], PEOPLE, steps=THREE_MAILS, sender="lectrice", mailboxes=post_office
    )
    exchange = Exchange(world, server, post_office, 13)
    for _ in range(KILLS):
        worker = exchange.worker()
        try:
            exchange.live_a_moment(worker)
        finally:
            worker.kill()
        # What the server has in hands still gets its outcome; nobody else is there to send.
        time.sleep(0.3)
        exchange.note_stopped()
        # The next one finds mailboxes full of news.
        exchange.answer(PEOPLE // 10)
    last = exchange.worker()
    wait_until(exchange.is_over, 120, last)
    last.stop()
    exchange.check_books()


@pytest.mark.timeout(3600 if FULL else 240)
def test_two_processes_that_die_in_turn_let_each_incoming_mail_take_effect_once(
    tmp_path: Path, counting_smtp: StartCountingSmtp, post_office: PostOffice, postgres_url: str
) -> None:
    server = counting_smtp(SLOW)
    places = [tmp_path / "first", tmp_path / "second"]
    for place in places:
        place.mkdir()
    world = build(
        places[0], [server.port, server.port], PEOPLE, database_url=postgres_url, steps=THREE_MAILS,
        sender="lecteur", mailboxes=post_office,
    )  # fmt: skip
    exchange = Exchange(world, server, post_office, 17)
    workers = [exchange.worker(place) for place in places]
    wait_until(lambda: server.accepted().total() > PEOPLE // 2, 60, workers[0])
    for number in range(ROUNDS):
        exchange.live_a_moment(workers[number % 2])
        workers[number % 2].kill()
        _let_silence_pass(world, places[number % 2])
        # The other goes on with the mailboxes and the mails of the dead one.
        wait_until(exchange.all_stored, 60, workers[(number + 1) % 2])
        workers[number % 2] = exchange.worker(places[number % 2])
    wait_until(exchange.is_over, 120, workers[0])
    for worker in workers:
        worker.stop()
    exchange.check_books()


@pytest.mark.timeout(300)
def test_an_uncertain_mail_that_lies_in_the_sent_folder_counts_as_sent_and_another_stays_uncertain(
    tmp_path: Path, counting_smtp: StartCountingSmtp, post_office: PostOffice
) -> None:
    server = counting_smtp(Behaviour(latency_ms=(60_000, 60_000), user="anyone", password="secret", keep=True))
    world = build(tmp_path, [server.port], 8, sender="douteuse", mailboxes=post_office)
    exchange = Exchange(world, server, post_office, 19)
    account = "douteuse0@rivage.example"
    worker = exchange.worker(connections=8)
    wait_until(lambda: world.statuses().get("sending") == 8, 60, worker)
    time.sleep(1)
    worker.kill()
    # The server took them all, and nobody heard of it.
    server.wait_for(8)
    taken = sorted(server.messages())
    _put_into_sent(post_office, account, taken[:3])
    worker = exchange.worker()
    _wait_for(exchange, {"sent": 3, "uncertain": 5}, worker)
    # The provider's copy of another one comes late.
    _put_into_sent(post_office, account, taken[3:4])
    post_office.deliver(account, _mail("news@elsewhere.example", account, "News", "<news@elsewhere.example>"))
    _wait_for(exchange, {"sent": 4, "uncertain": 4}, worker)
    worker.stop()
    in_sent = {_recipient(raw) for raw in taken[:4]}
    assert set(world.addresses("status = 'sent'")) == in_sent
    assert world.walks() == world.kept_walks() == {"completed": 4, "pending": 4}
    assert set(server.accepted().values()) == {1}
    sent = exchange.rows("SELECT sum(n) FROM rollup WHERE scope = 'campaign' AND metric = 'email.sent'")
    assert int(sent[0][0]) == 4
    assert len(post_office.mailbox(account, "Sent")) == 4


def _wait_for(exchange: Exchange, statuses: dict[str, int], worker: WorkerProcess) -> None:
    """Two readings' time at most: mailboxes are read every minute where the server's news is missed."""
    try:
        wait_until(lambda: exchange.world.statuses() == statuses, 130, worker)
    except AssertionError as error:
        readings = exchange.rows("SELECT owner, lease_until, due_at, failures, error_text FROM mailbox_reading")
        raise AssertionError(f"{error}: {exchange.world.statuses()}, {readings}") from error


def _put_into_sent(office: PostOffice, account: str, mails: list[bytes]) -> None:
    """A provider puts its own copies into the Sent folder."""
    names = [f"copy-{_recipient(raw)}:2,S" for raw in mails]
    office.put_aside(account, [(name, raw, utc_now()) for name, raw in zip(names, mails, strict=True)], "Sent")


def _recipient(raw: bytes) -> str:
    return parseaddr(str(email.message_from_bytes(raw)["To"]))[1]


def _let_silence_pass(world: World, data_dir: Path) -> None:
    """The heartbeat of a dead worker and the leases on mailboxes are as old as they would be some minutes later."""
    with world.db.transaction() as session:
        connection = session.connection()
        connection.execute(
            text("UPDATE worker SET beat_at = beat_at - :time WHERE name LIKE :name"),
            {"time": SILENT_AFTER, "name": f"%:{data_dir.resolve()}:%"},
        )
        connection.execute(text("UPDATE mailbox_reading SET lease_until = lease_until - :time"), {"time": LEASE})


def _mail(sender: str, to: str, subject: str, rfc_id: str, answered: str = "") -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    mail["Date"], mail["Message-ID"] = format_datetime(utc_now()), rfc_id
    if answered:
        mail["In-Reply-To"] = mail["References"] = answered
    mail.set_content("Oui, volontiers.")
    return mail.as_bytes()
