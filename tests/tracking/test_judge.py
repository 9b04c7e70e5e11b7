"""Who made each hit: the rules and their order, bursts cut in two, and that each event happens once."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event as sqlalchemy_event
from sqlmodel import Session, col, select

from fluenzr_app.clock import ManualClock
from fluenzr_app.contacts.models import Contact
from fluenzr_app.contacts.service import delete_contacts
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database
from fluenzr_app.events import figures
from fluenzr_app.events.models import Event
from fluenzr_app.tracking import judge
from fluenzr_app.tracking.hits import NewHit, write_hits
from fluenzr_app.tracking.judge import anything_due, forget_old_details, judge_due
from fluenzr_app.tracking.links import TrackedMail
from fluenzr_app.tracking.machines import Kind
from fluenzr_app.tracking.models import Hit
from fluenzr_app.tracking.objections import object_to_tracking
from fluenzr_app.workspaces.models import Workspace
from tests.people import People, make_contact

SECOND = timedelta(seconds=1)
LATER = timedelta(hours=2)


@dataclass
class Desk:
    """A workspace with contacts, the hits that their mails get, and a judge."""

    database: Database
    clock: ManualClock
    people: People
    contacts: list[int]
    sent_at: datetime
    more: dict[str, Any] = field(default_factory=dict)

    def mail(self, message_id: int = 1, contact: int = 0) -> TrackedMail:
        """The mail with that key; it left at `sent_at`."""
        return TrackedMail(
            self.people.workspace_id, message_id, self.contacts[contact], 7, 5, 11 + message_id % 2, self.sent_at
        )

    def hit(
        self, seconds: float, kind: Kind = "open", rule: str = "", link: str = "", message_id: int = 1, **more: Any
    ) -> NewHit:
        """A request so many seconds after `sent_at`."""
        at = self.sent_at + timedelta(seconds=seconds)
        mail = self.mail(message_id, more.pop("contact", 0))
        return NewHit(kind, mail, at, rule, link=link, **more)

    def open(self, seconds: float, rule: str = "", **more: Any) -> NewHit:
        """A pixel asked for."""
        return self.hit(seconds, "open", rule, **more)

    def click(self, seconds: float, link: str = "https://a.example/", rule: str = "", **more: Any) -> NewHit:
        """A link asked for."""
        return self.hit(seconds, "click", rule, link, **more)

    def trap(self, seconds: float, **more: Any) -> NewHit:
        """The hidden link asked for."""
        return self.hit(seconds, "click", "trap", **more)

    def store(self, *hits: NewHit) -> None:
        """What the routes do, in order of time."""
        with self.database.transaction() as session:
            write_hits(session, hits)

    def judge(self, seconds: float = 3600, limit: int = judge.AT_ONCE) -> int:
        """Judge all that is due so many seconds after `sent_at`."""
        count = 0
        while done := self.database.transact(judge_due, self.sent_at + timedelta(seconds=seconds), limit):
            count += done
        return count

    def set(self, **settings: Any) -> None:
        """Change the workspace's settings."""
        with self.database.transaction() as session:
            workspace = session.get_one(Workspace, self.people.workspace_id)
            for name, value in settings.items():
                setattr(workspace, name, value)
            session.add(workspace)

    def events(self) -> list[Event]:
        """All events of opens and clicks, in the order in which they were stored by time."""
        with self.database.read() as session:
            assert figures.verify(session) == []
            return list(
                session.exec(select(Event).where(col(Event.type).like("email.%")).order_by(col(Event.at), Event.type))
            )

    def told(self) -> Counter[tuple[str, bool, str]]:
        """The events by type, machine and rule."""
        return Counter((each.type, each.machine, (each.data or {})["rule"]) for each in self.events())

    def rows(self) -> list[Hit]:
        """The hits that are stored."""
        with self.database.read() as session:
            return list(session.exec(select(Hit).order_by(col(Hit.at), col(Hit.id))))


@pytest.fixture
def desk(database: Database, keyring: KeyRing, clock: ManualClock, people: People) -> Desk:
    """Ten contacts to whom mails went an hour ago."""
    now = clock.now()
    with database.transaction() as session:
        contacts = [
            make_contact(session, keyring, people.workspace_id, f"person{index}@leser.example", now)
            for index in range(10)
        ]
    return Desk(database, clock, people, contacts, now.replace(microsecond=0))


