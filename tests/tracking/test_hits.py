"""Hits are stored in groups, durably, and none is lost in silence."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, text

from fluenzr_app.clock import ManualClock
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database
from fluenzr_app.tracking.hits import HitNotStored, HitStore, NewHit, TooManyHits
from fluenzr_app.tracking.link_keys import RetiredLinkKeys, none_retired
from fluenzr_app.tracking.links import TrackedMail, open_token_for, read_open
from fluenzr_app.workspaces import secrets
from fluenzr_app.workspaces.secrets import CLICK_PURPOSE, OPEN_PURPOSE
from tests.people import People

AGENT = "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/128.0"


@pytest.fixture
def store(database: Database) -> HitStore:
    return HitStore(database)


@pytest.fixture
def mail(people: People, clock: ManualClock) -> TrackedMail:
    return TrackedMail(people.workspace_id, 1, 2, 3, 4, 5, clock.now() - timedelta(hours=1))


@pytest.fixture
def hit(mail: TrackedMail, clock: ManualClock) -> NewHit:
    return NewHit("open", mail, clock.now(), "", ip="203.0.113.9", user_agent=AGENT)


def of_message(hit: NewHit, number: int) -> NewHit:
    mail = hit.mail
    other = TrackedMail(
        mail.workspace_id, number, mail.contact_id, mail.campaign_id, mail.account_id, mail.node_id, mail.composed_at
    )
    return NewHit(hit.kind, other, hit.at, hit.rule, hit.link, hit.tracks_opens, hit.ip, hit.user_agent)


def rows(database: Database) -> list[Any]:
    with database.read() as session:
        return list(session.connection().execute(text("SELECT * FROM hit ORDER BY message_id, id")).all())


@contextlib.contextmanager
def commits(database: Database) -> Iterator[list[int]]:
    """How often the database commits inside the block."""
    counted: list[int] = []

    def count(_connection: object) -> None:
        counted.append(1)

    event.listen(database.engine, "commit", count)
    try:
        yield counted
    finally:
        event.remove(database.engine, "commit", count)


@contextlib.contextmanager
def occupied(database: Database) -> Iterator[None]:
    """Somebody else holds what a hit needs until the block ends."""
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with database.transaction() as session:
            if not database.is_sqlite:
                session.connection().execute(text("LOCK TABLE hit IN EXCLUSIVE MODE"))
            held.set()
            done.wait(30)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(10)
    try:
        yield
    finally:
        done.set()
        holder.join()


@contextlib.contextmanager
def broken(database: Database) -> Iterator[None]:
    """The table is not there."""
    with database.transaction() as session:
        session.connection().execute(text("ALTER TABLE hit RENAME TO hit_elsewhere"))
    try:
        yield
    finally:
        with database.transaction() as session:
            session.connection().execute(text("ALTER TABLE hit_elsewhere RENAME TO hit"))


async def test_a_hit_is_there_when_it_returns_with_everything_but_details(
    store: HitStore, database: Database, mail: TrackedMail, clock: ManualClock
):
    click = NewHit(
        "click", mail, clock.now(), "scanner", "https://rivage.example/é", True, "203.0.113.9", "Mozilla/5.0"
    )
    await store.store(click)
    with database.read() as session:
        from fluenzr_app.tracking.models import Hit

        found = session.get(Hit, rows(database)[0].id)
    assert found is not None
    assert (found.workspace_id, found.message_id, found.contact_id) == (mail.workspace_id, 1, 2)
    assert (found.campaign_id, found.account_id, found.node_id) == (3, 4, 5)
    assert (found.kind, found.rule, found.link, found.tracks_opens) == (
        "click", "scanner", "https://rivage.example/é", True,
    )  # fmt: skip
    assert (found.composed_at, found.at) == (mail.composed_at, clock.now())
    assert (found.ip, found.user_agent, found.machine, found.judged_at) == ("", "", None, None)


async def test_details_are_kept_only_where_the_workspace_says_so_also_within_a_group(
    store: HitStore, database: Database, people: People, hit: NewHit
):
    with database.transaction() as session:
        session.connection().execute(
            text("UPDATE workspace SET tracking_details = true WHERE id = :id"), {"id": people.other_workspace_id}
        )
    theirs = TrackedMail(people.other_workspace_id, 9, 9, 0, 0, 0, hit.mail.composed_at)
    long_agent = AGENT + "x" * 5_000
    await asyncio.gather(
        store.store(hit), store.store(NewHit("open", theirs, hit.at, "", ip="203.0.113.9", user_agent=long_agent))
    )
    ours, kept = rows(database)
    assert (ours.ip, ours.user_agent) == ("", "")
    assert kept.ip == "203.0.113.9"
    assert kept.user_agent.startswith(AGENT)
    assert len(kept.user_agent) == 500


async def test_many_hits_share_few_commits(store: HitStore, database: Database, hit: NewHit):
    with commits(database) as counted:
        await asyncio.gather(*(store.store(of_message(hit, number)) for number in range(1, 1_301)))
    assert [row.message_id for row in rows(database)] == list(range(1, 1_301))
    assert len(counted) <= 10


async def test_what_somebody_plays_with_fills_no_table_and_hides_nobody(
    store: HitStore, database: Database, hit: NewHit, clock: ManualClock
):
    machine = replace(hit, rule="agent")
    for _ in range(150):
        await store.store(machine)
    await store.store(hit)
    await store.store(of_message(machine, 2))
    await store.store(replace(machine, kind="click", link="https://rivage.example/"))
    assert len(rows(database)) == 100 + 3
    for later in (timedelta(minutes=1), timedelta(minutes=-5)):
        await store.store(replace(machine, at=hit.at + later))
    assert len(rows(database)) == 100 + 5


async def test_hits_of_a_workspace_that_is_gone_are_dropped_and_the_others_of_the_group_stored(
    store: HitStore, database: Database, hit: NewHit
):
    unknown = NewHit("open", TrackedMail(987_654, 1, 1, 1, 1, 1, hit.at), hit.at, "")
    await asyncio.gather(store.store(unknown), store.store(hit), store.store(unknown))
    assert [row.workspace_id for row in rows(database)] == [hit.mail.workspace_id]


async def test_a_failure_of_the_database_reaches_every_waiting_caller_and_the_next_hit_is_stored_again(
    store: HitStore, database: Database, hit: NewHit
):
    with broken(database):
        outcomes = await asyncio.gather(*(store.store(hit) for _ in range(20)), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {HitNotStored}
    assert all(isinstance(outcome, HitNotStored) and outcome.__cause__ for outcome in outcomes)
    await store.store(hit)
    assert len(rows(database)) == 1


async def test_a_client_that_goes_away_takes_nothing_along(store: HitStore, database: Database, hit: NewHit):
    with occupied(database):
        first = asyncio.create_task(store.store(of_message(hit, 1)))
        await asyncio.sleep(0)
        waiting = [asyncio.create_task(store.store(of_message(hit, number))) for number in range(2, 12)]
        await asyncio.sleep(0.05)
        for gone in (first, waiting[3], waiting[9]):
            gone.cancel()
        await asyncio.sleep(0)
    outcomes = await asyncio.gather(first, *waiting, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes].count(asyncio.CancelledError) == 3
    await store.close()
    assert [row.message_id for row in rows(database)] == list(range(1, 12))


async def test_beyond_the_bound_a_hit_is_refused_and_those_that_wait_are_stored(database: Database, hit: NewHit):
    store = HitStore(database, most_waiting=3)
    with occupied(database):
        under_way = asyncio.create_task(store.store(of_message(hit, 1)))
        await asyncio.sleep(0.01)
        waiting = [asyncio.create_task(store.store(of_message(hit, number))) for number in (2, 3, 4)]
        await asyncio.sleep(0.01)
        with pytest.raises(TooManyHits):
            await store.store(of_message(hit, 5))
    await asyncio.gather(under_way, *waiting)
    assert [row.message_id for row in rows(database)] == [1, 2, 3, 4]


async def test_closing_stores_what_waits_and_takes_no_more(store: HitStore, database: Database, hit: NewHit):
    with occupied(database):
        waiting = [asyncio.create_task(store.store(of_message(hit, number))) for number in (1, 2)]
        await asyncio.sleep(0.01)
        closing = asyncio.create_task(store.close())
        await asyncio.sleep(0.01)
        with pytest.raises(TooManyHits):
            await store.store(hit)
    await asyncio.gather(closing, *waiting)
    assert len(rows(database)) == 2


async def test_a_text_that_a_database_refuses_does_not_keep_others_from_being_stored(
    store: HitStore, database: Database, hit: NewHit
):
    odd = NewHit("click", hit.mail, hit.at, "", "https://rivage.example/\0x")
    await asyncio.gather(store.store(hit), store.store(odd))
    assert sorted(row.link for row in rows(database)) == ["", "https://rivage.example/x"]


async def test_keys_from_before_a_rotation_are_read_once_and_open_old_links(
    database: Database, keyring: KeyRing, people: People, mail: TrackedMail, clock: ManualClock
):
    old_link = open_token_for(keyring, mail)
    second, third = KeyRing(b"the second key: 32 bytes of it.." * 2), KeyRing(b"the third key: 32 bytes of it..." * 2)
    for old, new in ((keyring, second), (second, third)):
        clock.advance(timedelta(days=1))
        with database.transaction() as session:
            secrets.reseal_all(session, old, new, clock.now())
    retired = RetiredLinkKeys(database, third)
    assert retired(OPEN_PURPOSE) == ()
    with reads(database) as counted:
        await asyncio.gather(*(retired.load() for _ in range(50)))
        await retired.load()
    assert len(counted) == 1
    assert retired(OPEN_PURPOSE) == [second.derive(OPEN_PURPOSE), keyring.derive(OPEN_PURPOSE)]
    assert retired(CLICK_PURPOSE) == [second.derive(CLICK_PURPOSE), keyring.derive(CLICK_PURPOSE)]
    assert read_open(third, old_link, retired).message_id == mail.message_id
    assert none_retired(OPEN_PURPOSE) == ()


@contextlib.contextmanager
def reads(database: Database) -> Iterator[list[int]]:
    """How many transactions begin inside the block."""
    counted: list[int] = []

    def count(_connection: object) -> None:
        counted.append(1)

    event.listen(database.engine, "begin", count)
    try:
        yield counted
    finally:
        event.remove(database.engine, "begin", count)
