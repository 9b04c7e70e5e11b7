"""Who must never be written to again: addresses and whole domains, kept as keyed hashes (contacts.md).

The hash is HMAC-SHA256 under the workspace's own sealed key, over the address case-folded and IDNA-encoded
(``email_key``). Contacts carry the hashes of their address and domain, so that a claim compares without computing.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel, col

from fluenzr_app.contacts.errors import ContactNotFound, InvalidValue, SuppressionNotFound
from fluenzr_app.contacts.models import Contact, Suppression
from fluenzr_app.contacts.statuses import set_statuses
from fluenzr_app.crypto import KeyRing
from fluenzr_app.mail.addresses import domain_of, email_key
from fluenzr_app.mail.errors import BadAddress
from fluenzr_app.workspaces.secrets import suppression_key

Kind = Literal["email", "domain"]
Reason = Literal["unsubscribe", "hard_bounce", "complaint", "manual"]

# What a contact becomes; an archived one stays archived, its hash alone keeps it from being written to.
STATUS_AFTER: Mapping[str, str] = {
    "unsubscribe": "unsubscribed",
    "hard_bounce": "bounced",
    "complaint": "unsubscribed",
    "manual": "blocked",
}
_OPEN_STATUSES = ("active", "replied")
_TABLE = SQLModel.metadata.tables[Suppression.__tablename__]
_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Hasher:
    """Makes the hashes of one workspace."""

    key: bytes

    def of(self, text: str) -> bytes:
        """Return the 32-byte hash of an address key or a domain."""
        return hmac.digest(self.key, text.encode(), "sha256")

    def of_address(self, key: str) -> tuple[bytes, bytes]:
        """Return the hashes of an address key and of its domain."""
        return self.of(key), self.of(key.rpartition("@")[2])


def hasher_of(session: Session, keyring: KeyRing, workspace_id: int) -> Hasher:
    """Return the workspace's hasher; raises UnknownWorkspace, SecretMissing, crypto.CannotOpen."""
    return Hasher(suppression_key(session, keyring, workspace_id))


def is_suppressed_clause(contact: Any = Contact) -> ColumnElement[bool]:
    """Return the SQL condition that a contact row is suppressed, for enrolment and for the claim's own query."""
    return or_(
        *(
            exists(
                select(1).where(
                    _TABLE.c.workspace_id == contact.workspace_id, _TABLE.c.kind == kind, _TABLE.c.hash == hashed
                )
            )
            for kind, hashed in (("email", contact.email_hash), ("domain", contact.domain_hash))
        )
    )


def suppressed_contacts(session: Session, workspace_id: int, contact_ids: Sequence[int]) -> set[int]:
    """Return which of these contacts must not be written to."""
    found: set[int] = set()
    for start in range(0, len(contact_ids), _BATCH):
        part = contact_ids[start : start + _BATCH]
        statement = select(col(Contact.id)).where(
            col(Contact.workspace_id) == workspace_id, col(Contact.id).in_(part), is_suppressed_clause()
        )
        found.update(key for key in session.connection().execute(statement).scalars() if key is not None)
    return found


def is_suppressed(session: Session, hasher: Hasher, workspace_id: int, keys: Iterable[str]) -> dict[str, str]:
    """Return the suppressed ones among address keys, each with its reason; one query per thousand."""
    wanted = list(keys)
    found: dict[str, str] = {}
    for start in range(0, len(wanted), _BATCH):
        part = wanted[start : start + _BATCH]
        by_hash = {("email", hasher.of(key)): key for key in part}
        domains: dict[str, list[str]] = {}
        for key in part:
            domains.setdefault(key.rpartition("@")[2], []).append(key)
        by_domain = {hasher.of(domain): keys_there for domain, keys_there in domains.items()}
        for kind, hashed, reason in _lookup(session, workspace_id, [h for _, h in by_hash], list(by_domain)):
            for key in [by_hash["email", hashed]] if kind == "email" else by_domain[hashed]:
                found[key] = reason
    return found