def test_a_person_opens_and_clicks_and_nothing_else_is_kept(desk: Desk) -> None:
    desk.store(desk.open(100), desk.open(200), desk.click(300, "https://a.example/?x={{ y }}", ip="192.0.2.7"))
    assert desk.judge() == 3
    assert desk.told() == {
        ("email.opened", False, "person"): 1,
        ("email.clicked", False, "person"): 1,
        ("email.link_clicked", False, "person"): 1,
    }
    opened = next(each for each in desk.events() if each.type == "email.opened")
    assert opened.at == desk.sent_at + timedelta(seconds=100)
    assert opened.dedupe_key == "email.opened:message:1"
    assert (opened.message_id, opened.contact_id, opened.campaign_id, opened.account_id, opened.node_id) == (
        1, desk.contacts[0], 7, 5, 12,
    )  # fmt: skip
    clicked = next(each for each in desk.events() if each.type == "email.clicked")
    assert clicked.data == {"rule": "person", "link": "https://a.example/?x={{ y }}"}
    assert desk.rows() == []


def test_nothing_is_judged_before_its_time(desk: Desk) -> None:
    desk.store(desk.open(100))
    with desk.database.read() as session:
        assert not anything_due(session, desk.sent_at + 109.9 * SECOND)
        assert anything_due(session, desk.sent_at + 110 * SECOND)
    assert desk.judge(109.9) == 0
    assert desk.events() == []
    assert desk.judge(110) == 1


@pytest.mark.parametrize(
    ("rule", "seconds", "judged", "machine"),
    [
        ("", 9.9, "too_soon", True),
        ("", 10.0, "person", False),
        ("head", 100, "head", True),
        ("scanner", 5, "scanner", True),
        ("network", 100, "network", True),
        ("no_agent", 100, "no_agent", True),
        ("proxy_gmail", 5, "too_soon", True),
        ("proxy_gmail", 100, "proxy_gmail", False),
        ("proxy_yahoo", 100, "proxy_yahoo", False),
        ("proxy_apple", 100, "proxy_apple", True),
    ],
)
def test_what_the_request_told_goes_before_what_its_time_tells(
    desk: Desk, rule: str, seconds: float, judged: str, machine: bool
) -> None:
    desk.store(desk.open(seconds, rule))
    desk.judge()
    assert desk.told() == {("email.opened", machine, judged): 1}


@pytest.mark.parametrize(("proxy_opens", "persons"), [("all", 3), ("on_open", 2), ("none", 0)])
def test_openings_through_proxies_count_as_the_workspace_says(desk: Desk, proxy_opens: str, persons: int) -> None:
    desk.set(proxy_opens=proxy_opens)
    desk.store(
        *(desk.open(100, f"proxy_{name}", message_id=no) for no, name in enumerate(("apple", "gmail", "yahoo"), 1))
    )
    desk.judge()
    told = desk.told()
    assert sum(n for (_, machine, _), n in told.items() if not machine) == persons
    assert {rule for _, _, rule in told} == {"proxy_apple", "proxy_gmail", "proxy_yahoo"}


def test_all_links_at_once_are_a_machine_and_so_is_what_comes_with_them(desk: Desk) -> None:
    desk.store(
        desk.open(99),
        desk.click(100, "https://a.example/"),
        desk.click(100.2, "https://a.example/"),
        desk.click(102.9, "https://b.example/"),
        desk.open(110, "proxy_gmail"),
        desk.click(150, "https://a.example/"),
        desk.click(164, "https://a.example/", tracks_opens=True),
    )
    desk.judge()
    told = desk.told()
    assert told["email.opened", True, "burst"] == 1
    assert told["email.clicked", True, "all_links"] == 1
    assert told["email.link_clicked", True, "all_links"] == 2
    # More than a minute after the last of them it is somebody.
    assert told["email.clicked", False, "person"] == 1
    assert told["email.opened", False, "by_click"] == 1
    assert sum(told.values()) == 7
    assert desk.rows() == []


def test_two_links_of_different_mails_are_not_all_at_once(desk: Desk) -> None:
    desk.store(desk.click(100, "https://a.example/"), desk.click(101, "https://b.example/", message_id=2, contact=1))
    desk.store(
        desk.click(200, "https://a.example/", message_id=3), desk.click(203.1, "https://b.example/", message_id=3)
    )
    desk.judge()
    assert {(machine, rule) for _, machine, rule in desk.told()} == {(False, "person")}


def test_the_hidden_link_goes_before_everything(desk: Desk) -> None:
    desk.store(desk.trap(5), desk.click(5.1, rule="head"), desk.click(6, rule="scanner"), desk.open(6.5), desk.open(40))
    desk.judge()
    clicked = [each for each in desk.events() if each.type == "email.clicked"]
    assert [(each.machine, each.data) for each in clicked] == [(True, {"rule": "trap"})]
    # The request's own word goes before the burst; so does the time.
    assert desk.told() == {
        ("email.clicked", True, "trap"): 1,
        ("email.link_clicked", True, "head"): 1,
        ("email.opened", True, "too_soon"): 1,
    }


