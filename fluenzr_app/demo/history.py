"""Living through the past: the real engine on a clock that jumps from one due moment to the next."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
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
_SHORTEST_STEP = timedelta(minutes=4)

SendDue = Callable[[], Awaitable[object]]


async def live_through(
    db: Database, clock: ManualClock, acts: Sequence[Act], until: datetime, send_due: SendDue
) -> None:
    """Do every act at its time, and between them send what is due, until the clock stands at `until`.

    `send_due` does what a tick of the engine does and returns when everything has arrived.
    """
    waiting = list(acts)
    while clock.now() < until:
        while waiting and waiting[0].at <= clock.now():
            act = waiting.pop(0)
            await db.run(db.transact, act.do, act.at)
        await send_due()
        following = await db.run(_next_moment, db, clock.now())
        acting = waiting[0].at if waiting else until
        due = acting if following is None else max(following, clock.now() + _SHORTEST_STEP)
        clock.set(min(acting, due, until))


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
