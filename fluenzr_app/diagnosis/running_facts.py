"""Reading what is stored about the processes that send, the clock, and how far the figures are."""

from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import Session

from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.db.tables import table_of
from fluenzr_app.diagnosis.figures import FigureFacts
from fluenzr_app.diagnosis.running import AHEAD_BY, RunningFacts
from fluenzr_app.events.models import FiguresCheck
from fluenzr_app.sending.models import Attempt, Installation, Message, Worker
from fluenzr_app.tracking.models import Hit

_ACCOUNT = table_of(EmailAccount)
_ATTEMPT = table_of(Attempt)
_CHECK = table_of(FiguresCheck)
_HIT = table_of(Hit)
_INSTALLATION = table_of(Installation)
_MESSAGE = table_of(Message)
_WORKER = table_of(Worker)


def running_facts(session: Session, workspace_id: int, active_campaigns: int, now: datetime) -> RunningFacts:
    """Return who sends in this installation, as a workspace with so many active campaigns sees it."""
    connection = session.connection()
    beat_at, running_since = connection.execute(
        select(func.max(_WORKER.c.beat_at), func.min(_WORKER.c.started_at))
    ).one()
    # A process that was stopped in good order leaves no row behind; the installation's own beat says when it was.
    grown_at = connection.execute(select(_INSTALLATION.c.beat_at)).scalar()
    return RunningFacts(
        active_campaigns=active_campaigns,
        beat_at=max((at for at in (beat_at, grown_at) if at is not None), default=None),
        running_since=running_since,
        newest_attempt=_newest_ahead(session, workspace_id, now),
        waiting=_waiting(session, workspace_id),
    )


def figure_facts(session: Session, workspace_id: int) -> FigureFacts:
    """Return how many opens and clicks are not judged yet, and what the nightly check repaired last."""
    unjudged, oldest = session.connection().execute(
        select(func.count(), func.min(_HIT.c.at)).where(
            _HIT.c.judged_at.is_(None), _HIT.c.workspace_id == workspace_id
        )
    ).one()  # fmt: skip
    check = session.connection().execute(
        select(_CHECK.c.repaired, _CHECK.c.repaired_at).where(_CHECK.c.workspace_id == workspace_id)
    ).first()  # fmt: skip
    repaired, repaired_at = (0, None) if check is None else (check.repaired, check.repaired_at)
    return FigureFacts(int(unjudged), oldest, int(repaired), repaired_at)


def _newest_ahead(session: Session, workspace_id: int, now: datetime) -> datetime | None:
    """Return the latest attempt of those that lie ahead of `now`; by the accounts' index, which ends there."""
    own = select(_ACCOUNT.c.id).where(_ACCOUNT.c.workspace_id == workspace_id)
    newest: datetime | None = session.connection().execute(
        select(func.max(_ATTEMPT.c.started_at)).where(
            _ATTEMPT.c.account_id.in_(own), _ATTEMPT.c.started_at > now + AHEAD_BY
        )
    ).scalar()  # fmt: skip
    return newest


def _waiting(session: Session, workspace_id: int) -> int:
    own = select(_ACCOUNT.c.id).where(_ACCOUNT.c.workspace_id == workspace_id)
    statement = select(func.count()).where(_MESSAGE.c.account_id.in_(own), _MESSAGE.c.status == "queued")
    return int(session.connection().execute(statement).scalar_one())
