"""Contacts one by one: create, read, change, archive, delete (contacts.md, Fields).

Every function asks for the workspace and puts it into the query. Nothing here commits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from fluenzr_app.contacts.contact_values import Address, ContactValues, check_consent, parse_address, parse_values
from fluenzr_app.contacts.counts import add_changes, memberships_of, total
from fluenzr_app.contacts.custom_fields import list_custom_fields
from fluenzr_app.contacts.custom_values import FieldDefinition
from fluenzr_app.contacts.errors import (
    ContactInUse,
    ContactLimitReached,
    ContactNotFound,
    EmailTaken,
    InvalidValue,
    StaleContact,
)
from fluenzr_app.contacts.folding import search_text
from fluenzr_app.contacts.labels import set_labels
from fluenzr_app.contacts.models import Contact, ContactTag, Group, GroupMember, Suppression, Tag
from fluenzr_app.contacts.stages import StageView, list_stages, move_to_stage
from fluenzr_app.contacts.statuses import forget_loaded, set_statuses
from fluenzr_app.contacts.store import existing, insert_new, new_row, with_defaults
from fluenzr_app.contacts.suppression import STATUS_AFTER, hasher_of, is_suppressed
from fluenzr_app.crypto import KeyRing
from fluenzr_app.events.erase import erase_words

_BATCH = 1_000


class OnDelete(Protocol):
    """What another room does before contacts vanish (enrollments end, queued mails are withdrawn)."""

    def __call__(self, session: Session, workspace_id: int, contact_ids: Sequence[int], now: datetime) -> None: ...


@dataclass(frozen=True)
class ContactCard:
    """A contact with its groups (id, name) and tags, both by name, and its stage of the pipeline."""

    contact: Contact
    groups: tuple[tuple[int, str], ...]
    tags: tuple[str, ...]
    stage: StageView | None = None


def create_contact(
    session: Session,
    keyring: KeyRing,
    workspace_id: int,
    values: Mapping[str, Any],
    now: datetime,
    *,
    limit: int | None = None,
) -> ContactCard:
    """Store a contact and return it.

    ``values`` are named like the columns, plus ``custom_fields`` (name → value), ``tags`` (names),
    ``group_ids`` and ``stage_id``. An address on the suppression list is stored with the status that the list asks for.
    ``limit`` is the plan's number of contacts. Raises InvalidValue, EmailTaken, GroupNotFound, StageNotFound,
    ContactLimitReached.
    """
    definitions = list_custom_fields(session, workspace_id)
    parsed = parse_values(values, definitions)
    address = parsed.address or parse_address(None)
    _check_required(parsed, definitions)
    check_consent(parsed.columns.get("consent_source", "not_specified"), parsed.columns.get("consent_notes", ""))
    taken = existing(session, workspace_id, [address.key]).get(address.key)
    if taken is not None:
        raise EmailTaken(address.email, taken)
    check_limit(session, workspace_id, limit, 1)
    hasher = hasher_of(session, keyring, workspace_id)
    columns = dict(parsed.columns)
    reason = is_suppressed(session, hasher, workspace_id, [address.key]).get(address.key)
    if reason is not None:
        columns["status"] = STATUS_AFTER[reason]
    row = new_row(hasher, workspace_id, address, columns, with_defaults(parsed.custom, definitions), now)
    ids = insert_new(session, workspace_id, [row])
    if address.key not in ids:
        # Stored by somebody else between the look-up and the insert.
        raise EmailTaken(address.email, existing(session, workspace_id, [address.key])[address.key])
    contact_id = ids[address.key]
    set_labels(session, workspace_id, contact_id, parsed)
    set_stage(session, workspace_id, contact_id, parsed, now)
    return get_contact(session, workspace_id, contact_id)


def get_contact(session: Session, workspace_id: int, contact_id: int) -> ContactCard:
    """Return a contact; raises ContactNotFound."""
    statement = select(Contact).where(col(Contact.workspace_id) == workspace_id, col(Contact.id) == contact_id)
    contact = session.execute(statement).scalar_one_or_none()
    if contact is None:
        raise ContactNotFound
    return cards(session, workspace_id, [contact])[0]


def find_by_email(session: Session, workspace_id: int, email: str) -> ContactCard | None:
    """Return the contact with this address, or None; raises InvalidValue ``email_invalid``."""
    address = parse_address(email)
    contact_id = existing(session, workspace_id, [address.key]).get(address.key)
    return get_contact(session, workspace_id, contact_id) if contact_id is not None else None


def update_contact(
    session: Session,
    keyring: KeyRing,
    workspace_id: int,
    contact_id: int,
    values: Mapping[str, Any],
    now: datetime,
    *,
    revision: int | None = None,
) -> ContactCard:
    """Change the given values only and return the contact as it is then.

    A custom field set to None is taken away; ``tags`` and ``group_ids``, if given, replace those there were.
    With ``revision`` (of the contact that was shown) somebody else's change in between is not overwritten.
    Raises ContactNotFound, StaleContact, InvalidValue, EmailTaken, GroupNotFound, StageNotFound.
    """
    definitions = list_custom_fields(session, workspace_id)
    parsed = parse_values(values, definitions)
    row = _locked(session, workspace_id, contact_id)
    if revision is not None and row.revision != revision:
        raise StaleContact(row.revision)
    columns = dict(parsed.columns)
    if parsed.address is not None and parsed.address.email != row.email:
        columns.update(_address_columns(session, keyring, workspace_id, row, parsed.address))
    _check_update(session, workspace_id, row, columns, parsed, definitions)
    if parsed.custom:
        merged = {**row.fields, **parsed.custom}
        columns["fields"] = {name: value for name, value in merged.items() if value is not None}
    _dated_consent(row, columns, now)
    if columns:
        _write(session, workspace_id, row, columns, now)
    set_labels(session, workspace_id, contact_id, parsed, replace=True)
    set_stage(session, workspace_id, contact_id, parsed, now)
    return get_contact(session, workspace_id, contact_id)


def archive_contacts(session: Session, workspace_id: int, contact_ids: Sequence[int], now: datetime) -> int:
    """Archive contacts and return how many were not archived before."""
    return set_statuses(session, workspace_id, contact_ids, "archived", now)


def archive_import(
    session: Session, workspace_id: int, import_id: int, now: datetime, *, most: int | None = None
) -> int:
    """Archive up to ``most`` of the contacts that an import created and return how many that were.

    For large imports see ``imports.take_back``, which keeps its transactions short (contacts.md, CSV import).
    """
    statement = (
        select(col(Contact.id))
        .where(
            col(Contact.workspace_id) == workspace_id,
            col(Contact.import_id) == import_id,
            col(Contact.status) != "archived",
        )
        .limit(most)
    )
    ids = [key for key in session.connection().execute(statement).scalars() if key is not None]
    return set_statuses(session, workspace_id, ids, "archived", now)


def delete_contacts(
    session: Session,
    workspace_id: int,
    contact_ids: Sequence[int],
    now: datetime,
    *,
    before: Sequence[OnDelete] = (),
) -> int:
    """Delete contacts for good and return how many there were; what is suppressed stays so, as a hash alone.

    ``before`` are the other rooms' parts, done first in the same transaction. Raises ContactInUse when a row of
    another room still needs a contact.
    """
    session.flush()
    deleted = 0
    for start in range(0, len(contact_ids), _BATCH):
        deleted += _delete_batch(session, workspace_id, sorted(set(contact_ids[start : start + _BATCH])), now, before)
    return deleted


def cards(session: Session, workspace_id: int, contacts: Sequence[Contact]) -> list[ContactCard]:
    """Return contacts with their groups, tags and stages, in the order given, in three queries at most."""
    ids = [contact.id for contact in contacts if contact.id is not None]
    groups: dict[int, list[tuple[int, str]]] = {}
    tags: dict[int, list[str]] = {}
    connection = session.connection()
    if ids:
        for contact, group, name in connection.execute(
            select(col(GroupMember.contact_id), col(Group.id), col(Group.name))
            .join(Group, col(Group.id) == col(GroupMember.group_id))
            .where(col(Group.workspace_id) == workspace_id, col(GroupMember.contact_id).in_(ids))
            .order_by(col(Group.name_key))
        ):
            groups.setdefault(contact, []).append((group or 0, name))
        for contact, name in connection.execute(
            select(col(ContactTag.contact_id), col(Tag.name))
            .join(Tag, col(Tag.id) == col(ContactTag.tag_id))
            .where(col(Tag.workspace_id) == workspace_id, col(ContactTag.contact_id).in_(ids))
            .order_by(col(Tag.name_key))
        ):
            tags.setdefault(contact, []).append(name)
    has_stage = any(contact.stage_id is not None for contact in contacts)
    stages = {stage.id: stage for stage in list_stages(session, workspace_id)} if has_stage else {}
    return [
        ContactCard(
            contact,
            tuple(groups.get(contact.id or 0, ())),
            tuple(tags.get(contact.id or 0, ())),
            stages.get(contact.stage_id or 0),
        )
        for contact in contacts
    ]


def check_limit(session: Session, workspace_id: int, limit: int | None, wanted: int) -> None:
    """Raise ContactLimitReached when the plan's number of contacts would be passed (platform.md, Plans)."""
    if limit is not None:
        have = total(session, workspace_id)
        if have + wanted > limit:
            raise ContactLimitReached(limit, have, wanted)


