"""Groups and tags: made, listed, put on contacts and taken off, with the counts that are kept of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Table, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel, col

from fluenzr_app.contacts.contact_values import ContactValues, clean_tag
from fluenzr_app.contacts.counts import Changes, Kind, add_changes, counts
from fluenzr_app.contacts.errors import GroupNameTaken, GroupNotFound, InvalidValue
from fluenzr_app.contacts.models import Contact, ContactTag, Group, GroupMember, Tag

_TABLES = SQLModel.metadata.tables
_LINKS: Mapping[str, tuple[Table, str]] = {
    "group": (_TABLES[GroupMember.__tablename__], "group_id"),
    "tag": (_TABLES[ContactTag.__tablename__], "tag_id"),
}
_BATCH = 1_000


@dataclass(frozen=True)
class GroupLine:
    """A group and how many contacts it has."""

    id: int
    name: str
    description: str
    color: str
    kind: str
    contacts: int
    created_at: datetime


@dataclass(frozen=True)
class TagLine:
    """A tag and how many contacts carry it."""

    id: int
    name: str
    contacts: int


def name_key(name: str) -> str:
    """Return the form under which a group's or tag's name is unique."""
    return " ".join(name.split()).casefold()


def create_group(
    session: Session,
    workspace_id: int,
    name: str,
    now: datetime,
    *,
    kind: Literal["static", "dynamic"] = "static",
    description: str = "",
    color: str = "gray",
) -> int:
    """Make a group and return its id; raises GroupNameTaken, InvalidValue ``bad_group_name``."""
    clean = clean_group_name(name)
    existing = _by_key(session, workspace_id, name_key(clean))
    if existing is not None:
        raise GroupNameTaken(clean, existing)
    return _insert_group(session, workspace_id, clean, now, kind, description, color)


def clean_group_name(name: str) -> str:
    """Return a group's name without outer space; a semicolon parts groups in files, so a name holds none."""
    clean = " ".join(name.split())
    if not clean or len(clean) > 100 or ";" in clean:
        raise InvalidValue("name", "bad_group_name", "A group's name has 1 to 100 characters, without semicolon.")
    return clean


def list_groups(session: Session, workspace_id: int) -> tuple[GroupLine, ...]:
    """Return the workspace's groups by name."""
    kept = counts(session, workspace_id, "group")
    rows = session.connection().execute(
        select(_GROUP).where(_GROUP.c.workspace_id == workspace_id).order_by(_GROUP.c.name_key)
    )
    return tuple(
        GroupLine(r.id, r.name, r.description, r.color, r.kind, kept.get(str(r.id), 0), r.created_at) for r in rows
    )


def list_tags(session: Session, workspace_id: int) -> tuple[TagLine, ...]:
    """Return the workspace's tags by name."""
    kept = counts(session, workspace_id, "tag")
    rows = session.connection().execute(
        select(_TAG.c.id, _TAG.c.name).where(_TAG.c.workspace_id == workspace_id).order_by(_TAG.c.name_key)
    )
    return tuple(TagLine(key, name, kept.get(str(key), 0)) for key, name in rows)


def group_named(session: Session, workspace_id: int, name: str, now: datetime) -> int:
    """Return the id of the group with this name, made as a static one if there is none."""
    clean = clean_group_name(name)
    existing = _by_key(session, workspace_id, name_key(clean))
    if existing is not None:
        return existing
    return _insert_group(session, workspace_id, clean, now, "static", "", "gray")


def check_groups(session: Session, workspace_id: int, group_ids: Iterable[int]) -> None:
    """Raise GroupNotFound unless every one of these groups belongs to the workspace."""
    wanted = set(group_ids)
    statement = select(_GROUP.c.id).where(_GROUP.c.workspace_id == workspace_id, _GROUP.c.id.in_(wanted))
    if wanted and set(session.connection().execute(statement).scalars()) != wanted:
        raise GroupNotFound


def tags_named(session: Session, workspace_id: int, names: Iterable[str]) -> dict[str, int]:
    """Return the ids of these tags by name as given; those that do not exist are made."""
    by_key = {name_key(clean_tag(name)): clean_tag(name) for name in names}
    if not by_key:
        return {}
    session.flush()
    connection = session.connection()
    insert: Any = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(_TAG)
    connection.execute(
        insert.on_conflict_do_nothing(index_elements=["workspace_id", "name_key"]),
        [{"workspace_id": workspace_id, "name": by_key[key], "name_key": key} for key in sorted(by_key)],
    )
    statement = select(_TAG.c.name_key, _TAG.c.id).where(
        _TAG.c.workspace_id == workspace_id, _TAG.c.name_key.in_(list(by_key))
    )
    ids: dict[str, int] = dict(connection.execute(statement).all())
    return {name: ids[key] for key, name in by_key.items()}


def link(session: Session, workspace_id: int, kind: Literal["group", "tag"], pairs: Iterable[tuple[int, int]]) -> int:
    """Put contacts into groups or tags on them; ``pairs`` are (group or tag, contact). Returns how many were new.

    The caller has made sure that both ends belong to the workspace.
    """
    table, owner = _LINKS[kind]
    rows = [{owner: label, "contact_id": contact} for label, contact in sorted(set(pairs))]
    session.flush()
    connection = session.connection()
    insert: Any = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)
    statement = insert.on_conflict_do_nothing(index_elements=[owner, "contact_id"]).returning(table.c[owner])
    changes: Changes = Counter()
    if rows:
        changes.update((_kind(kind), str(label)) for label in connection.execute(statement, rows).scalars())
    add_changes(session, workspace_id, changes)
    return sum(changes.values())


