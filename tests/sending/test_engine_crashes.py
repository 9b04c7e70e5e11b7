"""Guarantee 9: a crash at any boundary between claim and settlement neither skips nor repeats anybody."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from fluenzr_app.campaigns import planner
from fluenzr_app.campaigns.origin import CampaignOrigin
from fluenzr_app.campaigns.uncertain import decide
from fluenzr_app.sending import lanes, ledger
from tests.engine_world import ONE_MAIL, THREE_MAILS, EngineWorld


class Killed(BaseException):
    """The process ends here; nothing that would tidy up runs."""


PEOPLE = 6
# Where it happens: the place that is called, whether before or after its work, and the call in which it happens.
PLACES: dict[str, tuple[Any, str]] = {
    "feed": (planner, "queue_mails"),
    "claim": (lanes, "claim_due"),
    "mark": (ledger, "mark"),
    "settle": (ledger, "settle"),
    "connect": (lanes.OpenConnections, "acquire"),
    "send": (lanes.AccountRun, "_send"),
    "release": (ledger, "release"),
    "next step": (CampaignOrigin, "settled"),
}


def break_at(monkeypatch: pytest.MonkeyPatch, place: str, moment: str, call: int, alive: list[bool]) -> None:
    owner, name = PLACES[place]
    whole: Callable[..., Any] = getattr(owner, name)
    calls = 0

    def begins() -> None:
        nonlocal calls
        if not alive[0]:
            raise Killed
        calls += 1
        if calls == call and moment == "before":
            alive[0] = False
            raise Killed

    def ended() -> None:
        if calls == call and moment == "after":
            alive[0] = False
            raise Killed

    def sync(*arguments: Any, **named: Any) -> Any:
        begins()
        result = whole(*arguments, **named)
        ended()
        return result

    async def waits(*arguments: Any, **named: Any) -> Any:
        begins()
        result = await whole(*arguments, **named)
        ended()
        return result

    monkeypatch.setattr(owner, name, waits if place in ("connect", "send") else sync)


@pytest.mark.parametrize("call", [1, 3])
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("place", list(PLACES))
async def test_a_crash_at_any_boundary_skips_and_repeats_nobody(
    world: EngineWorld, monkeypatch: pytest.MonkeyPatch, place: str, moment: str, call: int
) -> None:
    monkeypatch.setattr(lanes, "CLAIMS_PER_LANE", 2)
    campaign = world.campaign([world.account()], world.people(PEOPLE), ONE_MAIL)
    alive = [True]
    with pytest.MonkeyPatch.context() as broken:
        break_at(broken, place, moment, call, alive)
        # A dead process tidies nothing up.
        broken.setattr(type(world.engine), "_clean_up", _dies(type(world.engine)._clean_up, alive))
        broken.setattr(lanes.AccountRun, "_put_back", _dies_async(lanes.AccountRun._put_back, alive))
        broken.setattr(ledger.Ledger, "_apply", _dies(ledger.Ledger._apply, alive))
        await _until_it_dies(world, alive)
    assert max(world.office.counted().values(), default=0) <= 1
    await world.crash()
    for _ in range(3):
        # A transaction that was under way may end after the restart: every look at the workers finds such claims.
        world.engine._state.beaten_at = float("-inf")
        await world.tick()
    await world.run_for(hours=2)
    messages = world.messages()
    assert set(messages) <= {"sent", "uncertain"}
    assert sum(messages.values()) == PEOPLE
    assert messages.get("uncertain", 0) <= 1
    assert max(world.office.counted().values()) == 1
    sent = {row[0] for row in world.rows("SELECT to_address FROM message WHERE status = 'sent'")}
    doubtful = {row[0] for row in world.rows("SELECT to_address FROM message WHERE status = 'uncertain'")}
    assert sent <= set(world.office.recipients()) <= sent | doubtful
    world.check_books()
    origin = world.origins["campaign"]
    assert isinstance(origin, CampaignOrigin)
    for (message_id,) in world.rows("SELECT id FROM message WHERE status = 'uncertain'"):
        with world.db.transaction() as session:
            decide(session, world.workspace_id, message_id, "sent", origin, world.clock.now())
    await world.tick()
    assert world.walks() == {"completed": PEOPLE}
    assert world.status_of(campaign) == "completed"
    world.check_books()


async def _until_it_dies(world: EngineWorld, alive: list[bool]) -> None:
    """Tick until the crash; then every task of the process stops where it stands."""
    own = asyncio.current_task()
    ticking = asyncio.create_task(world.tick(2))
    while alive[0] and not ticking.done():
        await asyncio.sleep(0.001)
    for _ in range(20):
        tasks = [task for task in asyncio.all_tasks() if task is not own]
        if not tasks:
            return
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=0.05)
    raise AssertionError("the process would not die")


def _dies(whole: Callable[..., Any], alive: list[bool]) -> Callable[..., Any]:
    def guarded(*arguments: Any) -> Any:
        if not alive[0]:
            raise Killed
        return whole(*arguments)

    guarded.__name__ = whole.__name__
    return guarded


def _dies_async(whole: Callable[..., Any], alive: list[bool]) -> Callable[..., Any]:
    async def guarded(*arguments: Any) -> Any:
        if not alive[0]:
            raise Killed
        return await whole(*arguments)

    return guarded


async def test_a_restart_after_every_step_of_a_sequence_changes_nothing(world: EngineWorld) -> None:
    campaign = world.campaign([world.account(daily_limit=4)], world.people(5), THREE_MAILS)
    for _ in range(14):
        await world.run_for(days=1)
        await world.crash()
    assert set(world.office.counted().values()) == {3}
    assert world.walks() == {"completed": 5}
    assert world.status_of(campaign) == "completed"
    world.check_books()
