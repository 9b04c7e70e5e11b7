"""The pace of an account: its day rolled into slots."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

from fluenzr_app.clock import require_aware

# campaigns.md, guarantee 5.
GAP_LEAST, GAP_MOST = 0.6, 1.4


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
