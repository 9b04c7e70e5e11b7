"""How many campaign mails an account may send in a rolling day, and why not more (accounts.md, Limits)."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

DEFAULT_DAILY_LIMITS: dict[str, int] = {
    "gmail": 500,
    "google_workspace": 2_000,
    "outlook": 300,
    "microsoft365": 10_000,
    "smtp": 200,
}

_WEEK = timedelta(days=7)
# Campaign mails a day in each week since the first campaign send; from the fifth week on the account's own limit.
_RAMP = (25, 45, 70, 100)

Reason = Literal["daily_limit", "ramp", "warming_share"]


class Limited(Protocol):
    """What of an account its limit depends on. `warming_share` in per cent of `daily_limit`."""

    daily_limit: int
    warming_share: int
    ramp_enabled: bool
    first_campaign_send_at: datetime | None


@dataclass(frozen=True, slots=True)
class LimitExplained:
    """Why the limit is what it is.

    `week` counts from 1 and is absent when no ramp holds the account; `next_limit` applies from `next_at` on, both
    absent when the ramp ends here. Before the first campaign send `next_at` is absent: the ramp has not begun.
    """

    limit: int
    reason: Reason
    daily_limit: int
    kept_for_warming: int
    week: int | None = None
    next_limit: int | None = None
    next_at: datetime | None = None


def default_daily_limit(provider: str) -> int:
    """Return the limit of an account whose user has set none (accounts.md, first table)."""
    return DEFAULT_DAILY_LIMITS.get(provider, DEFAULT_DAILY_LIMITS["smtp"])


def ramp_limit(first_send_at: datetime | None, now: datetime, daily_limit: int, enabled: bool) -> int:
    """Return how many campaign mails the ramp allows a day: 25, 45, 70, 100, then `daily_limit`, never above it."""
    step = _week(first_send_at, now)
    if not enabled or step >= len(_RAMP):
        return daily_limit
    return min(_RAMP[step], daily_limit)


def campaign_daily_limit(account: Limited, now: datetime) -> int:
    """Return how many campaign mails the account may send in a rolling 24 h: the ramp, less what warming keeps."""
    ramp = ramp_limit(account.first_campaign_send_at, now, account.daily_limit, account.ramp_enabled)
    return min(ramp, account.daily_limit - kept_for_warming(account))


def kept_for_warming(account: Limited) -> int:
    """Return how many of the day's mails are kept for warming, rounded up."""
    return math.ceil(account.daily_limit * account.warming_share / 100)


def explain_limit(account: Limited, now: datetime) -> LimitExplained:
    """Return the limit at `now` with its reason and, on the ramp, when it rises next and to what."""
    limit = campaign_daily_limit(account, now)
    kept = kept_for_warming(account)
    first = account.first_campaign_send_at
    step = _week(first, now)
    ceiling = account.daily_limit - kept
    if account.ramp_enabled and step < len(_RAMP) and _RAMP[step] < ceiling:
        following = min(_RAMP[step + 1], ceiling) if step + 1 < len(_RAMP) else ceiling
        next_at = None if first is None else first + (step + 1) * _WEEK
        return LimitExplained(limit, "ramp", account.daily_limit, kept, step + 1, following, next_at)
    return LimitExplained(limit, "warming_share" if kept else "daily_limit", account.daily_limit, kept)


def _week(first_send_at: datetime | None, now: datetime) -> int:
    """Whole weeks since the first campaign send; 0 before it, and when a clock was set back."""
    return 0 if first_send_at is None else max(0, (now - first_send_at) // _WEEK)
