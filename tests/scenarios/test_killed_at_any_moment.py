"""Guarantees 1, 2 and 9: nobody twice, nobody lost, whatever kills the worker."""

import random
import time
from pathlib import Path

import pytest

from fluenzr_app.db.engine import Database
from fluenzr_app.events import figures
from tests.real.counting_smtp import Behaviour, StartCountingSmtp
from tests.scenarios.world import FULL, World, build, wait_until

MAILS, KILLS = (1000, 50) if FULL else (160, 4)
CONNECTIONS = 10
SLOW = Behaviour(latency_ms=(50, 200), user="anyone", password="secret", orphans="random")


@pytest.mark.timeout(3600 if FULL else 240)
def test_nobody_is_mailed_twice_or_lost_when_the_worker_is_killed_again_and_again(
    tmp_path: Path, counting_smtp: StartCountingSmtp
) -> None:
    server = counting_smtp(SLOW)
    world = build(tmp_path, [server.port], MAILS)
    rng = random.Random(11)
    uncertain = 0
    for life in range(KILLS):
        before = server.accepted().total()
        worker = world.worker()
        # Each life sends something, and ends at a random moment of it; the last ones may find nothing left to do.
        try:
            wait_until(
                lambda before=before: server.accepted().total() > before or _nothing_left(world),  # type: ignore[misc]
                30,
                worker,
            )
            time.sleep(rng.uniform(0, 0.2))
            if life % 5 == 2:
                world.pause()
                time.sleep(rng.uniform(0, 0.1))
                world.resume()
        finally:
            worker.kill()
        now_uncertain = world.statuses().get("sending", 0) + world.statuses().get("uncertain", 0)
        assert now_uncertain - uncertain <= CONNECTIONS
        uncertain = now_uncertain
        assert max(server.accepted().values(), default=0) <= 1
    last = world.worker()
    wait_until(lambda: _nothing_left(world), 120, last)
    last.stop()
    _check_books(world, server.accepted())


def test_a_worker_that_is_asked_to_stop_leaves_nothing_uncertain(
    tmp_path: Path, counting_smtp: StartCountingSmtp
) -> None:
    server = counting_smtp(SLOW)
    world = build(tmp_path, [server.port], MAILS // 2)
    stops = 10 if FULL else 2
    for _ in range(stops):
        before = server.accepted().total()
        worker = world.worker()
        wait_until(lambda before=before: server.accepted().total() > before or _nothing_left(world), 30, worker)  # type: ignore[misc]
        worker.stop()
        statuses = world.statuses()
        assert not {"sending", "claimed", "uncertain"} & statuses.keys(), statuses
    last = world.worker()
    wait_until(lambda: _nothing_left(world), 120, last)
    last.stop()
    assert world.statuses() == {"sent": MAILS // 2}
    assert set(server.accepted().values()) == {1}
    assert world.walks() == world.kept_walks() == {"completed": MAILS // 2}


def test_pausing_and_resuming_skips_nobody_and_starts_nobody_again(
    tmp_path: Path, counting_smtp: StartCountingSmtp
) -> None:
    server = counting_smtp(SLOW)
    world = build(tmp_path, [server.port], MAILS // 2)
    worker = world.worker()
    for count in (1, MAILS // 8, MAILS // 4):
        wait_until(lambda count=count: server.accepted().total() >= count, 60, worker)  # type: ignore[misc]
        world.pause()
        # What a server is taking in at this moment still arrives; then there is silence.
        wait_until(lambda: not {"sending", "claimed"} & world.statuses().keys(), 30, worker)
        silent_from = server.accepted().total()
        time.sleep(1.2)
        assert server.accepted().total() == silent_from
        world.resume()
    wait_until(lambda: _nothing_left(world), 120, worker)
    worker.stop()
    assert world.statuses() == {"sent": MAILS // 2}
    assert set(server.accepted().values()) == {1}


def _nothing_left(world: World) -> bool:
    return not {"queued", "claimed", "sending"} & world.statuses().keys() and not world.walks().get("pending", 0) - (
        world.statuses().get("uncertain", 0)
    )


def _check_books(world: World, accepted: dict[str, int]) -> None:
    statuses, walks = world.statuses(), world.walks()
    assert sum(statuses.values()) == MAILS, statuses
    assert set(statuses) <= {"sent", "uncertain"}, statuses
    assert set(accepted.values()) == {1}
    sent = set(world.addresses("status = 'sent'"))
    uncertain = set(world.addresses("status = 'uncertain'"))
    # Whatever counts as sent arrived; whatever arrived counts as sent or waits for a decision.
    assert sent <= set(accepted) <= sent | uncertain
    assert walks == world.kept_walks()
    assert walks.get("completed", 0) == len(sent)
    assert walks.get("pending", 0) == len(uncertain)
    with world.db.read() as session:
        assert figures.verify(session) == []


def test_a_second_process_on_the_same_sqlite_database_does_not_send(
    tmp_path: Path, counting_smtp: StartCountingSmtp
) -> None:
    server = counting_smtp(SLOW)
    world = build(tmp_path, [server.port], 20)
    first = world.worker()
    wait_until(lambda: server.accepted().total() > 0, 30, first)
    second = world.worker()
    assert second.process.wait(30) == 1
    wait_until(lambda: _nothing_left(world), 60, first)
    first.stop()
    assert set(server.accepted().values()) == {1}


def test_the_books_are_read_by_another_process_while_mail_is_sent(
    tmp_path: Path, counting_smtp: StartCountingSmtp
) -> None:
    server = counting_smtp(SLOW)
    world = build(tmp_path, [server.port], 60)
    worker = world.worker()
    seen = 0
    deadline = time.monotonic() + 60
    while not _nothing_left(world) and time.monotonic() < deadline:
        other = Database.open(world.settings)
        with other.read() as session:
            assert figures.verify(session) == []
        other.close()
        seen += 1
    worker.stop()
    assert seen > 0
