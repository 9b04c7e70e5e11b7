"""Guarantee 5: an even pace, from a day that is rolled once, stored and shown."""

from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

from fluenzr_app.accounts.service import update_settings
from tests.engine_world import OFFICE_HOURS, ON_SQLITE, ONE_MAIL, TWO_MAILS, EngineWorld

PARIS = ZoneInfo("Europe/Paris")


def at(hour: int, minute: int = 0, day: int = 2) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=PARIS)


def gaps(moments: list[datetime]) -> list[float]:
    return [(b - a).total_seconds() for a, b in pairwise(moments)]


def slots(world: EngineWorld) -> list[object]:
    return [tuple(row) for row in world.rows("SELECT day, slots, inputs, rolled_at FROM account_day ORDER BY day")]


async def test_a_day_is_rolled_once_and_kept_to(world: EngineWorld) -> None:
    account = world.account(min_gap_seconds=90, daily_limit=30)
    world.campaign([account], world.people(60), settings=OFFICE_HOURS)
    await world.run_until(at(10))
    rolled = slots(world)
    assert len(rolled) == 1
    await world.run_until(at(19))
    assert slots(world) == rolled
    sent = [taken.at for taken in world.office.taken]
    assert 24 <= len(sent) <= 30
    spacing = 9 * 3600 / 30
    assert all(0.6 * spacing <= gap <= 1.4 * spacing + 1 for gap in gaps(sent))
    assert all(at(9) <= moment < at(18) for moment in sent)
    world.check_books()


@ON_SQLITE
async def test_a_busy_day_keeps_the_gap_of_the_account(world: EngineWorld) -> None:
    account = world.account(min_gap_seconds=300)
    world.campaign([account], world.people(60), settings=OFFICE_HOURS)
    await world.run_until(at(11))
    sent = [taken.at for taken in world.office.taken]
    assert 20 <= len(sent) <= 30
    assert all(0.6 * 300 <= gap <= 1.4 * 300 + 0.1 for gap in gaps(sent))
    assert len({round(gap) for gap in gaps(sent)}) > 15


async def test_pausing_and_resuming_a_campaign_goes_on_within_the_same_day(world: EngineWorld) -> None:
    account = world.account(min_gap_seconds=600)
    campaign = world.campaign([account], world.people(40), settings=OFFICE_HOURS)
    await world.run_until(at(10))
    rolled = slots(world)
    before = len(world.office.taken)
    world.pause(campaign)
    world.resume(campaign)
    await world.run_until(at(11))
    assert len(world.office.taken) >= before + 4
    assert all(gap >= 0.6 * 600 for gap in gaps([taken.at for taken in world.office.taken]))
    assert slots(world) == rolled, "nothing that the day was rolled from has changed"


@ON_SQLITE
async def test_starting_a_second_campaign_does_not_stop_the_account(world: EngineWorld) -> None:
    account = world.account(min_gap_seconds=600)
    people = world.people(40)
    world.campaign([account], people[:20], settings=OFFICE_HOURS)
    await world.run_until(at(10))
    before = len(world.office.taken)
    world.campaign([account], people[20:], settings=OFFICE_HOURS)
    await world.run_until(at(11))
    assert len(world.office.taken) >= before + 4
    assert all(gap >= 0.6 * 600 for gap in gaps([taken.at for taken in world.office.taken]))


@ON_SQLITE
async def test_after_the_worker_was_down_the_missed_moments_are_not_made_up_for(world: EngineWorld) -> None:
    account = world.account(min_gap_seconds=300)
    world.campaign([account], world.people(80), settings=OFFICE_HOURS)
    await world.run_until(at(9, 30))
    before = len(world.office.taken)
    world.clock.set(at(13))
    await world.crash()
    await world.tick(5)
    assert len(world.office.taken) == before + 1
    await world.run_until(at(14))
    assert all(gap >= 0.6 * 300 for gap in gaps([taken.at for taken in world.office.taken]))
    assert before + 10 < len(world.office.taken) <= before + 3600 / (0.6 * 300) + 2


@ON_SQLITE
async def test_a_restart_does_not_roll_the_day_again(world: EngineWorld) -> None:
    account = world.account(min_gap_seconds=90, daily_limit=20)
    world.campaign([account], world.people(60), settings=OFFICE_HOURS)
    await world.run_until(at(10))
    rolled = slots(world)
    for _ in range(3):
        await world.crash()
        await world.tick()
    assert slots(world) == rolled


@ON_SQLITE
async def test_a_raised_limit_rolls_the_rest_of_the_day_again_and_takes_effect_today(world: EngineWorld) -> None:
    account = world.account(min_gap_seconds=120, daily_limit=5)
    world.campaign([account], world.people(60), settings=OFFICE_HOURS)
    await world.run_until(at(17, 30))
    assert 3 <= len(world.office.taken) <= 5
    rolled = slots(world)
    with world.db.transaction() as session:
        update_settings(session, world.workspace_id, account, {"daily_limit": 100}, world.clock.now())
    await world.run_until(at(18))
    assert slots(world) != rolled
    assert len(world.office.taken) > 12
    assert all(gap >= 0.6 * 120 for gap in gaps([taken.at for taken in world.office.taken]))


@ON_SQLITE
async def test_follow_ups_leave_before_new_contacts(world: EngineWorld) -> None:
    account = world.account(min_gap_seconds=90, daily_limit=12)
    people = world.people(60)
    world.campaign([account], people, TWO_MAILS, settings=OFFICE_HOURS)
    await world.run_until(at(18))
    first_day = world.office.recipients()
    await world.run_until(at(18, day=5))
    by_day: dict[object, list[str]] = {}
    for taken in world.office.taken:
        by_day.setdefault(taken.at.astimezone(PARIS).date().day, []).append(taken.recipient)
    # Three days later the people of the first day come first: the day's whole room is theirs.
    fourth = by_day[5]
    again = [recipient for recipient in fourth if recipient in first_day]
    assert len(again) >= len(fourth) - 2
    world.check_books()


async def test_a_gap_of_zero_switches_spreading_off(world: EngineWorld) -> None:
    account = world.account(min_gap_seconds=0)
    world.parallel = 4
    world.campaign([account], world.people(50), ONE_MAIL, settings=OFFICE_HOURS)
    await world.tick()
    assert len(world.office.taken) == 50
    assert slots(world) == []
    await world.tick()
    assert world.messages() == {"sent": 50}
    world.check_books()


@ON_SQLITE
async def test_the_first_mail_after_midnight_keeps_the_gap_to_the_last_one_before(world: EngineWorld) -> None:
    account = world.account(min_gap_seconds=600)
    always = {**OFFICE_HOURS, "sendHoursStart": 0, "sendHoursEnd": 24}
    world.campaign([account], world.people(60), settings=always)
    world.clock.set(at(22))
    await world.run_until(at(2, day=3))
    sent = [taken.at for taken in world.office.taken]
    assert len(sent) > 18
    assert all(gap >= 0.6 * 600 for gap in gaps(sent))
