"""Who did what of consequence: keys, accounts, exports, deletions, campaign starts (platform.md, Users)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, update
from sqlmodel import Session, col, select

from fluenzr_app.db.tables import table_of
from fluenzr_app.workspaces.api_keys import KeyIdentity
from fluenzr_app.workspaces.identity import Identity
from fluenzr_app.workspaces.models import AuditEntry, User

_ENTRY = table_of(AuditEntry)

Actor = Identity | KeyIdentity | None


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One entry as a page shows it; `who` is a person's name or a key's id, empty for the software itself."""

    id: int
    at: datetime
    who: str
    action: str
    subject: str
    data: Mapping[str, Any]


def record(
    session: Session,
    actor: Actor,
    workspace_id: int,
    action: str,
    subject: str,
    data: Mapping[str, Any] | None,
    now: datetime,
) -> None:
    """Write one entry in the caller's transaction; `data` must hold neither secrets nor a mail's text."""
    session.add(
        AuditEntry(
            workspace_id=workspace_id,
            user_id=actor.user_id if isinstance(actor, Identity) else None,
            api_key_id=actor.key_id if isinstance(actor, KeyIdentity) else None,
            action=action,
            subject=subject,
            data=dict(data or {}),
            at=now,
        )
    )
    session.flush()


def forget_subjects(session: Session, workspace_id: int, names: Sequence[str]) -> int:
    """Empty the subject of entries about what is named so, as when a person is erased; return how many there were."""
    session.flush()
    mine = _ENTRY.c.workspace_id == workspace_id, func.lower(_ENTRY.c.subject).in_([name.lower() for name in names])
    return int(session.connection().execute(update(_ENTRY).where(*mine).values(subject="")).rowcount)


def list_entries(
    session: Session, workspace_id: int, *, before_id: int | None = None, limit: int = 50
) -> Sequence[AuditLine]:
    """Return the newest entries of a workspace, at most `limit`, older than entry `before_id` if one is given."""
    statement = (
        select(AuditEntry, User)
        .join(User, col(User.id) == col(AuditEntry.user_id), isouter=True)
        .where(col(AuditEntry.workspace_id) == workspace_id)
        .order_by(col(AuditEntry.id).desc())
        .limit(limit)
    )
    if before_id is not None:
        statement = statement.where(col(AuditEntry.id) < before_id)
    return [
        AuditLine(entry.id or 0, entry.at, _who(entry, user), entry.action, entry.subject, entry.data)
        for entry, user in session.exec(statement)
    ]


def _who(entry: AuditEntry, user: User | None) -> str:
    if user is not None:
        return f"{user.first_name} {user.last_name}".strip() or user.email
    return f"key {entry.api_key_id}" if entry.api_key_id is not None else ""
