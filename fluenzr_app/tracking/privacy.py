"""What is kept of openings and clicks, and what goes when a workspace decides to keep less (tracking.md, Opens)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Unpack

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlmodel import Session

from fluenzr_app.db.tables import table_of
from fluenzr_app.tracking.models import Hit, TrackingObjection
from fluenzr_app.workspaces.audit import Actor
from fluenzr_app.workspaces.tracking import TrackingChanges, TrackingSettings, change_tracking, tracking_settings

_HIT = table_of(Hit)
_OBJECTION = table_of(TrackingObjection)


@dataclass(frozen=True, slots=True)
class Changed:
    """The settings as they are now, and how many openings and clicks kept in detail went with the change."""

    settings: TrackingSettings
    forgotten: int


def change(
    session: Session, who: Actor, workspace_id: int, now: datetime, **changes: Unpack[TrackingChanges]
) -> Changed:
    """Change tracking settings; what is no longer to be kept goes in the caller's transaction.

    The dates of first openings and clicks, and all figures, stay. Raises UnknownWorkspace, TrackingRefused.
    """
    before = tracking_settings(session, workspace_id)
    after = change_tracking(session, who, workspace_id, now, **changes)
    if before.details and not after.details:
        return Changed(after, _forget(session, workspace_id, None))
    if after.details and after.details_days < before.details_days:
        return Changed(after, _forget(session, workspace_id, now - timedelta(days=after.details_days)))
    return Changed(after, 0)


def kept_details(session: Session, workspace_id: int, before: datetime | None = None) -> int:
    """Return how many openings and clicks are kept in detail, those older than `before` if it is given."""
    kept = select(func.count()).select_from(_HIT).where(_kept(workspace_id, before))
    return int(session.connection().execute(kept).scalar_one())


def count_objections(session: Session, workspace_id: int) -> int:
    """Return how many people objected to tracking, by their addresses."""
    mine = _OBJECTION.c.workspace_id == workspace_id
    return int(session.connection().execute(select(func.count()).select_from(_OBJECTION).where(mine)).scalar_one())


def _forget(session: Session, workspace_id: int, before: datetime | None) -> int:
    connection = session.connection()
    forgotten = connection.execute(delete(_HIT).where(_kept(workspace_id, before))).rowcount
    if before is None:
        # Those that wait to be judged must still be counted; they go with their judgement.
        waiting = _HIT.c.workspace_id == workspace_id, _HIT.c.judged_at.is_(None)
        named = or_(_HIT.c.ip != "", _HIT.c.user_agent != "")
        connection.execute(update(_HIT).where(*waiting, named).values(ip="", user_agent=""))
    return forgotten


def _kept(workspace_id: int, before: datetime | None) -> ColumnElement[bool]:
    kept = (_HIT.c.workspace_id == workspace_id) & _HIT.c.judged_at.is_not(None)
    return kept if before is None else kept & (_HIT.c.at < before)
