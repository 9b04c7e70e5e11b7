"""Time: aware UTC, asked of a clock so that everything can run on a virtual one."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


def utc_now() -> datetime:
    """Return the current time, aware, in UTC."""
    return datetime.now(UTC)


def require_aware(moment: datetime) -> datetime:
    """Return `moment` in UTC; raises ValueError for a naive one, which would mean a different time everywhere."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone was given")
    return moment.astimezone(UTC)


class Clock(Protocol):
    """Where time comes from."""

    def now(self) -> datetime:
        """Return the current time, aware, in UTC."""
        ...

    def real_seconds(self, span: timedelta) -> float:
        """Return how many seconds of the wall clock pass while this clock moves by `span`."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the current time, aware, in UTC."""
        return utc_now()

    def real_seconds(self, span: timedelta) -> float:
        """Return the length of `span` in seconds: this clock runs as the wall does."""
        return span.total_seconds()


class ManualClock:
    """A clock that stands still until it is moved (tests, simulations)."""

    def __init__(self, start: datetime) -> None:
        self._now = require_aware(start)

    def now(self) -> datetime:
        """Return the time to which the clock was last moved."""
        return self._now

    def real_seconds(self, span: timedelta) -> float:
        """Return 0: waiting for this clock takes no time, somebody moves it."""
        return 0.0

    def advance(self, span: timedelta) -> datetime:
        """Move forward by `span` and return the new time; raises ValueError for a negative span."""
        if span < timedelta(0):
            raise ValueError("a clock does not run backwards")
        self._now += span
        return self._now

    def set(self, moment: datetime) -> datetime:
        """Move to `moment` and return it; raises ValueError for an earlier time."""
        return self.advance(require_aware(moment) - self._now)


class AcceleratedClock:
    """A clock that starts at a chosen time and runs `factor` times as fast as the wall (the demo)."""

    def __init__(self, start: datetime, factor: float) -> None:
        if factor <= 0:
            raise ValueError("the factor must be above 0")
        self._start = require_aware(start)
        self._factor = factor
        self._origin = time.monotonic()

    def now(self) -> datetime:
        """Return the virtual time, aware, in UTC."""
        return self._start + timedelta(seconds=(time.monotonic() - self._origin) * self._factor)

    def real_seconds(self, span: timedelta) -> float:
        """Return how long `span` of virtual time lasts on the wall, in seconds."""
        return span.total_seconds() / self._factor
