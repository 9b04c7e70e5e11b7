"""Who objected to being tracked: it wins over every setting, from the next mail on (tracking.md, Opens)."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlmodel import Session

from fluenzr_app.db.tables import table_of
from fluenzr_app.tracking.models import TrackingObjection

_OBJECTION = table_of(TrackingObjection)


def object_to_tracking(session: Session, workspace_id: int, email_hash: bytes, now: datetime) -> bool:
    """Keep that the person behind this address objects; True unless they had before."""
    if objected_at(session, workspace_id, email_hash) is not None:
        return False
    session.connection().execute(insert(_OBJECTION).values(workspace_id=workspace_id, email_hash=email_hash, at=now))
    return True


def withdraw_objection(session: Session, workspace_id: int, email_hash: bytes) -> bool:
    """Forget an objection, as the person themselves asks; True if there was one."""
    found = session.connection().execute(
        delete(_OBJECTION).where(_OBJECTION.c.workspace_id == workspace_id, _OBJECTION.c.email_hash == email_hash)
    )
    return found.rowcount > 0


def objected_at(session: Session, workspace_id: int, email_hash: bytes) -> datetime | None:
    """Return since when the person behind this address objects; None for somebody who does not."""
    return (
        session.connection()
        .execute(
            select(_OBJECTION.c.at).where(
                _OBJECTION.c.workspace_id == workspace_id, _OBJECTION.c.email_hash == email_hash
            )
        )
        .scalar_one_or_none()
    )


def objecting(session: Session, workspace_id: int, email_hashes: Collection[bytes]) -> set[bytes]:
    """Return which of these addresses belong to people who object."""
    if not email_hashes:
        return set()
    found = session.connection().execute(
        select(_OBJECTION.c.email_hash).where(
            _OBJECTION.c.workspace_id == workspace_id, _OBJECTION.c.email_hash.in_(email_hashes)
        )
    )
    return {bytes(found_hash) for found_hash in found.scalars()}