def _lookup(
    session: Session, workspace_id: int, addresses: list[bytes], domains: list[bytes]
) -> Iterable[tuple[str, bytes, str]]:
    statement = select(_TABLE.c.kind, _TABLE.c.hash, _TABLE.c.reason).where(
        _TABLE.c.workspace_id == workspace_id,
        or_(
            and_(_TABLE.c.kind == "email", _TABLE.c.hash.in_(addresses)),
            and_(_TABLE.c.kind == "domain", _TABLE.c.hash.in_(domains)),
        ),
    )
    return [(kind, bytes(hashed), reason) for kind, hashed, reason in session.connection().execute(statement)]


@dataclass(frozen=True)
class Added:
    """How many entries are new, how many stood there before, and which texts are neither address nor domain."""

    added: int
    known: int
    refused: tuple[str, ...]


def add(
    session: Session,
    keyring: KeyRing,
    workspace_id: int,
    entries: Iterable[str],
    reason: Reason,
    now: datetime,
    *,
    show: bool = True,
) -> Added:
    """Suppress addresses (with an @) and whole domains (without), and set the status of the contacts they belong to.

    The first reason of an entry is kept. ``show`` keeps the readable form beside the hash.
    """
    hasher = hasher_of(session, keyring, workspace_id)
    rows: dict[tuple[Kind, bytes], str] = {}
    keys: list[tuple[Kind, str]] = []
    refused: list[str] = []
    for entry in entries:
        try:
            kind, shown = parse_entry(entry)
        except InvalidValue:
            refused.append(entry)
            continue
        keys.append((kind, shown))
        rows[kind, hasher.of(shown)] = shown if show else ""
    added = _insert(session, workspace_id, rows, reason, now)
    _apply_to_contacts(session, workspace_id, keys, STATUS_AFTER[reason], now)
    return Added(added, len(rows) - added, tuple(refused))


def suppress_contact(session: Session, workspace_id: int, contact_id: int, reason: Reason, now: datetime) -> bool:
    """Suppress a contact's address, and set its status; True unless it was suppressed before.

    Needs no key: the row carries its hash. Raises ContactNotFound.
    """
    session.flush()
    statement = select(col(Contact.email_hash), col(Contact.email_key)).where(
        col(Contact.workspace_id) == workspace_id, col(Contact.id) == contact_id
    )
    row = session.connection().execute(statement).first()
    if row is None:
        raise ContactNotFound
    added = _insert(session, workspace_id, {("email", bytes(row[0])): row[1]}, reason, now)
    _apply_to_contacts(session, workspace_id, [("email", row[1])], STATUS_AFTER[reason], now)
    return added == 1


def suppress_hash(session: Session, workspace_id: int, hashed: bytes, reason: Reason, now: datetime) -> bool:
    """Suppress an address of which only the hash is known (its contact was deleted); True unless it was before."""
    return _insert(session, workspace_id, {("email", hashed): ""}, reason, now) == 1


def has_hash(session: Session, workspace_id: int, hashed: bytes) -> bool:
    """Return whether the address with this hash is on the list itself (a suppressed domain does not count)."""
    statement = select(_TABLE.c.id).where(
        _TABLE.c.workspace_id == workspace_id, _TABLE.c.kind == "email", _TABLE.c.hash == hashed
    )
    return session.connection().execute(statement).first() is not None


def parse_entry(entry: str) -> tuple[Kind, str]:
    """Return kind and key of a text: an address, or a domain with or without a leading @.

    Raises InvalidValue ``bad_suppression``.
    """
    text = entry.strip()
    try:
        if "@" in text.removeprefix("@"):
            return "email", email_key(text)
        return "domain", domain_of(f"x@{text.removeprefix('@')}")
    except BadAddress as bad:
        raise InvalidValue("entry", "bad_suppression", f"“{text[:80]}” is neither an address nor a domain.") from bad


@dataclass(frozen=True)
class SuppressionLine:
    """An entry as a page shows it; ``shown`` is empty when only the hash is kept."""

    id: int
    kind: str
    shown: str
    reason: str
    at: datetime


@dataclass(frozen=True)
class SuppressionPage:
    """A page of the list, newest first, and how many entries there are in all."""

    lines: tuple[SuppressionLine, ...]
    total: int
    page: int
    per_page: int


