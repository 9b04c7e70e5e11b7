"""Windows and delays, through both changes of the clock and in zones that change it in their own way."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fluenzr_app.campaigns.timing import (
    Opening,
    Window,
    closes_at,
    delay_until,
    from_local,
    is_open,
    next_opening,
    opening,
    openings_on,
)
from fluenzr_app.campaigns.workflow import DelayNode

PARIS, NEW_YORK = ZoneInfo("Europe/Paris"), ZoneInfo("America/New_York")
KOLKATA, LORD_HOWE = ZoneInfo("Asia/Kolkata"), ZoneInfo("Australia/Lord_Howe")
CHATHAM, TROLL, BEIRUT = ZoneInfo("Pacific/Chatham"), ZoneInfo("Antarctica/Troll"), ZoneInfo("Asia/Beirut")
ALL_DAYS = frozenset(range(7))
OFFICE = Window(frozenset(range(5)), 9, 18)


def at(text: str, zone: ZoneInfo | None = None) -> datetime:
    """Return a moment in UTC from local time in `zone`, or from UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=zone or UTC).astimezone(UTC)


@pytest.mark.parametrize(
    ("moment", "opened"),
    [
        ("2026-11-23T08:59:59.999999", False),
        ("2026-11-23T09:00", True),
        ("2026-11-23T17:59:59.999999", True),
        ("2026-11-23T18:00", False),
        ("2026-11-27T12:00", True),
        ("2026-11-28T12:00", False),
        ("2026-11-29T12:00", False),
    ],
)
def test_the_hours_of_a_window_are_half_open(moment: str, opened: bool) -> None:
    assert is_open(OFFICE, at(moment, PARIS), PARIS) is opened


def test_a_window_of_24_hours_is_open_at_every_minute_of_its_day() -> None:
    monday = Window(frozenset({0}), 0, 24)
    assert is_open(monday, at("2026-11-23T00:00", PARIS), PARIS)
    assert is_open(monday, at("2026-11-23T23:59:59", PARIS), PARIS)
    assert not is_open(monday, at("2026-11-24T00:00", PARIS), PARIS)
    assert closes_at(monday, at("2026-11-23T05:00", PARIS), PARIS) == at("2026-11-24T00:00", PARIS)


def test_the_same_moment_is_inside_in_one_zone_and_outside_in_another() -> None:
    moment = at("2026-11-23T10:00")
    assert is_open(OFFICE, moment, PARIS)
    assert not is_open(OFFICE, moment, NEW_YORK)
    assert is_open(OFFICE, moment, KOLKATA)


def test_nothing_leaves_on_a_date_to_skip() -> None:
    window = Window(frozenset(range(5)), 9, 18, frozenset({date(2026, 12, 25), date(2026, 12, 28)}))
    assert not is_open(window, at("2026-12-25T12:00", PARIS), PARIS)
    assert next_opening(window, at("2026-12-24T18:00", PARIS), PARIS) == at("2026-12-29T09:00", PARIS)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-11-23T07:00", "2026-11-23T09:00"),
        ("2026-11-23T12:34:56", "2026-11-23T12:34:56"),
        ("2026-11-23T18:00", "2026-11-24T09:00"),
        ("2026-11-27T18:00", "2026-11-30T09:00"),
        ("2026-11-28T00:00", "2026-11-30T09:00"),
    ],
)
def test_the_next_opening_is_now_or_the_next_begin(moment: str, expected: str) -> None:
    assert next_opening(OFFICE, at(moment, PARIS), PARIS) == at(expected, PARIS)


def test_an_opening_is_told_with_both_its_ends() -> None:
    expected = Opening(at("2026-11-23T08:00"), at("2026-11-23T17:00"))
    for moment in ("2026-11-22T23:00", "2026-11-23T08:00", "2026-11-23T16:59:59"):
        assert opening(OFFICE, at(moment), PARIS) == expected
        assert closes_at(OFFICE, at(moment), PARIS) == expected.closes
    assert opening(OFFICE, expected.closes, PARIS) == Opening(at("2026-11-24T08:00"), at("2026-11-24T17:00"))