def test_a_click_tells_of_an_opening_only_where_openings_are_asked_after(desk: Desk) -> None:
    desk.store(
        desk.click(100, tracks_opens=True),
        desk.click(100, message_id=2, contact=1),
        desk.click(100, rule="head", tracks_opens=True, message_id=3, contact=2),
    )
    desk.judge()
    assert {key for key in desk.told() if key[0] == "email.opened"} == {("email.opened", False, "by_click")}
    desk.set(track_opens=False)
    desk.store(desk.click(200, tracks_opens=True, message_id=4))
    desk.judge()
    assert desk.told()["email.opened", False, "by_click"] == 1


@pytest.mark.parametrize("limit", [1, 2, 3, 500])
def test_a_burst_that_the_limit_cuts_is_judged_as_one(desk: Desk, limit: int) -> None:
    desk.store(
        desk.open(98), desk.click(100), desk.open(100, message_id=2, contact=1), desk.click(101, "https://b.example/"),
        desk.open(159),
    )  # fmt: skip
    assert desk.judge(limit=limit) == 5
    assert desk.told() == {
        ("email.opened", True, "burst"): 1,
        ("email.opened", False, "person"): 1,
        ("email.clicked", True, "all_links"): 1,
        ("email.link_clicked", True, "all_links"): 2,
    }
    assert desk.rows() == []


@pytest.mark.parametrize("anchor", ["trap", "all_links"])
@pytest.mark.parametrize("details", [False, True])
def test_a_burst_that_is_judged_while_it_goes_on_stays_a_burst(desk: Desk, anchor: str, details: bool) -> None:
    desk.set(tracking_details=details)
    first = desk.click(100, rule="head")
    desk.store(first)
    assert desk.judge(110) == 1
    if anchor == "trap":
        desk.store(desk.trap(120))
    else:
        desk.store(desk.click(120), desk.click(122, "https://b.example/"))
    desk.store(desk.click(131, "https://c.example/"))
    # The younger one is not due yet, but it is looked at; what is judged stays known for a minute.
    assert desk.judge(132) == (1 if anchor == "trap" else 2)
    desk.store(desk.open(170), desk.open(190, message_id=2, contact=1))
    desk.judge(182)
    desk.store(desk.open(183))
    desk.judge(210)
    told = desk.told()
    assert told["email.opened", True, "burst"] == 1
    assert told["email.link_clicked", True, "burst"] == 1
    assert told["email.opened", False, "person"] == 2
    assert [each.rule for each in desk.rows() if each.judged_at is None] == []
    if details:
        assert len(desk.rows()) == (6 if anchor == "trap" else 7)
    else:
        desk.judge(300)
        assert desk.rows() == []


def test_a_hit_that_is_not_due_yet_tells_of_the_burst_already(desk: Desk) -> None:
    desk.store(desk.click(100), desk.trap(109))
    assert desk.judge(110) == 1
    assert ("email.clicked", True, "burst") in desk.told()


def test_the_same_hits_again_change_nothing(desk: Desk) -> None:
    hits = [desk.open(100), desk.click(200), desk.click(205, "https://b.example/", rule="head")]
    desk.store(*hits)
    desk.judge()
    before = [each.model_dump() for each in desk.events()]
    for _ in range(3):
        desk.store(*(replace(each, at=each.at + LATER) for each in hits))
        assert desk.judge(9000) == 3
    assert [each.model_dump() for each in desk.events()] == before


def test_what_was_objected_to_is_dropped_from_then_on(desk: Desk) -> None:
    with desk.database.transaction() as session:
        email_hash = bytes(session.get_one(Contact, desk.contacts[0]).email_hash)
        object_to_tracking(session, desk.people.workspace_id, email_hash, desk.sent_at + 150 * SECOND)
    desk.set(tracking_details=True)
    desk.store(
        desk.open(100, ip="192.0.2.7"), desk.click(150, ip="192.0.2.7"), desk.click(160, contact=1, message_id=2)
    )
    assert desk.judge() == 3
    assert {(each.type, each.contact_id) for each in desk.events()} == {
        ("email.opened", desk.contacts[0]),
        ("email.clicked", desk.contacts[1]),
        ("email.link_clicked", desk.contacts[1]),
    }
    assert [(each.kind, each.contact_id) for each in desk.rows()] == [
        ("open", desk.contacts[0]),
        ("click", desk.contacts[1]),
    ]


