"""The nightly proof that the counts equal a recount of the events, and their repair where they do not."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from fluenzr_app.db.engine import Database
from fluenzr_app.db.tables import table_of
from fluenzr_app.events import figures
from fluenzr_app.events.models import FiguresCheck

log = logging.getLogger(__name__)
_CHECK = table_of(FiguresCheck)

# At night where most mail is written (UTC): a recount reads every event.
FROM_HOUR, TO_HOUR = 1, 4
# A machine that is switched off at night gets its check by day.
AT_LATEST = timedelta(hours=48)
_NOT_TWICE = timedelta(hours=12)


def is_due(checked_at: datetime | None, now: datetime) -> bool:
    """Return whether a workspace's counts are to be compared at `now`: once a night, or after 48 h at any hour."""
    at_night = FROM_HOUR <= now.hour < TO_HOUR
    if checked_at is None:
        return at_night
    return now - checked_at > (_NOT_TWICE if at_night else AT_LATEST)


def tick(db: Database, workspace_ids: Sequence[int], now: datetime) -> int:
    """Compare what is due among these workspaces, repair what differs, and return how many counts were repaired.

    The comparison only reads; writers wait for no more than the repair of one workspace, should there be one.
    """
    with db.read() as session:
        rows = session.connection().execute(select(_CHECK.c.workspace_id, _CHECK.c.checked_at))
        checked: dict[int, datetime] = {row.workspace_id: row.checked_at for row in rows}
    repaired = 0
    for workspace_id in workspace_ids:
        if is_due(checked.get(workspace_id), now):
            with db.read() as session:
                differs = bool(figures.verify(session, workspace_id))
            repaired += db.transact(_note, workspace_id, differs, now)
    return repaired


def _note(session: Session, workspace_id: int, differs: bool, now: datetime) -> int:
    repaired = len(figures.rebuild(session, workspace_id)) if differs else 0
    row: dict[str, object] = {"workspace_id": workspace_id, "checked_at": now}
    if repaired:
        log.error("counts differed from their recount", extra={"workspace_id": workspace_id, "repaired": repaired})
        row |= {"repaired": repaired, "repaired_at": now}
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = insert(_CHECK).values({"repaired": 0, **row})
    session.connection().execute(statement.on_conflict_do_update(index_elements=["workspace_id"], set_=row))
    return repaired
