"""Who objected to being tracked: it wins over every setting, from the next mail on (tracking.md, Opens)."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from fluenzr_app.db.tables import table_of
from fluenzr_app.tracking.models import TrackingObjection

_OBJECTION = table_of(TrackingObjection)


def object_to_tracking(
    session: Session, workspace_id: int, email_hash: bytes, now: datetime, contact_id: int | None = None
) -> bool:
    """Keep that the person behind this address objects; True unless they had before.

    With `contact_id` it holds for the contact under another address too. Of two at the same moment one is the first.
    """
    if objected_at(session, workspace_id, email_hash, contact_id) is not None:
        return False
    connection = session.connection()
    insert: Any = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(_OBJECTION)
    values = {"workspace_id": workspace_id, "email_hash": email_hash, "contact_id": contact_id, "at": now}
    statement = insert.values(values).on_conflict_do_nothing().returning(_OBJECTION.c.at)
    return connection.execute(statement).first() is not None


def withdraw_objection(session: Session, workspace_id: int, email_hash: bytes, contact_id: int | None = None) -> bool:
    """Forget an objection, as the person themselves asks; True if there was one."""
    of_person = _of_person(workspace_id, email_hash, contact_id)
    return session.connection().execute(delete(_OBJECTION).where(of_person)).rowcount > 0


def objected_at(
    session: Session, workspace_id: int, email_hash: bytes, contact_id: int | None = None
) -> datetime | None:
    """Return since when the person behind this address, or this contact, objects; None for somebody who does not."""
    of_person = _of_person(workspace_id, email_hash, contact_id)
    since: datetime | None = session.connection().execute(select(func.min(_OBJECTION.c.at)).where(of_person)).scalar()
    return since


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


def objecting_contacts(session: Session, workspace_id: int, contacts: Mapping[int, bytes]) -> Mapping[int, datetime]:
    """Return since when those of these contacts object that do; each is given with the hash of its address."""
    if not contacts:
        return {}
    rows = session.connection().execute(
        select(_OBJECTION.c.email_hash, _OBJECTION.c.contact_id, _OBJECTION.c.at).where(
            _OBJECTION.c.workspace_id == workspace_id,
            or_(_OBJECTION.c.email_hash.in_(contacts.values()), _OBJECTION.c.contact_id.in_(contacts)),
        )
    )
    by_hash: dict[bytes, datetime] = {}
    by_id: dict[int, datetime] = {}
    for email_hash, contact_id, at in rows:
        by_hash[bytes(email_hash)] = at
        if contact_id is not None:
            by_id[contact_id] = min(at, by_id.get(contact_id, at))
    found: dict[int, datetime] = {}
    for contact_id, email_hash in contacts.items():
        since = [at for at in (by_hash.get(email_hash), by_id.get(contact_id)) if at is not None]
        if since:
            found[contact_id] = min(since)
    return found


def is_objecting(
    workspace_id: ColumnElement[int], email_hash: ColumnElement[bytes], contact_id: ColumnElement[int]
) -> ColumnElement[bool]:
    """Return the condition that the contact in these columns of a query objects."""
    mine = _OBJECTION.c.workspace_id == workspace_id
    # Two questions, so that each has an index of its own.
    return or_(
        exists().where(mine, _OBJECTION.c.email_hash == email_hash),
        exists().where(mine, _OBJECTION.c.contact_id == contact_id),
    )


def _of_person(workspace_id: int, email_hash: bytes, contact_id: int | None) -> ColumnElement[bool]:
    by_hash = _OBJECTION.c.email_hash == email_hash
    who = by_hash if contact_id is None else or_(by_hash, _OBJECTION.c.contact_id == contact_id)
    return (_OBJECTION.c.workspace_id == workspace_id) & who