def list_suppressed(
    session: Session, workspace_id: int, *, query: str = "", page: int = 1, per_page: int = 20
) -> SuppressionPage:
    """Return a page of the list; ``query`` looks inside the readable forms."""
    per_page = max(1, min(per_page, 100))
    where = [_TABLE.c.workspace_id == workspace_id]
    if query.strip():
        where.append(func.lower(_TABLE.c.shown).contains(query.strip().lower(), autoescape=True))
    connection = session.connection()
    total = connection.execute(select(func.count()).select_from(_TABLE).where(*where)).scalar_one()
    statement = (
        select(_TABLE.c.id, _TABLE.c.kind, _TABLE.c.shown, _TABLE.c.reason, _TABLE.c.at)
        .where(*where)
        .order_by(_TABLE.c.at.desc(), _TABLE.c.id.desc())
        .limit(per_page)
        .offset((max(page, 1) - 1) * per_page)
    )
    lines = tuple(SuppressionLine(*row) for row in connection.execute(statement))
    return SuppressionPage(lines, total, max(page, 1), per_page)


def check(session: Session, keyring: KeyRing, workspace_id: int, address: str) -> str | None:
    """Return the reason why an address is suppressed, or None; raises BadAddress."""
    key = email_key(address)
    return is_suppressed(session, hasher_of(session, keyring, workspace_id), workspace_id, [key]).get(key)


def remove(session: Session, workspace_id: int, suppression_id: int, now: datetime) -> None:
    """Take an entry off the list; contacts that stood still because of it alone are active again.

    Raises SuppressionNotFound. A decision for the user to make and for the caller to put in the audit log.
    """
    session.flush()
    connection = session.connection()
    statement = (
        delete(_TABLE)
        .where(_TABLE.c.workspace_id == workspace_id, _TABLE.c.id == suppression_id)
        .returning(_TABLE.c.kind, _TABLE.c.hash, _TABLE.c.reason, _TABLE.c.shown)
    )
    row = connection.execute(statement).first()
    if row is None:
        raise SuppressionNotFound
    email = row[0] == "email"
    if row[3]:
        owner = col(Contact.email_key if email else Contact.domain) == row[3]
    else:
        # Only the hash was kept; no index leads from it to the contact, and an erased one is there no more.
        owner = col(Contact.email_hash if email else Contact.domain_hash) == bytes(row[1])
    status = STATUS_AFTER.get(row[2], "blocked")
    where = and_(
        col(Contact.workspace_id) == workspace_id,
        owner,
        col(Contact.status) == status,
        ~is_suppressed_clause(),
    )
    _move(session, workspace_id, where, "active", now)


def _insert(
    session: Session, workspace_id: int, rows: Mapping[tuple[Kind, bytes], str], reason: str, now: datetime
) -> int:
    if not rows:
        return 0
    session.flush()
    connection = session.connection()
    insert: Any = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(_TABLE)
    statement = insert.on_conflict_do_nothing(index_elements=["workspace_id", "kind", "hash"]).returning(_TABLE.c.id)
    values = [
        {"workspace_id": workspace_id, "kind": kind, "hash": hashed, "shown": shown, "reason": reason, "at": now}
        for (kind, hashed), shown in sorted(rows.items())
    ]
    return len(connection.execute(statement, values).all())


def _apply_to_contacts(
    session: Session, workspace_id: int, keys: Sequence[tuple[Kind, str]], status: str, now: datetime
) -> None:
    for kind, column in (("email", col(Contact.email_key)), ("domain", col(Contact.domain))):
        wanted = [key for key_kind, key in keys if key_kind == kind]
        for start in range(0, len(wanted), _BATCH):
            where = and_(
                col(Contact.workspace_id) == workspace_id,
                column.in_(wanted[start : start + _BATCH]),
                col(Contact.status).in_(_OPEN_STATUSES),
            )
            _move(session, workspace_id, where, status, now)


def _move(session: Session, workspace_id: int, where: ColumnElement[bool], status: str, now: datetime) -> None:
    """Set the status of every contact that matches, and move the kept counts with it."""
    session.flush()
    statement = select(col(Contact.id)).where(where).order_by(col(Contact.id))
    ids = [key for key in session.connection().execute(statement).scalars() if key is not None]
    for start in range(0, len(ids), _BATCH):
        set_statuses(session, workspace_id, ids[start : start + _BATCH], status, now)
