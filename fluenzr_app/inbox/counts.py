"""Conversations of a workspace by status: kept with every change, never counted."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from fluenzr_app.db.tables import table_of
from fluenzr_app.inbox.models import ConversationCount

_COUNT = table_of(ConversationCount)


def counts(session: Session, workspace_id: int) -> Counter[str]:
    """Return how many conversations have each status."""
    rows = session.connection().execute(
        select(_COUNT.c.status, _COUNT.c.n).where(_COUNT.c.workspace_id == workspace_id)
    )
    return Counter({row.status: row.n for row in rows if row.n})


def add(session: Session, workspace_id: int, changes: Mapping[str, int]) -> None:
    """Move the counts by `changes`, in key order."""
    rows = [{"workspace_id": workspace_id, "status": status, "n": n} for status, n in sorted(changes.items()) if n]
    if not rows:
        return
    connection = session.connection()
    insert: Any = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(_COUNT)
    connection.execute(
        insert.on_conflict_do_update(
            index_elements=["workspace_id", "status"], set_={"n": _COUNT.c.n + insert.excluded.n}
        ),
        rows,
    )
