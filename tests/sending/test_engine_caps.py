"""Guarantee 4: over any cap, never; also with two workers at the same moment."""

import random
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event

from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.campaigns.self_tests import queue_test
from fluenzr_app.mail.transport import SendFailure
from fluenzr_app.sending import caps
from fluenzr_app.sending.claim import Claimer
from fluenzr_app.sending.mark import mark
from fluenzr_app.sending.values import Claimed
from tests.engine_world import ALWAYS, OFFICE_HOURS, ON_POSTGRESQL, ON_SQLITE, ONE_MAIL, EngineWorld

PARIS = ZoneInfo("Europe/Paris")
FIRST, SECOND = 901, 902


def most_within(moments: list[datetime], span: timedelta) -> int:
    return max((sum(start <= other < start + span for other in moments) for start in moments), default=0)


@ON_SQLITE
async def test_the_rolling_day_of_an_account_is_never_exceeded(world: EngineWorld) -> None:
    account = world.account(daily_limit=10)
    world.campaign([account], world.people(40))
    for _ in range(30):
        await world.tick()
        world.clock.advance(timedelta(hours=world.rng.choice((1, 3, 5))))
    assert len(world.attempts()) == 40
    assert most_within(world.attempts(), timedelta(hours=24)) == 10
    world.check_books()


@ON_SQLITE
async def test_the_rolling_hour_of_an_account_is_never_exceeded(world: EngineWorld) -> None:
    account = world.account(hourly_limit=3)
    world.campaign([account], world.people(20))
    for _ in range(30):
        await world.tick()
        world.clock.advance(timedelta(minutes=world.rng.choice((7, 20, 31))))
    assert most_within(world.attempts(), timedelta(minutes=60)) == 3
    assert len(world.attempts()) == 20


async def test_the_hourly_cap_of_a_campaign_counts_all_its_accounts(world: EngineWorld) -> None:
    accounts = [world.account("lea"), world.account("tom"), world.account("zoe")]
    world.campaign(accounts, world.people(20), settings={**ALWAYS, "maxEmailsPerHour": 4})
    for _ in range(12):
        await world.tick()
        world.clock.advance(timedelta(minutes=20))
    assert most_within(world.attempts(), timedelta(minutes=60)) == 4
    assert 12 <= len(world.attempts()) <= 20


async def test_new_contacts_a_day_are_counted_by_the_day_of_the_campaign(world: EngineWorld) -> None:
    settings = {**ALWAYS, "timezone": "Europe/Paris", "newContactsPerDay": 5}
    world.campaign([world.account("lea"), world.account("tom")], world.people(23), settings=settings)
    for _ in range(5 * 8):
        await world.tick()
        world.clock.advance(timedelta(hours=3))
    days = Counter(moment.astimezone(PARIS).date() for moment in world.attempts())
    assert sorted(days.values()) == [3, 5, 5, 5, 5]


async def test_at_most_so_many_a_day_to_one_company(world: EngineWorld) -> None:
    settings = {**ALWAYS, "timezone": "Europe/Paris", "maxPerCompanyPerDay": 2}
    people = world.people(6, "a", "alpha.example") + world.people(3, "b", "beta.example")
    campaign = world.campaign([world.account("lea"), world.account("tom")], people, settings=settings)
    for _ in range(5 * 8):
        await world.tick()
        world.clock.advance(timedelta(hours=3))
    days = Counter((taken.at.astimezone(PARIS).date(), taken.recipient[0]) for taken in world.office.taken)
    assert max(days.values()) == 2
    assert len(world.office.taken) == 9
    assert world.status_of(campaign) == "completed"
    world.check_books()


@ON_SQLITE
async def test_the_company_cap_holds_through_a_day_of_25_hours(world: EngineWorld) -> None:
    settings = {**ALWAYS, "timezone": "Europe/Paris", "maxPerCompanyPerDay": 1}
    world.clock.set(datetime(2026, 10, 25, 12, tzinfo=PARIS))
    world.campaign([world.account()], world.people(3, domain="alpha.example"), settings=settings)
    await world.tick()
    due = world.moment("SELECT min(due_at) FROM message WHERE status = 'queued' AND reason = 'company_cap'")
    assert due == datetime(2026, 10, 26, 0, tzinfo=PARIS)


@ON_SQLITE
async def test_the_ramp_rises_week_by_week_from_the_first_campaign_mail(world: EngineWorld) -> None:
    account = world.account(ramp_enabled=True, daily_limit=150)
    begun = world.clock.now()
    world.campaign([account], world.people(900))
    by_week = []
    for week in range(5):
        world.clock.set(begun + timedelta(days=7 * week + 2))
        before = len(world.office.taken)
        await world.tick(2)
        by_week.append(len(world.office.taken) - before)
        if week == 0:
            begun = world.clock.now()
            assert world.moment("SELECT first_campaign_send_at FROM email_account") == begun
    assert by_week == [25, 45, 70, 100, 150]


@ON_SQLITE
async def test_a_limit_lowered_between_claim_and_mark_counts(world: EngineWorld) -> None:
    account = world.account(daily_limit=10)
    campaign = world.campaign([account], world.people(10))
    await world.engine.start()
    claims = world.claim(account).claimed
    assert len(claims) == 10
    world.pause(campaign)
    world.settings(campaign, maxEmailsPerHour=4)
    world.resume(campaign)
    world.mark(claims)
    await world.tick(2)
    assert len(world.office.taken) == 4