def set_stage(session: Session, workspace_id: int, contact_id: int, parsed: ContactValues, now: datetime) -> None:
    """Move a contact to the stage that was given among its values, if one was: a program's doing, no user's."""
    if parsed.has_stage:
        move_to_stage(session, workspace_id, contact_id, parsed.stage_id, now, by=None)


def _check_required(parsed: ContactValues, definitions: Sequence[FieldDefinition]) -> None:
    for definition in definitions:
        if definition.required and not definition.default and parsed.custom.get(definition.name) is None:
            _refuse_missing(definition)


def _refuse_missing(definition: FieldDefinition) -> None:
    raise InvalidValue(
        definition.name, "custom_value_missing", f"“{definition.label or definition.name}” must be filled in."
    )


def _locked(session: Session, workspace_id: int, contact_id: int) -> Contact:
    session.flush()
    statement = (
        select(Contact)
        .where(col(Contact.workspace_id) == workspace_id, col(Contact.id) == contact_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    row: Contact | None = session.execute(statement).scalar_one_or_none()
    if row is None:
        raise ContactNotFound
    return row


def _address_columns(
    session: Session, keyring: KeyRing, workspace_id: int, row: Contact, address: Address
) -> dict[str, Any]:
    if address.key != row.email_key:
        other = existing(session, workspace_id, [address.key]).get(address.key)
        if other is not None:
            raise EmailTaken(address.email, other)
    hasher = hasher_of(session, keyring, workspace_id)
    email_hash, domain_hash = hasher.of_address(address.key)
    columns: dict[str, Any] = {
        "email": address.email,
        "email_key": address.key,
        "email_hash": email_hash,
        "domain_hash": domain_hash,
        "domain": address.key.rpartition("@")[2],
    }
    reason = is_suppressed(session, hasher, workspace_id, [address.key]).get(address.key)
    if reason is not None and row.status in ("active", "replied"):
        columns["status"] = STATUS_AFTER[reason]
    return columns


def _check_update(
    session: Session,
    workspace_id: int,
    row: Contact,
    columns: Mapping[str, Any],
    parsed: ContactValues,
    definitions: Sequence[FieldDefinition],
) -> None:
    if parsed.columns.keys() & {"consent_source", "consent_notes"}:
        check_consent(
            columns.get("consent_source", row.consent_source), columns.get("consent_notes", row.consent_notes)
        )
    for definition in definitions:
        if definition.required and definition.name in parsed.custom and parsed.custom[definition.name] is None:
            _refuse_missing(definition)
    if columns.get("status") in ("active", "replied") and row.status not in ("active", "replied"):
        _refuse_revival(session, workspace_id, columns.get("email_hash", row.email_hash), columns, row)


def _refuse_revival(
    session: Session, workspace_id: int, email_hash: bytes, columns: Mapping[str, Any], row: Contact
) -> None:
    statement = (
        select(func.count())
        .select_from(Suppression)
        .where(
            col(Suppression.workspace_id) == workspace_id,
            col(Suppression.hash).in_([email_hash, columns.get("domain_hash", row.domain_hash)]),
        )
    )
    if session.connection().execute(statement).scalar_one():
        raise InvalidValue(
            "status", "suppressed", "This address is on your suppression list; take it off the list first."
        )


def _dated_consent(row: Contact, columns: dict[str, Any], now: datetime) -> None:
    source = columns.get("consent_source")
    if source is not None and source != row.consent_source and "consent_at" not in columns:
        columns["consent_at"] = None if source == "not_specified" else now


def _write(session: Session, workspace_id: int, row: Contact, columns: dict[str, Any], now: datetime) -> None:
    merged = {name: columns.get(name, getattr(row, name)) for name in ("first_name", "last_name", "company", "email")}
    before = row.status
    statement = (
        update(Contact)
        .where(col(Contact.workspace_id) == workspace_id, col(Contact.id) == row.id)
        .values(**columns, search=search_text(merged), updated_at=now, revision=row.revision + 1)
    )
    try:
        with session.begin_nested():
            session.connection().execute(statement)
    except IntegrityError:
        # Somebody stored this address between the look-up and here.
        taken = existing(session, workspace_id, [columns.get("email_key", "")])
        raise EmailTaken(columns.get("email", ""), next(iter(taken.values()), 0)) from None
    forget_loaded(session, {row.id} if row.id is not None else set())
    after = columns.get("status", before)
    if after != before:
        add_changes(session, workspace_id, Counter({("status", before): -1, ("status", after): 1}))


def _delete_batch(
    session: Session, workspace_id: int, ids: Sequence[int], now: datetime, before: Sequence[OnDelete]
) -> int:
    connection = session.connection()
    mine = (col(Contact.workspace_id) == workspace_id, col(Contact.id).in_(ids))
    rows = connection.execute(
        select(col(Contact.id), col(Contact.status), col(Contact.email_hash))
        .where(*mine)
        .order_by(col(Contact.id))
        .with_for_update()
    ).all()
    own = [row[0] for row in rows if row[0] is not None]
    if not own:
        return 0
    for part in before:
        part(session, workspace_id, own, now)
    changes = Counter({key: -n for key, n in memberships_of(session, workspace_id, own).items()})
    for row in rows:
        changes["status", row[1]] -= 1
    forget_loaded(session, set(own))
    try:
        with session.begin_nested():
            session.connection().execute(
                delete(Contact).where(col(Contact.workspace_id) == workspace_id, col(Contact.id).in_(own))
            )
    except IntegrityError:
        raise ContactInUse from None
    erase_words(session, workspace_id, own)
    # The person is gone; that they said no is kept, but no longer who they were.
    connection.execute(
        update(Suppression)
        .where(
            col(Suppression.workspace_id) == workspace_id,
            col(Suppression.kind) == "email",
            col(Suppression.hash).in_([row[2] for row in rows]),
        )
        .values(shown="")
    )
    add_changes(session, workspace_id, changes)
    return len(own)
