"""`tick`: 100 due among a million enrolled, against 100 due among ten thousand (campaigns.md, guarantee 8)."""

import random
import statistics
import time

from sqlmodel import Session

from fluenzr_app.assembly import SendingSide
from fluenzr_app.bench.world import BenchWorld, bench_world
from fluenzr_app.campaigns import tick as campaign_tick
from fluenzr_app.sending.claim import Claimer, claim_due

DUE = 100
SMALL, LARGE = 10_000, 1_000_000
ROUNDS = 7


class _Undone(Exception):
    """Ends a round's transaction, so that the next one finds the same work."""


def measure_tick(small: int = SMALL, large: int = LARGE) -> dict[str, float]:
    """Return the median milliseconds of planning and claiming what is due in both, and their ratio."""
    with bench_world(1, small, due=DUE) as world:
        few = _median_ms(world)
    with bench_world(1, large, due=DUE) as world:
        many = _median_ms(world)
    return {"among_small_ms": round(few, 3), "among_large_ms": round(many, 3), "ratio": round(many / few, 3)}


def _median_ms(world: BenchWorld) -> float:
    side = SendingSide(world.installation)
    # The first round reads pages and compiles statements; it is not counted.
    return statistics.median([_once(world, side) for _ in range(ROUNDS + 1)][1:])


def _once(world: BenchWorld, side: SendingSide) -> float:
    """Plan and claim what is due in one transaction, and undo it."""
    began = time.perf_counter()
    try:
        world.installation.db.transact(_work, world, side)
    except _Undone:
        return (time.perf_counter() - began) * 1000
    raise AssertionError("a round was not undone")


def _work(session: Session, world: BenchWorld, side: SendingSide) -> None:
    rng = random.Random(5)  # noqa: S311 - Message-IDs of a measurement
    now = world.clock.now()
    due = campaign_tick.campaigns_with_due_follow_ups(session, now)
    queued = sum(campaign_tick.queue_some(session, side.plans, campaign_id, now, rng) for campaign_id in due)
    result = claim_due(session, Claimer(1, side.origins, rng), world.account_id, DUE, now)
    if queued != DUE or len(result.claimed) != DUE:
        raise AssertionError(f"{queued} were planned and {len(result.claimed)} claimed, not {DUE}")
    raise _Undone
