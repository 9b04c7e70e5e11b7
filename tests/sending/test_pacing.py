"""The pace of an account: a day rolled into slots."""

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from fluenzr_app.sending.pacing import next_slot, roll_day

OPENS = datetime(2026, 11, 23, 8, tzinfo=UTC)
CLOSES = OPENS + timedelta(hours=9)


def day(seed: int = 1, *, room: int = 40, min_gap_s: int = 90, closes: datetime = CLOSES) -> tuple[datetime, ...]:
    return roll_day(opens=OPENS, closes=closes, room=room, min_gap_s=min_gap_s, rng=random.Random(seed))


def gaps(slots: tuple[datetime, ...]) -> list[float]:
    return [(b - a).total_seconds() for a, b in pairwise(slots)]


def test_a_day_is_the_same_for_the_same_chance() -> None:
    assert day(7) == day(7)
    assert day(7) != day(8)


def test_a_small_day_is_spread_over_the_whole_window() -> None:
    for seed in range(30):
        slots = day(seed, room=25)
        assert 20 <= len(slots) <= 25
        assert slots[0] - OPENS < timedelta(hours=9) / 25
        assert CLOSES - slots[-1] < timedelta(hours=2)
        assert all(0.6 * 1296 <= gap <= 1.4 * 1296 + 0.001 for gap in gaps(slots))


def test_a_large_day_keeps_the_gap_of_the_account_and_is_cut_by_it() -> None:
    slots = day(room=10_000)
    assert 330 <= len(slots) <= 390
    assert all(54 <= gap <= 126.001 for gap in gaps(slots))
    assert 85 < sum(gaps(slots)) / len(gaps(slots)) < 95


def test_gaps_are_drawn_not_fixed() -> None:
    drawn = gaps(day(room=300))
    assert len({round(gap) for gap in drawn}) > 40
    assert min(drawn) < 70
    assert max(drawn) > 110


def test_the_first_mail_of_a_day_does_not_leave_at_the_stroke_of_the_hour() -> None:
    firsts = {day(seed)[0] - OPENS for seed in range(50)}
    assert len(firsts) == 50
    assert max(firsts) > timedelta(minutes=10)


def test_no_spreading_no_room_or_no_time_means_no_slots() -> None:
    assert day(min_gap_s=0) == ()
    assert day(room=0) == ()
    assert day(room=-3) == ()
    assert day(closes=OPENS) == ()
    assert day(closes=OPENS - timedelta(hours=1)) == ()


def test_a_window_shorter_than_the_gap_holds_one_mail_or_none() -> None:
    sizes = {len(day(seed, room=5, min_gap_s=3600, closes=OPENS + timedelta(minutes=30))) for seed in range(40)}
    assert sizes == {0, 1}


def test_slots_survive_being_stored_as_seconds() -> None:
    assert all(datetime.fromtimestamp(slot.timestamp(), UTC) == slot for slot in day(room=300))


def test_the_next_slot_is_strictly_later() -> None:
    slots = day()
    assert next_slot(slots, OPENS - timedelta(hours=1)) == slots[0]
    assert next_slot(slots, slots[0]) == slots[1]
    assert next_slot(slots, slots[3] + timedelta(microseconds=1)) == slots[4]
    assert next_slot(slots, slots[-1]) is None
    assert next_slot((), OPENS) is None


def test_naive_times_are_refused() -> None:
    with pytest.raises(ValueError):
        day(closes=CLOSES.replace(tzinfo=None))
