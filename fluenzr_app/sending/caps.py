"""How many more messages may leave an account now (accounts.md, Limits; campaigns.md, The engine)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, case, func, select
from sqlmodel import Session

from fluenzr_app.accounts.limits import campaign_daily_limit
from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.db.tables import table_of
from fluenzr_app.db.types import UtcDateTime
from fluenzr_app.sending.models import Attempt, Message
from fluenzr_app.sending.rows import IN_HAND

DAY = timedelta(hours=24)
HOUR = timedelta(minutes=60)
_ATTEMPT = table_of(Attempt)
_MESSAGE = table_of(Message)


@dataclass(frozen=True, slots=True)
class Usage:
    """What an account has used: attempts of the rolling 24 h and 60 min, plus what is claimed and not yet tried."""

    day: int
    hour: int
    campaign_day: int
    claimed: int
    claimed_campaign: int
    last_attempt_at: datetime | None


@dataclass(frozen=True, slots=True)
class Room:
    """How many more may leave now: of any kind, and of campaign mail (never above the former)."""

    any: int
    campaign: int


_ATTEMPTS = select(
    func.count(),
    func.coalesce(func.sum(case((_ATTEMPT.c.started_at > bindparam("hour_ago", type_=UtcDateTime()), 1), else_=0)), 0),
    func.count(_ATTEMPT.c.campaign_id),
).where(
    _ATTEMPT.c.account_id == bindparam("account_id"),
    _ATTEMPT.c.started_at > bindparam("day_ago", type_=UtcDateTime()),
)
_LAST = select(func.max(_ATTEMPT.c.started_at)).where(_ATTEMPT.c.account_id == bindparam("account_id"))
_CLAIMED = select(func.count(), func.count(_MESSAGE.c.campaign_id)).where(
    _MESSAGE.c.account_id == bindparam("account_id"),
    IN_HAND,
    _MESSAGE.c.status == "claimed",
)


def usage(session: Session, account_id: int, now: datetime) -> Usage:
    """Return what the account has used up to `now`."""
    connection = session.connection()
    # Claims first: each statement sees the latest commits, and a mark between the two turns a claim into an attempt.
    # In this order it is counted twice, in the other one not at all.
    claimed, claimed_campaign = connection.execute(_CLAIMED, {"account_id": account_id}).one()
    day, hour, campaign_day = connection.execute(
        _ATTEMPTS, {"account_id": account_id, "hour_ago": now - HOUR, "day_ago": now - DAY}
    ).one()
    last = connection.execute(_LAST, {"account_id": account_id}).scalar()
    return Usage(day, int(hour), campaign_day, claimed, claimed_campaign, last)


def room(account: EmailAccount, used: Usage, now: datetime) -> Room:
    """Return how many more may leave the account now.

    What is claimed counts as sent: attempts only ever leave the rolling window, so a claim that had room keeps it.
    """
    whole = account.daily_limit - used.day - used.claimed
    if account.hourly_limit is not None:
        whole = min(whole, account.hourly_limit - used.hour - used.claimed)
    campaign = campaign_daily_limit(account, now) - used.campaign_day - used.claimed_campaign
    return Room(max(0, whole), max(0, min(whole, campaign)))


def room_returns_at(session: Session, account: EmailAccount, now: datetime) -> datetime | None:
    """Return when the oldest attempt that counts against the daily limit leaves the window; None if none does."""
    oldest = (
        session.connection()
        .execute(
            select(func.min(_ATTEMPT.c.started_at)).where(
                _ATTEMPT.c.account_id == account.id, _ATTEMPT.c.started_at > now - DAY
            )
        )
        .scalar()
    )
    return None if oldest is None else oldest + DAY
