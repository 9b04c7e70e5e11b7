"""The one change that events allow: what they say of a person is taken out when the person is deleted."""

from collections.abc import Sequence

from sqlalchemy import update
from sqlmodel import Session

from fluenzr_app.db.tables import table_of
from fluenzr_app.events.models import Event

_EVENT = table_of(Event)


def erase_data(session: Session, workspace_id: int, contact_ids: Sequence[int], types: Sequence[str]) -> int:
    """Empty the data of the contacts' events of these types and return how many there were; the counts stay right."""
    session.flush()
    found = (
        _EVENT.c.workspace_id == workspace_id,
        _EVENT.c.contact_id.in_(contact_ids),
        _EVENT.c.type.in_(types),
        _EVENT.c.data.is_not(None),
    )
    return int(session.connection().execute(update(_EVENT).where(*found).values(data=None)).rowcount)
