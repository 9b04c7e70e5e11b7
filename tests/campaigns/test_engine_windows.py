"""Guarantees 4 and 8: never outside the window, in any zone and both nights of the clock; and the cost of a tick."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, text

from fluenzr_app.campaigns.progress import list_walks
from fluenzr_app.mail.transport import SendFailure
from tests.engine_world import ALWAYS, OFFICE_HOURS, ON_SQLITE, TWO_MAILS, EngineWorld

_WHOLE_TABLE = re.compile(r"(?:SCAN|Seq Scan on) (?:message|enrollment|contact|attempt|event)\b(?! USING)")
PARIS, AUCKLAND, NEW_YORK = ZoneInfo("Europe/Paris"), ZoneInfo("Pacific/Auckland"), ZoneInfo("America/New_York")


@ON_SQLITE
@pytest.mark.parametrize("begin", [datetime(2026, 3, 28, 20, tzinfo=UTC), datetime(2026, 10, 24, 20, tzinfo=UTC)])
@pytest.mark.parametrize("hours", [(0, 3), (2, 4), (9, 18)])
async def test_nothing_leaves_outside_the_window_in_the_nights_of_the_clock(
    world: EngineWorld, begin: datetime, hours: tuple[int, int]
) -> None:
    world.clock.set(begin)
    every_day = {**ALWAYS, "timezone": "Europe/Paris", "sendHoursStart": hours[0], "sendHoursEnd": hours[1]}
    world.campaign([world.account(hourly_limit=2)], world.people(60), settings=every_day)
    await world.run_until(begin + timedelta(hours=30), longest=timedelta(minutes=30))
    sent = [taken.at.astimezone(PARIS) for taken in world.office.taken]
    assert all(hours[0] <= moment.hour < hours[1] for moment in sent)
    opens = sum(hours[0] <= (begin + timedelta(minutes=m)).astimezone(PARIS).hour < hours[1] for m in range(30 * 60))
    assert len(sent) >= 2 * (opens // 60)
    world.check_books()


@ON_SQLITE
async def test_each_contact_is_written_to_in_the_hours_of_their_own_zone(world: EngineWorld) -> None:
    people = [
        *world.people(3, "nz", timezone="Pacific/Auckland"),
        *world.people(3, "us", timezone="America/New_York"),
        *world.people(3, "fr", country="France"),
        *world.people(3, "xx"),
    ]
    settings = {**OFFICE_HOURS, "useContactTimezone": True}
    campaign = world.campaign([world.account()], people, TWO_MAILS, settings)
    await world.run_for(days=8)
    zones = {"nz": AUCKLAND, "us": NEW_YORK, "fr": PARIS, "xx": PARIS}
    for taken in world.office.taken:
        local = taken.at.astimezone(zones[taken.recipient[:2]])
        assert 9 <= local.hour < 18
        assert local.weekday() < 5
    assert set(world.office.counted().values()) == {2}
    assert len(world.office.counted()) == 12
    assert world.status_of(campaign) == "completed"
    world.check_books()


@ON_SQLITE
async def test_a_delay_of_days_keeps_the_local_hour_across_the_change(world: EngineWorld) -> None:
    world.clock.set(datetime(2026, 3, 27, 10, 30, tzinfo=PARIS))
    every_day = {**ALWAYS, "timezone": "Europe/Paris"}
    world.campaign([world.account()], world.people(1), TWO_MAILS, every_day)
    await world.run_for(days=4)
    _, second = (taken.at.astimezone(PARIS) for taken in world.office.taken)
    assert second == datetime(2026, 3, 30, 10, 30, tzinfo=PARIS)


@ON_SQLITE
async def test_skipped_dates_and_closed_days_are_kept_by_follow_ups_too(world: EngineWorld) -> None:
    settings = {**OFFICE_HOURS, "skipDates": ["2026-03-05", "2026-03-06"]}
    world.campaign([world.account()], world.people(2), TWO_MAILS, settings)
    await world.run_for(days=8)
    assert sorted({taken.at.astimezone(PARIS).date().day for taken in world.office.taken}) == [2, 9]


async def _busy_world(world: EngineWorld, count: int) -> None:
    """A world in which `count` people wait, few things are due, and the database knows its own sizes."""
    account = world.account(daily_limit=3)
    capped = {**ALWAYS, "maxEmailsPerHour": 30, "newContactsPerDay": 50, "maxPerCompanyPerDay": 5}
    world.campaign([account], world.people(count), TWO_MAILS, capped)
    await world.tick()
    with world.db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))


async def test_a_tick_runs_as_many_statements_for_a_thousand_as_for_ten(world: EngineWorld) -> None:
    await _busy_world(world, 10)
    with world.statements() as few:
        await world.tick()
    people = world.people(1000, "q")
    world.campaign([1], people, TWO_MAILS, start=False)
    world.execute("UPDATE enrollment SET campaign_id = 1 WHERE campaign_id = 2")
    with world.statements() as many:
        await world.tick()
    assert 0 < many[""] <= few[""] + 1


async def test_no_statement_of_a_tick_reads_a_whole_table(world: EngineWorld) -> None:
    await _busy_world(world, 2000)
    plans: list[str] = []
    with world.statements() as seen:
        world.clock.advance(timedelta(days=1, minutes=1))
        await world.crash()
        await world.tick()
    assert len(world.office.taken) == 6
    asked = {
        sql: values for sql, values in seen.items() if sql.lstrip().upper().startswith(("SELECT", "UPDATE", "DELETE"))
    }
    assert len(asked) > 15
    with world.db.engine.connect() as connection:
        for statement, values in asked.items():
            plan = _plan(world, connection, statement, values)
            if _WHOLE_TABLE.search(plan):
                plans.append(f"{statement}\n{plan}")
    assert not plans, "\n\n".join(plans)


def _plan(world: EngineWorld, connection: Connection, statement: str, values: Any) -> str:
    """Return how the database would run a statement; PostgreSQL reads a whole table only for want of an index."""
    if world.db.is_sqlite:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        return "\n".join(row[3] for row in rows)
    connection.exec_driver_sql("SET enable_seqscan = off")
    return "\n".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN {statement}", values))


async def test_why_each_walk_waits_is_told_from_the_real_state(world: EngineWorld) -> None:
    account = world.account(daily_limit=3)
    people = world.people(6)
    campaign = world.campaign([account], people, TWO_MAILS, OFFICE_HOURS)
    world.office.script["p0@firm0.example"].append(SendFailure("recipient", "full", code=452))
    world.office.script["p1@firm1.example"].append(SendFailure("message", "no answer", certain=False))
    begun = world.clock.now()
    await world.tick()
    await world.tick()

    def waits() -> dict[str, tuple[str, datetime | None]]:
        with world.db.read() as session:
            walks = list_walks(session, world.workspace_id, campaign, world.clock.now()).walks
        return {
            walk.email[:2]: (walk.waiting.code, walk.waiting.resumes_at) for walk in walks if walk.waiting is not None
        }

    found = waits()
    assert found["p0"] == ("soft_bounce", begun + timedelta(hours=1))
    assert found["p1"] == ("uncertain", None)
    assert found["p2"] == ("delay", begun + timedelta(days=3))
    assert found["p4"] == ("daily_cap", begun + timedelta(hours=24))
    world.clock.set(datetime(2026, 3, 2, 19, tzinfo=PARIS))
    assert waits()["p5"] == ("outside_window", datetime(2026, 3, 3, 9, tzinfo=PARIS))
    world.pause(campaign)
    assert {code for code, _ in waits().values()} == {"campaign_paused", "uncertain"}
    world.resume(campaign)
    world.clock.set(datetime(2026, 3, 3, 10, tzinfo=PARIS))
    world.execute("UPDATE email_account SET status = 'error', error_code = 'auth_failed'")
    assert waits()["p5"][0] == "account_error"
    world.execute(
        "UPDATE email_account SET status = 'connected', backoff_until = :at",
        at=world.clock.now() + timedelta(minutes=5),
    )
    assert waits()["p5"] == ("account_backing_off", world.clock.now() + timedelta(minutes=5))
