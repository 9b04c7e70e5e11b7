"""The one change that events allow: what they say of a person is taken out when the person is deleted."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import bindparam, select, update
from sqlmodel import Session

from fluenzr_app.db.tables import table_of
from fluenzr_app.events.models import Event

_EVENT = table_of(Event)
# Codes of ours that say nothing of anybody: what figures and diagnosis are made of. All else may be personal, also what
# events of a later day hold.
_KEPT: Final = ("rule", "kind", "code", "status", "cause", "how", "report", "again")


def erase_words(session: Session, workspace_id: int, contact_ids: Sequence[int]) -> int:
    """Leave only codes in the data of the contacts' events and return how many changed; the counts stay right.

    Notes, stages, the servers' words and the links that were clicked are gone then.
    """
    session.flush()
    connection = session.connection()
    rows = connection.execute(
        select(_EVENT.c.id, _EVENT.c.data).where(
            _EVENT.c.workspace_id == workspace_id,
            _EVENT.c.contact_id.in_(list(contact_ids)),
            _EVENT.c.data.is_not(None),
        )
    )
    changes = [{"event_id": row.id, "kept": kept or None} for row in rows if (kept := _codes_of(row.data)) != row.data]
    if changes:
        connection.execute(
            update(_EVENT).where(_EVENT.c.id == bindparam("event_id")).values(data=bindparam("kept")), changes
        )
    return len(changes)


def _codes_of(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name in _KEPT and isinstance(value, str | int | None)}
