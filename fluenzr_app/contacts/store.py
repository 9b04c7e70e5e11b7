"""Storing many contacts at once: what the API's bulk call and an import's chunk have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel

from fluenzr_app.contacts.contact_values import Address
from fluenzr_app.contacts.counts import Changes, add_changes
from fluenzr_app.contacts.custom_values import FieldDefinition, Value, parse_value
from fluenzr_app.contacts.errors import InvalidValue
from fluenzr_app.contacts.folding import search_text
from fluenzr_app.contacts.models import Contact
from fluenzr_app.contacts.suppression import Hasher

CONTACT = SQLModel.metadata.tables[Contact.__tablename__]
_BATCH = 1_000

_EMPTY: Mapping[str, Any] = {
    "first_name": "",
    "last_name": "",
    "company": "",
    "job_title": "",
    "phone": "",
    "website": "",
    "linkedin_url": "",
    "city": "",
    "country": "",
    "language": "",
    "timezone": "",
    "owner_id": None,
    "status": "active",
    "consent_source": "not_specified",
    "consent_at": None,
    "consent_notes": "",
    "notes": "",
    "import_id": None,
}


def new_row(
    hasher: Hasher,
    workspace_id: int,
    address: Address,
    columns: Mapping[str, Any],
    custom: Mapping[str, Value | None],
    now: datetime,
) -> dict[str, Any]:
    """Return the whole row of a new contact; a consent source that is given is dated by itself."""
    email_hash, domain_hash = hasher.of_address(address.key)
    row: dict[str, Any] = {
        **_EMPTY,
        **columns,
        "workspace_id": workspace_id,
        "email": address.email,
        "email_key": address.key,
        "email_hash": email_hash,
        "domain_hash": domain_hash,
        "domain": address.key.rpartition("@")[2],
        "fields": {name: value for name, value in custom.items() if value is not None},
        "revision": 1,
        "created_at": now,
        "updated_at": now,
    }
    if row["consent_at"] is None and row["consent_source"] != "not_specified":
        row["consent_at"] = now
    row["search"] = search_text(row)
    return row


def with_defaults(
    custom: Mapping[str, Value | None], definitions: Iterable[FieldDefinition]
) -> dict[str, Value | None]:
    """Return custom values with the defaults of those not given; a default that no longer fits is left out."""
    full = dict(custom)
    for definition in definitions:
        if definition.default and definition.name not in full:
            try:
                full[definition.name] = parse_value(definition, definition.default)
            except InvalidValue:
                continue
    return full


def insert_new(session: Session, workspace_id: int, rows: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Insert rows made by ``new_row`` and return the ids of those that went in, by key.

    A row whose address another transaction stored meanwhile is not among them.
    """
    if not rows:
        return {}
    session.flush()
    connection = session.connection()
    insert: Any = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(CONTACT)
    statement = insert.on_conflict_do_nothing(index_elements=["workspace_id", "email_key"]).returning(
        CONTACT.c.id, CONTACT.c.email_key
    )
    ids: dict[str, int] = {key: contact for contact, key in connection.execute(statement, list(rows))}
    changes: Changes = Counter(("status", row["status"]) for row in rows if row["email_key"] in ids)
    add_changes(session, workspace_id, changes)
    return ids


def existing(session: Session, workspace_id: int, keys: Sequence[str]) -> dict[str, int]:
    """Return the ids of the contacts that have one of these addresses, by key."""
    found: dict[str, int] = {}
    session.flush()
    connection = session.connection()
    for start in range(0, len(keys), _BATCH):
        statement = select(CONTACT.c.email_key, CONTACT.c.id).where(
            CONTACT.c.workspace_id == workspace_id, CONTACT.c.email_key.in_(keys[start : start + _BATCH])
        )
        found.update(connection.execute(statement).all())
    return found