@pytest.mark.parametrize(("switch", "left"), [("track_opens", "email.clicked"), ("track_clicks", "email.opened")])
def test_what_the_workspace_switched_off_is_dropped(desk: Desk, switch: str, left: str) -> None:
    desk.store(desk.open(100), desk.click(200, tracks_opens=True))
    desk.set(**{switch: False})
    assert desk.judge() == 2
    assert {each.type for each in desk.events()} - {"email.link_clicked"} == {left}
    assert desk.rows() == []


def test_hits_of_a_deleted_contact_count_without_a_name(desk: Desk) -> None:
    desk.set(tracking_details=True)
    desk.store(desk.open(100, ip="192.0.2.7", user_agent="Some program"))
    with desk.database.transaction() as session:
        delete_contacts(session, desk.people.workspace_id, desk.contacts[:1], desk.clock.now())
    desk.judge()
    assert [(each.type, each.contact_id, each.campaign_id) for each in desk.events()] == [("email.opened", None, 7)]
    assert desk.rows() == []


def test_who_objected_and_was_deleted_still_objects(desk: Desk) -> None:
    with desk.database.transaction() as session:
        email_hash = bytes(session.get_one(Contact, desk.contacts[0]).email_hash)
        object_to_tracking(session, desk.people.workspace_id, email_hash, desk.sent_at, desk.contacts[0])
        delete_contacts(session, desk.people.workspace_id, desk.contacts[:1], desk.clock.now())
    desk.store(desk.open(100), desk.click(200))
    assert desk.judge() == 2
    assert desk.events() == []
    assert desk.rows() == []


def test_a_contact_of_another_workspace_is_not_named(desk: Desk) -> None:
    stranger = replace(desk.mail(), workspace_id=desk.people.other_workspace_id)
    desk.store(NewHit("open", stranger, desk.sent_at + 100 * SECOND, ""))
    desk.judge()
    assert [(each.workspace_id, each.contact_id) for each in desk.events()] == [(desk.people.other_workspace_id, None)]


def test_details_are_kept_as_long_as_the_workspace_says_and_no_longer(desk: Desk) -> None:
    desk.set(tracking_details=True, tracking_details_days=30)
    desk.store(desk.open(100, ip="192.0.2.7", user_agent="Some program"), desk.open(200, ip="192.0.2.8"))
    desk.store(desk.click(5, rule="scanner", ip="198.51.100.1"))
    desk.judge()
    rows = desk.rows()
    assert [(each.rule, each.machine, each.ip) for each in rows] == [
        ("scanner", True, "198.51.100.1"),
        ("person", False, "192.0.2.7"),
        ("person", False, "192.0.2.8"),
    ]
    assert all(each.judged_at == desk.sent_at + timedelta(hours=1) for each in rows)
    month = desk.sent_at + timedelta(days=30)
    assert desk.database.transact(forget_old_details, month) == 0
    assert desk.database.transact(forget_old_details, month + 150 * SECOND, 1) == 1
    assert desk.database.transact(forget_old_details, month + 150 * SECOND, 1) == 1
    assert desk.database.transact(forget_old_details, month + 150 * SECOND, 1) == 0
    assert [each.ip for each in desk.rows()] == ["192.0.2.8"]
    desk.set(tracking_details=False)
    desk.judge()
    assert desk.rows() == []


def test_of_a_mail_that_somebody_plays_with_the_first_hits_are_kept(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judge, "_MOST_KEPT", 5)
    desk.set(tracking_details=True)
    desk.store(*(desk.open(100 + number, rule="agent") for number in range(4)))
    assert desk.judge() == 4
    desk.store(*(desk.open(200 + number) for number in range(4)), desk.open(300, message_id=2))
    assert desk.judge() == 5
    assert [(row.message_id, row.at - desk.sent_at) for row in desk.rows()] == [
        *((1, timedelta(seconds=seconds)) for seconds in (100, 101, 102, 103, 200)),
        (2, timedelta(seconds=300)),
    ]
    assert desk.told()["email.opened", False, "person"] == 2


def test_a_clock_that_was_set_back_makes_no_machine_of_a_person(desk: Desk) -> None:
    desk.store(desk.open(-3600), desk.click(-3500), desk.open(-2, message_id=2))
    desk.judge()
    assert desk.told() == {
        ("email.opened", False, "person"): 1,
        ("email.clicked", False, "person"): 1,
        ("email.link_clicked", False, "person"): 1,
        ("email.opened", True, "too_soon"): 1,
    }