def unlink(
    session: Session, workspace_id: int, kind: Literal["group", "tag"], label_id: int, contact_ids: Sequence[int]
) -> int:
    """Take contacts of this workspace out of a group, or a tag off them; returns how many were taken."""
    table, owner = _LINKS[kind]
    session.flush()
    taken = 0
    for start in range(0, len(contact_ids), _BATCH):
        mine = select(col(Contact.id)).where(
            col(Contact.workspace_id) == workspace_id, col(Contact.id).in_(contact_ids[start : start + _BATCH])
        )
        statement = delete(table).where(table.c[owner] == label_id, table.c.contact_id.in_(mine))
        taken += session.connection().execute(statement).rowcount
    add_changes(session, workspace_id, Counter({(_kind(kind), str(label_id)): -taken}))
    return taken


def add_to_group(session: Session, workspace_id: int, group_id: int, contact_ids: Sequence[int]) -> int:
    """Put contacts of the workspace into one of its groups; returns how many joined. Raises GroupNotFound."""
    check_groups(session, workspace_id, [group_id])
    mine = own_contacts(session, workspace_id, contact_ids)
    return link(session, workspace_id, "group", [(group_id, contact) for contact in mine])


def add_tags(session: Session, workspace_id: int, names: Iterable[str], contact_ids: Sequence[int]) -> int:
    """Put tags on contacts of the workspace; returns how many were put on. Raises InvalidValue ``bad_tag``."""
    mine = own_contacts(session, workspace_id, contact_ids)
    tags = tags_named(session, workspace_id, names)
    return link(session, workspace_id, "tag", [(tag, contact) for tag in tags.values() for contact in mine])


def remove_tag(session: Session, workspace_id: int, name: str, contact_ids: Sequence[int]) -> int:
    """Take a tag off contacts of the workspace; returns how many carried it."""
    statement = select(_TAG.c.id).where(_TAG.c.workspace_id == workspace_id, _TAG.c.name_key == name_key(name))
    tag = session.connection().execute(statement).scalar()
    return unlink(session, workspace_id, "tag", tag, contact_ids) if tag is not None else 0


def set_labels(
    session: Session, workspace_id: int, contact_id: int, parsed: ContactValues, *, replace: bool = False
) -> None:
    """Put the given tags and groups on a contact; with ``replace`` those that are not given are taken off."""
    if parsed.group_ids is not None:
        check_groups(session, workspace_id, parsed.group_ids)
        link(session, workspace_id, "group", [(group, contact_id) for group in parsed.group_ids])
        if replace:
            _drop_others(session, workspace_id, "group", contact_id, parsed.group_ids)
    if parsed.tags is not None:
        ids = tuple(tags_named(session, workspace_id, parsed.tags).values())
        link(session, workspace_id, "tag", [(tag, contact_id) for tag in ids])
        if replace:
            _drop_others(session, workspace_id, "tag", contact_id, ids)


def own_contacts(session: Session, workspace_id: int, contact_ids: Sequence[int]) -> list[int]:
    """Return those of the ids that are contacts of this workspace."""
    found: list[int] = []
    session.flush()
    for start in range(0, len(contact_ids), _BATCH):
        statement = select(col(Contact.id)).where(
            col(Contact.workspace_id) == workspace_id, col(Contact.id).in_(contact_ids[start : start + _BATCH])
        )
        found.extend(key for key in session.connection().execute(statement).scalars() if key is not None)
    return found


_GROUP = _TABLES[Group.__tablename__]
_TAG = _TABLES[Tag.__tablename__]


def _kind(kind: str) -> Kind:
    return "group" if kind == "group" else "tag"


def _drop_others(session: Session, workspace_id: int, kind: str, contact_id: int, keep: Sequence[int]) -> None:
    column, owner = (
        (col(GroupMember.group_id), col(GroupMember.contact_id))
        if kind == "group"
        else (col(ContactTag.tag_id), col(ContactTag.contact_id))
    )
    rest = session.connection().execute(select(column).where(owner == contact_id, column.not_in(keep))).scalars().all()
    for label in rest:
        unlink(session, workspace_id, "group" if kind == "group" else "tag", label, [contact_id])


def _by_key(session: Session, workspace_id: int, key: str) -> int | None:
    session.flush()
    statement = select(_GROUP.c.id).where(_GROUP.c.workspace_id == workspace_id, _GROUP.c.name_key == key)
    found: int | None = session.connection().execute(statement).scalar()
    return found


def _insert_group(
    session: Session, workspace_id: int, name: str, now: datetime, kind: str, description: str, color: str
) -> int:
    row = Group(
        workspace_id=workspace_id,
        name=name,
        name_key=name_key(name),
        kind=kind,
        description=description.strip()[:1_000],
        color=color,
        created_at=now,
    )
    session.add(row)
    session.flush()
    assert row.id is not None
    return row.id
