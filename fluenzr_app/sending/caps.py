"""How many more messages may leave an account now (accounts.md, Limits; campaigns.md, The engine)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import BindParameter, bindparam, case, func, select
from sqlmodel import Session

from fluenzr_app.accounts.limits import campaign_daily_limit
from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.db.tables import table_of
from fluenzr_app.db.types import UtcDateTime
from fluenzr_app.sending.models import Attempt, Message
from fluenzr_app.sending.rows import IN_HAND

DAY = timedelta(hours=24)
HOUR = timedelta(minutes=60)
_ACCOUNT = table_of(EmailAccount)
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
).where(_ATTEMPT.c.started_at > bindparam("day_ago", type_=UtcDateTime()))
_LAST = select(func.max(_ATTEMPT.c.started_at))
_CLAIMED = select(func.count(), func.count(_MESSAGE.c.campaign_id)).where(IN_HAND, _MESSAGE.c.status == "claimed")
_OF_ONE: BindParameter[int] = bindparam("account_id")
_OF_MANY: BindParameter[Sequence[int]] = bindparam("account_ids", expanding=True)
_ATTEMPTS_OF_ONE = _ATTEMPTS.where(_ATTEMPT.c.account_id == _OF_ONE)
_LAST_OF_ONE = _LAST.where(_ATTEMPT.c.account_id == _OF_ONE)
_CLAIMED_OF_ONE = _CLAIMED.where(_MESSAGE.c.account_id == _OF_ONE)
_ATTEMPTS_OF_MANY = (
    _ATTEMPTS.add_columns(_ATTEMPT.c.account_id)
    .where(_ATTEMPT.c.account_id.in_(_OF_MANY))
    .group_by(_ATTEMPT.c.account_id)
)
# One by one from the end of the index: grouped, every attempt that an account ever made would be read.
_LAST_OF_MANY = select(
    _ACCOUNT.c.id, _LAST.where(_ATTEMPT.c.account_id == _ACCOUNT.c.id).correlate(_ACCOUNT).scalar_subquery()
).where(_ACCOUNT.c.id.in_(_OF_MANY))
_CLAIMED_OF_MANY = (
    _CLAIMED.add_columns(_MESSAGE.c.account_id)
    .where(_MESSAGE.c.account_id.in_(_OF_MANY))
    .group_by(_MESSAGE.c.account_id)
)


def usage(session: Session, account_id: int, now: datetime) -> Usage:
    """Return what the account has used up to `now`."""
    connection = session.connection()
    # Claims first: each statement sees the latest commits, and a mark between the two turns a claim into an attempt.
    # In this order it is counted twice, in the other one not at all.
    claimed, claimed_campaign = connection.execute(_CLAIMED_OF_ONE, {"account_id": account_id}).one()
    day, hour, campaign_day = connection.execute(
        _ATTEMPTS_OF_ONE, {"account_id": account_id, "hour_ago": now - HOUR, "day_ago": now - DAY}
    ).one()
    last = connection.execute(_LAST_OF_ONE, {"account_id": account_id}).scalar()
    return Usage(day, int(hour), campaign_day, claimed, claimed_campaign, last)


def usages(session: Session, account_ids: Sequence[int], now: datetime) -> dict[int, Usage]:
    """Return `usage` of several accounts by id, in three statements however many they are."""
    connection = session.connection()
    of_many = {"account_ids": list(account_ids)}
    # Claims first, for the reason given in `usage`.
    claimed = {row[2]: (row[0], row[1]) for row in connection.execute(_CLAIMED_OF_MANY, of_many)}
    times = {"hour_ago": now - HOUR, "day_ago": now - DAY}
    tried = {row[3]: (row[0], int(row[1]), row[2]) for row in connection.execute(_ATTEMPTS_OF_MANY, of_many | times)}
    last = last_attempts(session, account_ids)
    return {key: Usage(*tried.get(key, (0, 0, 0)), *claimed.get(key, (0, 0)), last.get(key)) for key in account_ids}


def last_attempts(session: Session, account_ids: Sequence[int]) -> dict[int, datetime]:
    """Return when each of the accounts last tried to send something; those that never did are left out."""
    rows = session.connection().execute(_LAST_OF_MANY, {"account_ids": list(account_ids)})
    return {account_id: at for account_id, at in rows if at is not None}


def room(account: EmailAccount, used: Usage, now: datetime) -> Room:
    """Return how many more may leave the account now.

    What is claimed counts as sent: attempts only ever leave the rolling window, so a claim that had room keeps it.
    """
    whole = account.daily_limit - used.day - used.claimed
    if account.hourly_limit is not None:
        whole = min(whole, account.hourly_limit - used.hour - used.claimed)
    campaign = campaign_daily_limit(account, now) - used.campaign_day - used.claimed_campaign
    return Room(max(0, whole), max(0, min(whole, campaign)))


def room_returns_at(session: Session, account_ids: Sequence[int], now: datetime) -> dict[int, datetime]:
    """Return for each account when the oldest attempt that counts against its daily limit leaves the window.

    Accounts that have tried nothing within 24 hours are left out.
    """
    rows = session.connection().execute(
        select(_ATTEMPT.c.account_id, func.min(_ATTEMPT.c.started_at))
        .where(_ATTEMPT.c.account_id.in_(list(account_ids)), _ATTEMPT.c.started_at > now - DAY)
        .group_by(_ATTEMPT.c.account_id)
    )
    return {account_id: oldest + DAY for account_id, oldest in rows}
