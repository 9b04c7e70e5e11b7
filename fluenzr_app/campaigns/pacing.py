"""The pace of an account: its day rolled into slots, and the ramp of a new account."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

from fluenzr_app.clock import require_aware

# campaigns.md, guarantee 5, and accounts.md, Limits.
GAP_LEAST, GAP_MOST = 0.6, 1.4
RAMP_WEEKS = (25, 45, 70, 100)

_WEEK = timedelta(days=7)


def roll_day(*, opens: datetime, closes: datetime, room: int, min_gap_s: int, rng: Random) -> tuple[datetime, ...]:
    """Return the moments of one day at which an account may send, in order, within [opens, closes), in UTC.

    At most `room` of them, spread over the whole stretch: each gap is drawn from 0.6–1.4 × the spacing, which is the
    stretch divided by `room` but never less than `min_gap_s` seconds. What jitter carries past the end is left for
    another day. A gap of 0 switches spreading off: no slots, and the caller sends as it can.
    """
    opens, closes = require_aware(opens), require_aware(closes)
    # Whole milliseconds: a day is stored as numbers and must read back as it was rolled.
    stretch = (closes - opens) // timedelta(milliseconds=1)
    if min_gap_s <= 0 or room <= 0 or stretch <= 0:
        return ()
    spacing = max(min_gap_s * 1000.0, stretch / room)
    slots: list[datetime] = []
    at = math.floor(rng.random() * spacing)
    while at < stretch and len(slots) < room:
        slots.append(opens + timedelta(milliseconds=at))
        at += math.ceil(rng.uniform(GAP_LEAST, GAP_MOST) * spacing)
    return tuple(slots)


def next_slot(slots: Sequence[datetime], after: datetime) -> datetime | None:
    """Return the first slot later than `after`; None when the day has no more. `slots` are in order."""
    index = bisect_right(slots, require_aware(after))
    return slots[index] if index < len(slots) else None


def ramp_limit(first_send_at: datetime | None, now: datetime, daily_limit: int, enabled: bool) -> int:
    """Return how many campaign mails an account may send in 24 h, by its ramp and its own limit, whichever is lower.

    accounts.md, Limits: 25 a day in the first week from the first campaign send, then 45, then 70, then 100 in the
    fourth; from the fifth week on, or with the ramp switched off, the account's own limit. An account that never sent
    is in its first week.
    """
    if not enabled:
        return daily_limit
    week = 0 if first_send_at is None else max((require_aware(now) - require_aware(first_send_at)) // _WEEK, 0)
    return min(daily_limit, RAMP_WEEKS[week]) if week < len(RAMP_WEEKS) else daily_limit
