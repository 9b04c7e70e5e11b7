"""Whatever the window, the room and the gap: an account's day keeps its promises."""

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from fluenzr_app.sending.pacing import next_slot, roll_day

MOMENTS = st.datetimes(datetime(2025, 1, 1), datetime(2031, 12, 31)).map(lambda moment: moment.replace(tzinfo=UTC))  # noqa: DTZ001
LENGTHS = st.integers(0, 25 * 3600) | st.sampled_from([1, 30, 3600, 9 * 3600])


@settings(max_examples=600, deadline=None, derandomize=True)
@given(MOMENTS, LENGTHS, st.integers(0, 3000), st.integers(1, 7200), st.integers(0, 2**32))
def test_a_rolled_day_keeps_window_gap_and_room(
    opens: datetime, seconds: int, room: int, min_gap_s: int, seed: int
) -> None:
    closes = opens + timedelta(seconds=seconds)
    slots = roll_day(opens=opens, closes=closes, room=room, min_gap_s=min_gap_s, rng=random.Random(seed))
    assert len(slots) <= room
    assert all(opens <= slot < closes for slot in slots)
    spacing = max(min_gap_s, seconds / room) if room else 0.0
    for before, after in pairwise(slots):
        gap = (after - before).total_seconds()
        assert gap >= 0.6 * min_gap_s
        assert 0.6 * spacing <= gap <= 1.4 * spacing + 0.001
    if slots:
        assert (slots[0] - opens).total_seconds() < spacing
        # What ends the day early is its room or the window's end, nothing else.
        assert len(slots) == room or (closes - slots[-1]).total_seconds() <= 1.4 * spacing + 0.001


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.integers(600, 14 * 3600), st.integers(1, 500), st.integers(1, 300), st.integers(0, 2**32))
def test_walking_from_slot_to_slot_visits_each_once(seconds: int, room: int, min_gap_s: int, seed: int) -> None:
    opens = datetime(2026, 11, 23, 8, tzinfo=UTC)
    closes = opens + timedelta(seconds=seconds)
    slots = roll_day(opens=opens, closes=closes, room=room, min_gap_s=min_gap_s, rng=random.Random(seed))
    walked = []
    at = next_slot(slots, opens - timedelta(seconds=1))
    while at is not None:
        walked.append(at)
        at = next_slot(slots, at)
    assert tuple(walked) == slots


def test_most_of_a_days_room_is_used() -> None:
    opens = datetime(2026, 11, 23, 8, tzinfo=UTC)
    closes = opens + timedelta(hours=9)
    used = [
        len(roll_day(opens=opens, closes=closes, room=100, min_gap_s=90, rng=random.Random(seed)))
        for seed in range(300)
    ]
    assert 97 < sum(used) / len(used) <= 100
    assert min(used) > 88