def test_a_window_that_never_opens_says_so() -> None:
    never = Window(frozenset(), 9, 18)
    now = at("2026-11-23T12:00")
    assert (next_opening(never, now, PARIS), closes_at(never, now, PARIS), is_open(never, now, PARIS)) == (
        None,
        None,
        False,
    )
    mondays = Window(frozenset({0}), 9, 18, frozenset(date(2026, 11, 23) + timedelta(weeks=n) for n in range(300)))
    assert next_opening(mondays, now, PARIS) is None


@pytest.mark.parametrize("hours", [(9, 9), (18, 9), (-1, 5), (0, 25)])
def test_impossible_hours_are_refused(hours: tuple[int, int]) -> None:
    with pytest.raises(ValueError):
        Window(ALL_DAYS, *hours)


def test_impossible_days_and_naive_times_are_refused() -> None:
    with pytest.raises(ValueError):
        Window(frozenset({7}), 9, 18)
    with pytest.raises(ValueError):
        is_open(OFFICE, datetime(2026, 1, 1), PARIS)  # noqa: DTZ001


# The day on which the clock changes, hours of the window, and the openings of that day in UTC.
CHANGES = [
    # Forward: 2:00 becomes 3:00.
    (PARIS, "2026-03-29", (9, 18), [("07:00", "16:00")]),
    (PARIS, "2026-03-29", (0, 24), [("-01:00", "22:00")]),
    (PARIS, "2026-03-29", (2, 3), []),
    (PARIS, "2026-03-29", (1, 3), [("00:00", "01:00")]),
    (PARIS, "2026-03-29", (2, 4), [("01:00", "02:00")]),
    # Back: 3:00 becomes 2:00, the hour from 2 comes twice.
    (PARIS, "2026-10-25", (9, 18), [("08:00", "17:00")]),
    (PARIS, "2026-10-25", (0, 24), [("-02:00", "23:00")]),
    (PARIS, "2026-10-25", (2, 3), [("00:00", "02:00")]),
    (PARIS, "2026-10-25", (0, 2), [("-02:00", "00:00")]),
    (PARIS, "2026-10-25", (3, 5), [("02:00", "04:00")]),
    (NEW_YORK, "2026-03-08", (9, 17), [("13:00", "21:00")]),
    (NEW_YORK, "2026-03-07", (9, 17), [("14:00", "22:00")]),
    (NEW_YORK, "2026-11-01", (1, 2), [("05:00", "07:00")]),
    (NEW_YORK, "2026-11-01", (9, 17), [("14:00", "22:00")]),
    # No change, half an hour off.
    (KOLKATA, "2026-03-29", (9, 18), [("03:30", "12:30")]),
    # By half an hour: 2:00 becomes 2:30, and back 2:00 becomes 1:30.
    (LORD_HOWE, "2026-10-04", (2, 3), [("-08:30", "-08:00")]),
    (LORD_HOWE, "2026-10-04", (0, 2), [("-10:30", "-08:30")]),
    (LORD_HOWE, "2026-04-05", (1, 2), [("-10:00", "-08:30")]),
    (LORD_HOWE, "2026-04-05", (2, 3), [("-08:30", "-07:30")]),
    # Back at 3:45 to 2:45: the quarter before 3 comes twice, and the window with it.
    (CHATHAM, "2026-04-05", (1, 3), [("-12:45", "-10:45"), ("-10:00", "-09:45")]),
    (CHATHAM, "2026-04-05", (3, 5), [("-10:45", "-10:00"), ("-09:45", "-07:45")]),
    # By two hours: 1:00 becomes 3:00.
    (TROLL, "2026-03-29", (2, 4), [("01:00", "02:00")]),
    (TROLL, "2026-03-29", (1, 3), []),
    # At midnight: there is no 0:00.
    (BEIRUT, "2026-03-29", (0, 1), []),
    (BEIRUT, "2026-03-29", (0, 2), [("-02:00", "-01:00")]),
    (BEIRUT, "2026-03-28", (0, 24), [("-02:00", "22:00")]),
]