async def test_what_is_claimed_and_what_is_uncertain_count(world: EngineWorld) -> None:
    account = world.account(daily_limit=6)
    world.campaign([account], world.people(20))
    await world.engine.start()
    assert len(world.claim(account, 4).claimed) == 4
    assert len(world.claim(account, 100).claimed) == 2
    await world.crash()
    world.office.whenever = lambda _account, _recipient: SendFailure("message", "no answer", certain=False)
    for _ in range(8):
        await world.tick()
    assert world.messages()["uncertain"] == 6
    assert len(world.office.offered) == 6
    world.check_books()


async def test_a_test_to_oneself_counts_but_waits_for_no_gap_and_no_window(world: EngineWorld) -> None:
    account = world.account(min_gap_seconds=600, daily_limit=2)
    world.clock.set(datetime(2026, 3, 2, 22, tzinfo=UTC))
    campaign = world.campaign([account], world.people(3), settings=OFFICE_HOURS)
    with world.db.transaction() as session:
        for number in range(3):
            queue_test(
                session, world.workspace_id, campaign, "n1", account, f"me{number}@rivage.example",
                world.clock.now(), random.Random(number),
            )  # fmt: skip
    await world.tick(3)
    assert sorted(world.office.recipients()) == ["me0@rivage.example", "me1@rivage.example"]
    await world.run_until(datetime(2026, 3, 3, 12, tzinfo=UTC))
    assert len(world.office.taken) == 2, "the daily limit is the account's, whatever kind of mail"
    assert world.one("SELECT count(*) FROM event WHERE type LIKE 'email.%'") == 0, "a test is no campaign mail"


@pytest.mark.parametrize("counted", ["account", "hourly", "new", "company"])
@ON_POSTGRESQL
async def test_a_mark_between_two_counts_of_a_claim_is_not_overlooked(world: EngineWorld, counted: str) -> None:
    """A claim counts attempts and claims in two statements; a mark of another worker may commit between them."""
    settings = {
        "account": ALWAYS,
        "hourly": {**ALWAYS, "maxEmailsPerHour": 5},
        "new": {**ALWAYS, "newContactsPerDay": 5},
        "company": {**ALWAYS, "maxPerCompanyPerDay": 5},
    }[counted]
    first = world.account("lea", daily_limit=5 if counted == "account" else 1000)
    second = first if counted == "account" else world.account("tom")
    world.campaign([first, second], world.people(20, domain="same.example"), settings=settings)
    await world.engine.start()
    mine, other = world.claimer(FIRST), world.claimer(SECOND)
    claims = world.claim(first, 5, mine).claimed
    assert len(claims) == 5
    waiting = list(claims)
    done = threading.Event()

    def mark_one() -> None:
        world.db.transact(mark, mine, [waiting.pop()], world.clock.now())

    def between(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        counts = "count(" in statement and ("FROM attempt" in statement or "FROM message" in statement)
        if counts and waiting and threading.current_thread() is claiming:
            worker = threading.Thread(target=mark_one)
            worker.start()
            worker.join(10)

    found: list[Claimed] = []

    def claim() -> None:
        found.extend(world.claim(second, 20, other).claimed)
        done.set()

    claiming = threading.Thread(target=claim)
    event.listen(world.db.engine, "after_cursor_execute", between)
    try:
        claiming.start()
        claiming.join(30)
    finally:
        event.remove(world.db.engine, "after_cursor_execute", between)
    assert done.is_set()
    assert len(waiting) < 5, "the race was not run"
    assert found == []


async def test_many_workers_claiming_at_once_exceed_no_cap_and_share_no_row(world: EngineWorld) -> None:
    accounts = [world.account(name, daily_limit=30) for name in ("lea", "tom", "zoe")]
    settings = {**ALWAYS, "maxEmailsPerHour": 50, "maxPerCompanyPerDay": 20}
    world.campaign(accounts, world.people(120, domain="d{}.example"), ONE_MAIL, settings)
    world.execute("UPDATE contact SET domain = 'big.example' WHERE id % 2 = 0")
    await world.engine.start()
    barrier = threading.Barrier(4)
    claimed: list[int] = []
    faults: list[BaseException] = []
    lock = threading.Lock()

    def work(number: int) -> None:
        claimer = Claimer(1000 + number, world.new_origins(), random.Random(number))
        barrier.wait()
        try:
            for turn in range(6):
                claims = world.claim(accounts[(number + turn) % 3], 7, claimer).claimed
                with lock:
                    claimed.extend(claim.message.id for claim in claims)
                world.mark(claims[: len(claims) // 2], claimer)
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert faults == []
    assert len(claimed) == len(set(claimed))
    assert 40 <= len(claimed) <= 50
    with world.db.read() as session:
        for account_id in accounts:
            account = session.get_one(EmailAccount, account_id)
            used = caps.usage(session, account_id, world.clock.now())
            assert used.day + used.claimed <= 30
            assert caps.room(account, used, world.clock.now()).any >= 0
    busy = Counter(row[0] for row in world.rows("SELECT to_domain FROM message WHERE status IN ('claimed', 'sending')"))
    assert busy["big.example"] <= 20
