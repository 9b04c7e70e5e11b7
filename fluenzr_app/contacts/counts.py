"""Contacts by status, group and tag: kept with every change, never counted (contacts.md, List page)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Literal

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel, col

from fluenzr_app.contacts.models import Contact, ContactCount, ContactTag, GroupMember

Kind = Literal["status", "group", "tag"]
CountKey = tuple[Kind, str]
Changes = Counter[CountKey]
"""How much each count moves, by kind and key."""

_COUNTS = SQLModel.metadata.tables[ContactCount.__tablename__]
_KEY = ("workspace_id", "kind", "key")


def add_changes(session: Session, workspace_id: int, changes: Mapping[CountKey, int]) -> None:
    """Move the counts; rows are written in key order, so that two transactions never wait for each other in a ring."""
    rows = [
        {"workspace_id": workspace_id, "kind": kind, "key": key, "n": n}
        for (kind, key), n in sorted(changes.items())
        if n
    ]
    if not rows:
        return
    session.flush()
    connection = session.connection()
    insert: Any = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(_COUNTS)
    upsert = insert.on_conflict_do_update(index_elements=_KEY, set_={"n": _COUNTS.c.n + insert.excluded.n})
    connection.execute(upsert, rows)


def counts(session: Session, workspace_id: int, kind: Kind) -> dict[str, int]:
    """Return the count of contacts by status, by group id or by tag id (as text); missing keys count none."""
    rows = session.exec(
        select(_COUNTS.c.key, _COUNTS.c.n).where(_COUNTS.c.workspace_id == workspace_id, _COUNTS.c.kind == kind)  # type: ignore[call-overload]
    )
    return {key: n for key, n in rows if n}


def total(session: Session, workspace_id: int) -> int:
    """Return how many contacts the workspace has, archived ones included."""
    return sum(counts(session, workspace_id, "status").values())


def memberships_of(session: Session, workspace_id: int, contact_ids: list[int]) -> Changes:
    """Return how many of these contacts are in each group and carry each tag."""
    found: Changes = Counter()
    for kind, column, owner in (
        ("group", col(GroupMember.group_id), col(GroupMember.contact_id)),
        ("tag", col(ContactTag.tag_id), col(ContactTag.contact_id)),
    ):
        statement = (
            select(column, func.count())
            .join(Contact, col(Contact.id) == owner)
            .where(col(Contact.workspace_id) == workspace_id, owner.in_(contact_ids))
            .group_by(column)
        )
        for key, n in session.connection().execute(statement):
            found[(kind, str(key))] = n  # type: ignore[index]
    return found
