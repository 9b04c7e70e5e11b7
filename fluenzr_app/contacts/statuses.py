"""Setting the status of contacts, one or many, with the counts that go with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlmodel import Session, col

from fluenzr_app.contacts.counts import Changes, add_changes
from fluenzr_app.contacts.errors import InvalidValue
from fluenzr_app.contacts.field_names import STATUSES
from fluenzr_app.contacts.models import Contact

_BATCH = 1_000


def set_statuses(session: Session, workspace_id: int, contact_ids: Sequence[int], status: str, now: datetime) -> int:
    """Set the status of these contacts and return how many changed; those that have it already are left alone.

    Raises InvalidValue ``unknown_status``.
    """
    check_status(status)
    session.flush()
    changed = 0
    for start in range(0, len(contact_ids), _BATCH):
        part = sorted(contact_ids[start : start + _BATCH])
        changed += _set_batch(session, workspace_id, part, status, now)
    return changed


def check_status(status: str) -> None:
    """Raise InvalidValue ``unknown_status`` for anything but the six statuses (contacts.md, Fields)."""
    if status not in STATUSES:
        raise InvalidValue(
            "status", "unknown_status", f"“{status}” is no status; choose one of {', '.join(STATUSES)}.", value=status
        )


def _set_batch(session: Session, workspace_id: int, ids: list[int], status: str, now: datetime) -> int:
    connection = session.connection()
    mine = (col(Contact.workspace_id) == workspace_id, col(Contact.id).in_(ids), col(Contact.status) != status)
    # Locked in key order: two transactions that set statuses never wait for each other in a ring.
    rows = connection.execute(
        select(col(Contact.id), col(Contact.status)).where(*mine).order_by(col(Contact.id)).with_for_update()
    ).all()
    if not rows:
        return 0
    connection.execute(
        update(Contact)
        .where(col(Contact.workspace_id) == workspace_id, col(Contact.id).in_([row[0] for row in rows]))
        .values(status=status, updated_at=now, revision=col(Contact.revision) + 1)
    )
    changes: Changes = Counter()
    for _, before in rows:
        changes["status", before] -= 1
        changes["status", status] += 1
    add_changes(session, workspace_id, changes)
    forget_loaded(session, {row[0] for row in rows if row[0] is not None})
    return len(rows)


def forget_loaded(session: Session, contact_ids: set[int]) -> None:
    """Let contacts that were changed by plain SQL be read again by this session."""
    for row in list(session.identity_map.values()):
        if isinstance(row, Contact) and row.id in contact_ids:
            session.expire(row)
