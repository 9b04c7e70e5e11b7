"""Creating or updating many contacts in one call, each by its place in the list (api.md, contacts/bulk)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlmodel import Session

from fluenzr_app.contacts.contact_values import check_consent, parse_address, parse_values
from fluenzr_app.contacts.custom_fields import list_custom_fields
from fluenzr_app.contacts.errors import ContactsError, InvalidValue
from fluenzr_app.contacts.labels import check_groups, set_labels
from fluenzr_app.contacts.service import check_limit, set_stage, update_contact
from fluenzr_app.contacts.stages import check_stage
from fluenzr_app.contacts.store import existing, insert_new, new_row, with_defaults
from fluenzr_app.contacts.suppression import STATUS_AFTER, hasher_of, is_suppressed
from fluenzr_app.crypto import KeyRing

MOST = 1_000

OnDuplicate = Literal["skip", "update"]


@dataclass(frozen=True)
class BulkError:
    """What was wrong with the item at ``index``; ``field`` names the value at fault."""

    index: int
    email: str
    field: str
    code: str
    message: str


@dataclass
class BulkResult:
    """What became of each item: contact ids created and updated, places skipped, and errors."""

    created: list[int] = field(default_factory=list)
    updated: list[int] = field(default_factory=list)
    skipped: list[int] = field(default_factory=list)
    errors: list[BulkError] = field(default_factory=list)


def bulk_upsert(
    session: Session,
    keyring: KeyRing,
    workspace_id: int,
    items: Sequence[Mapping[str, Any]],
    now: datetime,
    *,
    on_duplicate: OnDuplicate = "skip",
    limit: int | None = None,
) -> BulkResult:
    """Store up to 1,000 contacts; each item is like the values of ``create_contact``.

    An item that is wrong is told and hinders no other. One that repeats an address further up in the list counts
    as a duplicate of it. Raises InvalidValue ``too_many_items``, ContactLimitReached.
    """
    if len(items) > MOST:
        raise InvalidValue("contacts", "too_many_items", f"At most {MOST} contacts go in one call.", limit=MOST)
    work = _Bulk(session, keyring, workspace_id, now)
    for index, item in enumerate(items):
        work.read(index, item)
    work.store(on_duplicate, limit)
    return work.result


class _Bulk:
    def __init__(self, session: Session, keyring: KeyRing, workspace_id: int, now: datetime) -> None:
        self._session, self._keyring, self._workspace_id, self._now = session, keyring, workspace_id, now
        self._definitions = list_custom_fields(session, workspace_id)
        self._read: list[tuple[int, Mapping[str, Any], str]] = []
        self.result = BulkResult()

    def read(self, index: int, item: Mapping[str, Any]) -> None:
        try:
            parsed = parse_values(item, self._definitions)
            address = parsed.address or parse_address(None)
            check_consent(
                parsed.columns.get("consent_source", "not_specified"), parsed.columns.get("consent_notes", "")
            )
            check_groups(self._session, self._workspace_id, parsed.group_ids or ())
            if parsed.stage_id is not None:
                check_stage(self._session, self._workspace_id, parsed.stage_id)
        except ContactsError as bad:
            self._refuse(index, item, bad)
            return
        self._read.append((index, item, address.key))

    def store(self, on_duplicate: OnDuplicate, limit: int | None) -> None:
        known = existing(self._session, self._workspace_id, [key for _, _, key in self._read])
        first: dict[str, tuple[int, Mapping[str, Any]]] = {}
        again: list[tuple[int, Mapping[str, Any], str]] = []
        for index, item, key in self._read:
            if key in known or key in first:
                again.append((index, item, key))
            else:
                first[key] = (index, item)
        check_limit(self._session, self._workspace_id, limit, len(first))
        known.update(self._create(first))
        for index, item, key in again:
            if on_duplicate == "skip" or key not in known:
                self.result.skipped.append(index)
            else:
                self._update(index, item, known[key])

    def _create(self, first: Mapping[str, tuple[int, Mapping[str, Any]]]) -> dict[str, int]:
        hasher = hasher_of(self._session, self._keyring, self._workspace_id)
        suppressed = is_suppressed(self._session, hasher, self._workspace_id, first)
        rows, labels = [], {}
        for key, (_, item) in first.items():
            parsed = parse_values(item, self._definitions)
            columns = dict(parsed.columns)
            if key in suppressed:
                columns["status"] = STATUS_AFTER[suppressed[key]]
            custom = with_defaults(parsed.custom, self._definitions)
            address = parsed.address or parse_address(None)
            rows.append(new_row(hasher, self._workspace_id, address, columns, custom, self._now))
            labels[key] = parsed
        ids = insert_new(self._session, self._workspace_id, rows)
        for key, (index, _) in first.items():
            if key in ids:
                self.result.created.append(ids[key])
                set_labels(self._session, self._workspace_id, ids[key], labels[key])
                set_stage(self._session, self._workspace_id, ids[key], labels[key], self._now)
            else:
                self.result.skipped.append(index)
        return ids

    def _update(self, index: int, item: Mapping[str, Any], contact_id: int) -> None:
        values = {name: value for name, value in item.items() if name not in ("tags", "group_ids", "email")}
        try:
            update_contact(self._session, self._keyring, self._workspace_id, contact_id, values, self._now)
            set_labels(self._session, self._workspace_id, contact_id, parse_values(item, self._definitions))
        except ContactsError as bad:
            self._refuse(index, item, bad)
            return
        if contact_id not in self.result.updated:
            self.result.updated.append(contact_id)

    def _refuse(self, index: int, item: Mapping[str, Any], bad: ContactsError) -> None:
        at_fault = bad.field if isinstance(bad, InvalidValue) else ""
        email = item.get("email")
        self.result.errors.append(
            BulkError(index, email[:254] if isinstance(email, str) else "", at_fault, bad.code, str(bad))
        )
