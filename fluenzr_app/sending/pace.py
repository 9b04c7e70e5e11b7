"""The account's day: rolled once, stored, shown (campaigns.md, guarantee 5)."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlmodel import Session

from fluenzr_app.accounts.limits import campaign_daily_limit
from fluenzr_app.accounts.models import AccountDay, EmailAccount
from fluenzr_app.sending.caps import Usage
from fluenzr_app.sending.pacing import next_slot, roll_day
from fluenzr_app.sending.values import Stream

_SHORTEST_GAP = 0.6


def may_send_now(
    session: Session, account: EmailAccount, streams: Sequence[Stream], used: Usage, now: datetime, rng: random.Random
) -> bool:
    """Return whether the account's plan lets a paced message leave at `now`, rolling the day where needed.

    With `min_gap_seconds` 0 spreading is off and the answer is always yes.
    """
    if account.min_gap_seconds == 0:
        return True
    day = plan_of_day(session, account, streams, used, now, rng)
    return day is not None and account.next_send_at is not None and account.next_send_at <= now


def plan_of_day(
    session: Session, account: EmailAccount, streams: Sequence[Stream], used: Usage, now: datetime, rng: random.Random
) -> AccountDay | None:
    """Return the plan of the opening that is under way, rolled anew only when what it was rolled from has changed."""
    closings = [stream.closes_at for stream in streams if stream.paced and stream.is_open and stream.closes_at]
    if not closings:
        return None
    closes = max(closings)
    limit = campaign_daily_limit(account, now)
    inputs = f"{closes.isoformat()} {limit} {account.min_gap_seconds}"
    key = (closes - timedelta(microseconds=1)).astimezone(UTC).date()
    day = session.get(AccountDay, (account.id, key))
    if day is not None and day.inputs == inputs:
        if account.next_send_at is None:
            # A campaign's change of state asked to look anew, and the day stands as it was rolled.
            _set_next(session, account, _slot_from(day, _free_from(account, used, now)))
        return day
    # The whole limit, not what the rolling 24 h leave at this moment: that comes back at yesterday's pace, and the
    # claim looks at it again at each slot.
    begun = 0 if day is None else sum(slot <= now.timestamp() for slot in day.slots)
    room = max(0, limit - begun)
    slots = roll_day(opens=now, closes=closes, room=room, min_gap_s=account.min_gap_seconds, rng=rng)
    free_from = _free_from(account, used, now)
    slots = tuple(slot for slot in slots if slot >= free_from)
    if day is None:
        day = AccountDay(
            account_id=account.id or 0, day=key, opens_at=now, closes_at=closes, room=room, inputs=inputs, rolled_at=now
        )
    day.closes_at, day.room, day.inputs, day.rolled_at = closes, room, inputs, now
    day.slots = [slot.timestamp() for slot in slots]
    session.add(day)
    session.flush()
    _set_next(session, account, slots[0] if slots else closes)
    return day


def move_to_next_slot(session: Session, account: EmailAccount, now: datetime) -> None:
    """Set the account's next moment after one message was claimed at `now`; missed slots are not made up for."""
    key_from = now.astimezone(UTC).date()
    for key in (key_from, key_from + timedelta(days=1)):
        day = session.get(AccountDay, (account.id, key))
        if day is not None and day.opens_at <= now < day.closes_at:
            earliest = now + timedelta(seconds=_SHORTEST_GAP * account.min_gap_seconds)
            _set_next(session, account, _slot_from(day, earliest))
            return
    _set_next(session, account, now + timedelta(seconds=account.min_gap_seconds))


def _slot_from(day: AccountDay, earliest: datetime) -> datetime:
    """Return the day's first slot after `earliest`, or its end when it has no more."""
    slots = tuple(datetime.fromtimestamp(slot, UTC) for slot in day.slots)
    return next_slot(slots, earliest) or day.closes_at


def _free_from(account: EmailAccount, used: Usage, now: datetime) -> datetime:
    """Return the first moment that is far enough from the account's last attempt."""
    if used.last_attempt_at is None:
        return now
    return max(now, used.last_attempt_at + timedelta(seconds=_SHORTEST_GAP * account.min_gap_seconds))


def _set_next(session: Session, account: EmailAccount, at: datetime) -> None:
    account.next_send_at = at
    session.add(account)
    session.flush()
