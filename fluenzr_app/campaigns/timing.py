"""When a campaign may send and when a delay is over: arithmetic on local time, right across daylight-saving changes."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Protocol

from fluenzr_app.clock import require_aware

# Far beyond any list of dates to skip; a window that does not open by then never does.
_LOOK_AHEAD_DAYS = 1_500
_DAY = timedelta(days=1)
_SATURDAY = 5


class Delay(Protocol):
    """What a wait is made of: `days` or `hours`, and whether only Monday to Friday count."""

    @property
    def days(self) -> int | None:
        """Whole days, or None for a wait of hours."""
        ...

    @property
    def hours(self) -> int | None:
        """Whole hours, or None for a wait of days."""
        ...

    @property
    def business_days(self) -> bool:
        """Whether weekends and holidays do not count."""
        ...


@dataclass(frozen=True, slots=True)
class Window:
    """When mails may leave, in local time: weekdays (0 is Monday), whole hours half-open, dates without any mail.

    Raises ValueError for hours other than 0 ≤ start < end ≤ 24 and for days other than 0–6.
    """

    days: frozenset[int]
    start_hour: int
    end_hour: int
    skip_dates: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        if not 0 <= self.start_hour < self.end_hour <= 24:
            raise ValueError("a window needs hours with 0 ≤ start < end ≤ 24")
        if not self.days <= frozenset(range(7)):
            raise ValueError("weekdays are numbered 0 (Monday) to 6 (Sunday)")


@dataclass(frozen=True, slots=True)
class Opening:
    """A stretch of time within one local day during which mails may leave: [opens, closes), both in UTC."""

    opens: datetime
    closes: datetime


def is_open(window: Window, at: datetime, zone: tzinfo) -> bool:
    """Return whether mails may leave at `at`, by what the clock on the wall shows there (campaigns.md, guarantee 4)."""
    local = require_aware(at).astimezone(zone)
    return (
        window.start_hour <= local.hour < window.end_hour
        and local.weekday() in window.days
        and local.date() not in window.skip_dates
    )


def opening(window: Window, at: datetime, zone: tzinfo) -> Opening | None:
    """Return the opening that holds `at`, else the next one; None for a window that never opens."""
    at = require_aware(at)
    day = at.astimezone(zone).date()
    for _ in range(_LOOK_AHEAD_DAYS):
        for found in openings_on(window, day, zone):
            if at < found.closes:
                return found
        day += _DAY
    return None


def next_opening(window: Window, at: datetime, zone: tzinfo) -> datetime | None:
    """Return the first moment from `at` on at which the window is open: `at` itself when it is; None for never."""
    found = opening(window, at, zone)
    return None if found is None else max(found.opens, require_aware(at))


def closes_at(window: Window, at: datetime, zone: tzinfo) -> datetime | None:
    """Return when the opening that holds `at`, else the next one, closes; None for a window that never opens.

    An opening ends with its local day at the latest, even when the next day begins open.
    """
    found = opening(window, at, zone)
    return None if found is None else found.closes


def openings_on(window: Window, day: date, zone: tzinfo) -> tuple[Opening, ...]:
    """Return the openings of one local day, in order: mostly one, none on a closed day.

    Two are possible where a clock set back shows the hours around the window's edge twice.
    """
    if day.weekday() not in window.days or day in window.skip_dates:
        return ()
    begins, ends = _begin_of(day, zone), _begin_of(day + _DAY, zone)
    parts = [(begins, ends)]
    if _offset(begins, zone) != _offset(ends, zone):
        change = _change_between(begins, ends, zone)
        parts = [(begins, change), (change, ends)]
    openings: list[Opening] = []
    for part_begins, part_ends in parts:
        # Within a part the clock runs evenly, so that hours are offsets from where its midnight is or would have been.
        midnight = datetime.combine(day, time(0), UTC) - _offset(part_begins, zone)
        opens = max(midnight + timedelta(hours=window.start_hour), part_begins)
        closes = min(midnight + timedelta(hours=window.end_hour), part_ends)
        if opens < closes and openings and openings[-1].closes == opens:
            openings[-1] = Opening(openings[-1].opens, closes)
        elif opens < closes:
            openings.append(Opening(opens, closes))
    return tuple(openings)


def delay_until(delay: Delay, from_: datetime, zone: tzinfo, holidays: frozenset[date] = frozenset()) -> datetime:
    """Return when a wait that begins at `from_` is over, in UTC (campaigns.md, Times).

    n days later is the same local time n days later; business days skip weekends and `holidays`; hours are hours.
    """
    from_ = require_aware(from_)
    if delay.days is None:
        return from_ + timedelta(hours=delay.hours or 0)
    local = from_.astimezone(zone)
    day = local.date()
    if delay.business_days:
        left = delay.days
        while left > 0:
            day += _DAY
            left -= day.weekday() < _SATURDAY and day not in holidays
    else:
        day += timedelta(days=delay.days)
    return from_local(day, local.time(), zone)


def from_local(day: date, wall: time, zone: tzinfo) -> datetime:
    """Return the moment, in UTC, at which the clock shows `wall` on `day`.

    A time that comes twice is the first; one that does not exist moves forward by as much as the clock does, so that
    2:30 in a night without 2 to 3 o'clock is 3:30.
    """
    # PEP 495: fold=0 reads a time that comes twice as the first, and a missing one with the offset from before.
    return datetime.combine(day, wall.replace(tzinfo=None, fold=0), zone).astimezone(UTC)


def _begin_of(day: date, zone: tzinfo) -> datetime:
    """Return the first moment of a local day, in UTC; where midnight does not exist, that of the clock's change."""
    begins = from_local(day, time(0), zone)
    if begins.astimezone(zone).replace(tzinfo=None) == datetime.combine(day, time(0)):
        return begins
    before = datetime.combine(day, time(0, fold=1), zone).astimezone(UTC)
    return _change_between(before, begins, zone)


def _change_between(after: datetime, until: datetime, zone: tzinfo) -> datetime:
    """Return the first second in (after, until] whose offset from UTC is not that of `after`."""
    offset = _offset(after, zone)
    low, high = 0, int((until - after).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(after + timedelta(seconds=middle), zone) == offset:
            low = middle
        else:
            high = middle
    return after + timedelta(seconds=high)


def _offset(moment: datetime, zone: tzinfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta(0)