@pytest.mark.parametrize(("zone", "day", "hours", "expected"), CHANGES)
def test_openings_on_the_days_of_the_change(
    zone: ZoneInfo, day: str, hours: tuple[int, int], expected: list[tuple[str, str]]
) -> None:
    midnight = datetime.fromisoformat(day).replace(tzinfo=UTC)

    def moment(offset: str) -> datetime:
        sign = -1 if offset.startswith("-") else 1
        h, m = offset.lstrip("-").split(":")
        return midnight + sign * timedelta(hours=int(h), minutes=int(m))

    found = openings_on(Window(ALL_DAYS, *hours), midnight.date(), zone)
    assert found == tuple(Opening(moment(a), moment(b)) for a, b in expected)


def minutes_open(window: Window, begin: datetime, end: datetime, zone: ZoneInfo) -> list[datetime]:
    count = int((end - begin).total_seconds() // 300)
    moments = (begin + timedelta(minutes=5 * n) for n in range(count + 1))
    return [moment for moment in moments if is_open(window, moment, zone)]


@pytest.mark.parametrize(("zone", "day", "hours", "expected"), CHANGES)
def test_openings_hold_exactly_the_minutes_that_the_wall_clock_calls_open(
    zone: ZoneInfo, day: str, hours: tuple[int, int], expected: list[tuple[str, str]]
) -> None:
    window = Window(ALL_DAYS, *hours)
    begin = datetime.fromisoformat(day).replace(tzinfo=UTC) - timedelta(days=2)
    days = (begin.date() + timedelta(days=n) for n in range(-1, 5))
    held = [found for each in days for found in openings_on(window, each, zone)]
    for moment in (begin + timedelta(minutes=5 * n) for n in range(4 * 288)):
        assert is_open(window, moment, zone) == any(each.opens <= moment < each.closes for each in held), moment


ZONES = st.sampled_from(
    [
        *("Europe/Paris", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Chatham"),
        *("Antarctica/Troll", "Asia/Beirut", "Africa/Cairo", "Africa/Casablanca", "America/Havana", "Asia/Gaza"),
        *("America/Santiago", "America/Nuuk", "Atlantic/Azores", "Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC"),
    ]
).map(ZoneInfo)
HOURS = st.tuples(st.integers(0, 23), st.integers(1, 24)).filter(lambda pair: pair[0] < pair[1])
MOMENTS = st.datetimes(datetime(2025, 1, 1), datetime(2031, 12, 31)).map(lambda moment: moment.replace(tzinfo=UTC))  # noqa: DTZ001
# The change of the clock is one day in two hundred: half of the examples lie close to one.
NEAR_CHANGES = st.tuples(
    st.sampled_from(["2026-03-28", "2026-10-24", "2026-03-07", "2026-10-31", "2026-04-04", "2026-10-03", "2026-09-05"]),
    st.integers(0, 72 * 3600),
).map(lambda pair: datetime.fromisoformat(pair[0]).replace(tzinfo=UTC) + timedelta(seconds=pair[1]))
WINDOWS = st.tuples(st.frozensets(st.integers(0, 6), min_size=1), HOURS).map(lambda pair: Window(pair[0], *pair[1]))


@settings(max_examples=250, deadline=None, derandomize=True)
@given(WINDOWS, MOMENTS | NEAR_CHANGES, ZONES)
def test_the_next_opening_is_open_and_nothing_before_it_is(window: Window, moment: datetime, zone: ZoneInfo) -> None:
    found = next_opening(window, moment, zone)
    assert found is not None
    assert found >= moment
    assert is_open(window, found, zone)
    assert (
        found == moment
        or not is_open(window, found - timedelta(microseconds=1), zone)
        or found.astimezone(zone).hour == 0
    )
    if found > moment:
        assert not is_open(window, moment, zone)
        assert minutes_open(window, moment, found - timedelta(microseconds=1), zone) == []


@settings(max_examples=250, deadline=None, derandomize=True)
@given(WINDOWS, MOMENTS | NEAR_CHANGES, ZONES)
def test_an_opening_is_open_to_its_last_moment(window: Window, moment: datetime, zone: ZoneInfo) -> None:
    found = opening(window, moment, zone)
    assert found is not None
    assert found.opens < found.closes
    assert moment < found.closes
    length = found.closes - found.opens
    assert length <= timedelta(hours=27)
    for part in (0.0, 0.1, 0.33, 0.5, 0.77, 0.999):
        assert is_open(window, found.opens + length * part, zone)
    assert is_open(window, found.closes - timedelta(microseconds=1), zone)
    after = found.closes.astimezone(zone)
    assert not is_open(window, found.closes, zone) or after.hour == 0 or window.start_hour <= after.hour


@pytest.mark.parametrize(
    ("delay", "begin", "zone", "expected"),
    [
        (DelayNode("d", days=3), "2026-11-23T10:15:30", PARIS, "2026-11-26T10:15:30"),
        (DelayNode("d", days=30), "2026-11-23T10:15", PARIS, "2026-12-23T10:15"),
        # The same local time, whatever the clock did in between.
        (DelayNode("d", days=1), "2026-03-28T12:00", PARIS, "2026-03-29T12:00"),
        (DelayNode("d", days=1), "2026-10-24T12:00", PARIS, "2026-10-25T12:00"),
        (DelayNode("d", days=3), "2026-03-06T12:00", NEW_YORK, "2026-03-09T12:00"),
        (DelayNode("d", days=3), "2026-10-30T12:00", NEW_YORK, "2026-11-02T12:00"),
        (DelayNode("d", days=3), "2026-03-28T12:00", KOLKATA, "2026-03-31T12:00"),
        (DelayNode("d", days=1), "2026-04-04T12:00", LORD_HOWE, "2026-04-05T12:00"),
        # Business days: Friday, Saturday and Sunday lead to Monday.
        (DelayNode("d", days=1, business_days=True), "2026-11-26T10:00", PARIS, "2026-11-27T10:00"),
        (DelayNode("d", days=1, business_days=True), "2026-11-27T10:00", PARIS, "2026-11-30T10:00"),
        (DelayNode("d", days=1, business_days=True), "2026-11-28T10:00", PARIS, "2026-11-30T10:00"),
        (DelayNode("d", days=1, business_days=True), "2026-11-29T10:00", PARIS, "2026-11-30T10:00"),
        (DelayNode("d", days=5, business_days=True), "2026-11-25T10:00", PARIS, "2026-12-02T10:00"),
        (DelayNode("d", days=10, business_days=True), "2026-11-23T10:00", PARIS, "2026-12-07T10:00"),
    ],
)
def test_days_later_is_the_same_local_time(delay: DelayNode, begin: str, zone: ZoneInfo, expected: str) -> None:
    assert delay_until(delay, at(begin, zone), zone) == at(expected, zone)


def test_the_local_day_counts_not_that_of_utc() -> None:
    # Friday 20:00 in New York is Saturday in UTC.
    begin = at("2026-11-27T20:00", NEW_YORK)
    assert delay_until(DelayNode("d", days=1, business_days=True), begin, NEW_YORK) == at("2026-11-30T20:00", NEW_YORK)


def test_holidays_are_no_business_days_but_calendar_days() -> None:
    holidays = frozenset({date(2026, 12, 25)})
    begin = at("2026-12-24T10:00", PARIS)
    assert delay_until(DelayNode("d", days=1, business_days=True), begin, PARIS, holidays) == at(
        "2026-12-28T10:00", PARIS
    )
    assert delay_until(DelayNode("d", days=1), begin, PARIS, holidays) == at("2026-12-25T10:00", PARIS)


@pytest.mark.parametrize("begin", ["2026-03-29T00:30", "2026-10-24T23:30", "2026-11-23T10:00"])
def test_hours_are_hours(begin: str) -> None:
    moment = at(begin)
    assert delay_until(DelayNode("d", hours=5), moment, PARIS) == moment + timedelta(hours=5)
    assert delay_until(DelayNode("d", hours=5, business_days=True), moment, PARIS) == moment + timedelta(hours=5)


@pytest.mark.parametrize(
    ("zone", "begin", "expected"),
    [
        # 2:30 does not exist in that night: it moves forward by the hour that is missing.
        (PARIS, "2026-03-28T02:30", "2026-03-29T03:30"),
        (NEW_YORK, "2026-03-07T02:00", "2026-03-08T03:00"),
        (LORD_HOWE, "2026-10-03T02:10", "2026-10-04T02:40"),
        (TROLL, "2026-03-28T01:30", "2026-03-29T03:30"),
        (BEIRUT, "2026-03-28T00:00", "2026-03-29T01:00"),
    ],
)
def test_a_local_time_that_does_not_exist_moves_forward(zone: ZoneInfo, begin: str, expected: str) -> None:
    assert delay_until(DelayNode("d", days=1), at(begin, zone), zone) == at(expected, zone)


@pytest.mark.parametrize(
    ("zone", "begin", "expected"),
    [
        (PARIS, "2026-10-24T02:30", "2026-10-25T00:30"),
        (NEW_YORK, "2026-10-31T01:30", "2026-11-01T05:30"),
        (LORD_HOWE, "2026-04-04T01:45", "2026-04-04T14:45"),
    ],
)
def test_a_local_time_that_comes_twice_takes_the_first(zone: ZoneInfo, begin: str, expected: str) -> None:
    assert delay_until(DelayNode("d", days=1), at(begin, zone), zone) == at(expected)


def test_a_wait_that_begins_in_the_second_of_two_equal_hours_keeps_its_local_time() -> None:
    second = datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=PARIS).astimezone(UTC)
    assert delay_until(DelayNode("d", days=1), second, PARIS) == at("2026-10-26T02:30", PARIS)


@settings(max_examples=250, deadline=None, derandomize=True)
@given(MOMENTS | NEAR_CHANGES, ZONES, st.integers(1, 30), st.booleans())
def test_days_move_the_date_and_keep_the_time(moment: datetime, zone: ZoneInfo, days: int, business: bool) -> None:
    end = delay_until(DelayNode("d", days=days, business_days=business), moment, zone)
    assert end > moment
    before, after = moment.astimezone(zone), end.astimezone(zone)
    if business:
        passed = (before.date() + timedelta(days=n) for n in range(1, (after.date() - before.date()).days + 1))
        assert sum(day.weekday() < 5 for day in passed) == days
        assert after.weekday() < 5
    else:
        assert (after.date() - before.date()).days == days
    exists = from_local(after.date(), before.time(), zone).astimezone(zone).time() == before.time()
    moved = datetime.combine(date(2000, 1, 1), after.time()) - datetime.combine(date(2000, 1, 1), before.time())
    assert moved == timedelta(0) if exists else timedelta(0) < moved <= timedelta(hours=2)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(NEAR_CHANGES, ZONES)
def test_a_moment_told_in_local_time_is_found_again(moment: datetime, zone: ZoneInfo) -> None:
    local = moment.astimezone(zone)
    found = from_local(local.date(), local.time(), zone)
    assert found == moment if not local.fold else found < moment
    assert from_local(date(2026, 6, 1), time(12), zone).tzinfo is UTC