def test_what_was_stored_before_details_were_given_up_loses_them_at_the_judgement(desk: Desk) -> None:
    desk.set(tracking_details=True)
    desk.store(desk.trap(100, ip="192.0.2.7", user_agent="Scanner/1"))
    desk.set(tracking_details=False)
    assert desk.judge(111) == 1
    assert [(row.rule, row.ip, row.user_agent) for row in desk.rows()] == [("trap", "", "")]


@pytest.mark.parametrize("together", [12, 13, 14, 15, 16])
def test_a_flood_of_one_mail_does_not_part_the_burst_of_another(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, together: int
) -> None:
    monkeypatch.setattr(judge, "_MOST_TOGETHER", together)
    flood = [desk.open(100 + number, rule="agent", message_id=2, contact=1) for number in range(60)]
    burst = [
        desk.click(at + away, f"https://{link}.example/")
        for at in (130, 145)
        for away, link in ((0.5, "a"), (2.9, "b"))
    ]
    desk.store(*flood, *burst)
    assert desk.judge() == 64
    told = desk.told()
    assert told["email.clicked", True, "all_links"] == 1
    assert told["email.clicked", False, "person"] == 0


def test_a_judgement_that_is_cut_off_is_made_again_as_a_whole(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.store(desk.open(100), desk.click(200))

    def die(*_: Any) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(judge, "_settle", die)
        with pytest.raises(RuntimeError):
            desk.judge()
    assert desk.events() == []
    assert len(desk.rows()) == 2
    assert desk.judge() == 2
    assert len(desk.events()) == 3


def test_two_judges_at_once_count_everything_once(desk: Desk) -> None:
    desk.store(*(desk.open(100 + no, message_id=no, contact=no % 10) for no in range(1, 301)))
    counts: list[int] = []
    begin = threading.Barrier(2)

    def work() -> None:
        begin.wait()
        while True:
            counts.append(judge.tick(desk.database, desk.sent_at + timedelta(hours=1)))
            with desk.database.read() as session:
                if not anything_due(session, desk.sent_at + timedelta(hours=1)):
                    return

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts) == 300
    assert desk.told() == {("email.opened", False, "person"): 300}


def test_random_hits_give_the_same_verdicts_however_they_are_cut(desk: Desk, rng: random.Random) -> None:
    hits = _random_hits(desk, rng, 400)
    desk.store(*hits)
    whole = _snapshot(desk, lambda: desk.judge(limit=10_000))
    desk.store(*hits)
    assert _snapshot(desk, lambda: desk.judge(limit=7)) == whole


def test_the_work_follows_what_is_due(desk: Desk, rng: random.Random) -> None:
    hits = [desk.open(100 + no / 100, message_id=no, contact=no % 10) for no in range(10_000)]
    desk.store(*hits)
    statements = _counted(desk)
    began = time.thread_time()
    assert desk.judge() == 10_000
    spent = time.thread_time() - began
    assert spent < 15
    per_batch = len(statements) / (10_000 / judge.AT_ONCE + 1)
    assert per_batch < 25
    statements.clear()
    assert judge.tick(desk.database, desk.sent_at + timedelta(hours=1)) == 0
    assert len([text for text in statements if "FROM hit" in text]) == 2
    assert desk.told() == {("email.opened", False, "person"): 10_000}


def _counted(desk: Desk) -> list[str]:
    statements: list[str] = []

    def note(_c: object, _cursor: object, text: str, *_: object) -> None:
        statements.append(text)

    sqlalchemy_event.listen(desk.database.engine, "before_cursor_execute", note)
    return statements


def _random_hits(desk: Desk, rng: random.Random, count: int) -> Sequence[NewHit]:
    moments = sorted(rng.uniform(0, 900) for _ in range(count))
    hits = []
    for seconds in moments:
        message = rng.randrange(1, 8)
        where: dict[str, Any] = {"message_id": message, "contact": message}
        rule = rng.choice(("", "", "", "head", "proxy_gmail"))
        if rng.random() < 0.5:
            hits.append(desk.open(seconds, rule, **where))
        elif rng.random() < 0.03:
            hits.append(desk.trap(seconds, **where))
        else:
            hits.append(desk.click(seconds, f"https://{rng.choice('ab')}.example/", rule, **where))
    return hits


def _snapshot(desk: Desk, work: Callable[[], object]) -> Counter[tuple[int | None, str, bool, str]]:
    work()
    found = Counter((each.message_id, each.dedupe_key, each.machine, str(each.data)) for each in desk.events())
    with desk.database.transaction() as session:
        _forget(session)
    return found


def _forget(session: Session) -> None:
    connection = session.connection()
    for table in ("event", "rollup", "hit"):
        connection.exec_driver_sql(f"DELETE FROM {table}")
