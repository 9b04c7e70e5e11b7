"""The counts are compared once a night, by day where the machine sleeps at night, and repaired where they differ."""

from datetime import UTC, datetime, timedelta

import pytest

from fluenzr_app.events.nightly import is_due

NIGHT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("checked_at", "now", "due"),
    [
        (None, NIGHT, True),
        (None, NOON, False),
        (NIGHT - timedelta(hours=24), NIGHT, True),
        (NIGHT - timedelta(hours=1), NIGHT, False),
        (NOON - timedelta(hours=10), NOON, False),
        (NOON - timedelta(hours=47), NOON, False),
        (NOON - timedelta(hours=49), NOON, True),
        (NIGHT + timedelta(hours=5), NIGHT, False),
    ],
)
def test_a_check_is_due_at_night_and_after_two_days_at_any_hour(checked_at: datetime | None, now: datetime, due: bool):
    assert is_due(checked_at, now) is due
