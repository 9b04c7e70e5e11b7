"""What tracking knows of people who are deleted goes with them; that somebody objected stays, as a keyed hash."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete
from sqlmodel import Session

from fluenzr_app.db.tables import table_of
from fluenzr_app.tracking.models import Hit

_HIT = table_of(Hit)


def contacts_deleted(session: Session, workspace_id: int, contact_ids: Sequence[int], now: datetime) -> None:
    """Delete every hit of the contacts, judged or not."""
    mine = _HIT.c.contact_id.in_(list(contact_ids)), _HIT.c.workspace_id == workspace_id
    session.connection().execute(delete(_HIT).where(*mine))
