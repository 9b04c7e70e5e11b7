"""Living through the past: the real engine on a clock that jumps from one due moment to the next."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, exists, func, or_, select
from sqlmodel import Session

from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.campaigns.models import Campaign, Enrollment
from fluenzr_app.campaigns.settings import read_stored
from fluenzr_app.campaigns.timing import is_open, next_opening
from fluenzr_app.clock import ManualClock
from fluenzr_app.db.engine import Database
from fluenzr_app.db.tables import table_of
from fluenzr_app.demo.story import Act
from fluenzr_app.sending.models import Message

_ACCOUNT = table_of(EmailAccount)
_CAMPAIGN = table_of(Campaign)
_ENROLLMENT = table_of(Enrollment)
_MESSAGE = table_of(Message)

# While mail waits for a cap, nothing says when its turn comes.
_LOOK_AGAIN = timedelta(hours=3)
# Mailboxes whose turns lie close together share a tick: most of what a mail costs is looking for it.
_SHORTEST_STEP = timedelta(minutes=14)

# A follow-up leaves only when its mailbox was read within ten minutes (campaigns.md, guarantee 3).
_READ_AGAIN = timedelta(minutes=9)

Turn = Callable[[], Awaitable[object]]
NextDeed = Callable[[], datetime | None]


async def live_through(
    db: Database, clock: ManualClock, acts: Sequence[Act], until: datetime, turn: Turn, next_deed: NextDeed
) -> None:
    """Do every act at its time, and between them take a turn when something is due, until the clock is at `until`.

    `turn` does what the ticks of the product do, and what people do by then, and returns when everything has arrived;
    `next_deed` says when somebody does something next.
    """
    waiting = list(acts)
    while clock.now() < until:
        while waiting and waiting[0].at <= clock.now():
            act = waiting.pop(0)
            await db.run(db.transact, act.do, act.at)
        await turn()
        moments = [await db.run(_next_moment, db, clock.now()), next_deed()]
        following = min((at for at in moments if at is not None), default=None)
        acting = waiting[0].at if waiting else until
        due = acting if following is None else max(following, clock.now() + _SHORTEST_STEP)
        clock.set(min(acting, due, until))


def accounts_to_read(db: Database, now: datetime, reached: Collection[str]) -> set[int]:
    """Return the accounts that got mail (`reached`: their addresses), and those of which a follow-up may leave now."""
    may_send = or_(_ACCOUNT.c.next_send_at.is_(None), _ACCOUNT.c.next_send_at <= now)
    queued = exists().where(
        _MESSAGE.c.account_id == _ACCOUNT.c.id, _MESSAGE.c.status == "queued", _MESSAGE.c.due_at <= now,
        _MESSAGE.c.priority == 0, _MESSAGE.c.kind == "campaign",
    )  # fmt: skip
    walking = exists().where(_ENROLLMENT.c.account_id == _ACCOUNT.c.id, _ENROLLMENT.c.due_at <= now)
    not_read = or_(_ACCOUNT.c.synced_at.is_(None), _ACCOUNT.c.synced_at < now - _READ_AGAIN)
    blocked = select(_MESSAGE.c.account_id).where(_MESSAGE.c.reason == "mailbox_not_synced")
    wanted = or_(
        _ACCOUNT.c.email.in_(list(reached)),
        and_(not_read, may_send, or_(queued, walking)),
        _ACCOUNT.c.id.in_(blocked),
    )
    with db.read() as session:
        rows = session.connection().execute(select(_ACCOUNT.c.id).where(_ACCOUNT.c.status == "connected", wanted))
        return set(rows.scalars())


def _next_moment(db: Database, now: datetime) -> datetime | None:
    """Return when something may leave next; None when nothing is waiting for a time."""
    with db.read() as session:
        rows = session.connection().execute(select(_CAMPAIGN.c.settings).where(_CAMPAIGN.c.status == "active"))
        active = [read_stored(stored) for stored in rows.scalars()]
        if not any(is_open(settings.window, now, settings.zone) for settings in active):
            openings = [next_opening(settings.window, now, settings.zone) for settings in active]
            return min((at for at in openings if at is not None), default=None)
        moments = [_first_after(session, column, now) for column in (_ENROLLMENT.c.due_at, _MESSAGE.c.due_at)]
        moments.append(_first_after(session, _ACCOUNT.c.next_send_at, now))
        return min([now + _LOOK_AGAIN, *(at for at in moments if at is not None)])


def _first_after(session: Session, column: Any, now: datetime) -> datetime | None:
    found: datetime | None = session.connection().execute(select(func.min(column)).where(column > now)).scalar()
    return found
