"""Storing one chunk of an import: everything in the caller's one transaction (contacts.md, CSV import, Run)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlmodel import Session

from fluenzr_app.contacts.checks import Staged
from fluenzr_app.contacts.contact_values import TEXT_COLUMNS, Address, parse_moment
from fluenzr_app.contacts.custom_values import FieldDefinition
from fluenzr_app.contacts.errors import InvalidValue
from fluenzr_app.contacts.field_names import CONSENT_SOURCES, STATUSES
from fluenzr_app.contacts.folding import search_text
from fluenzr_app.contacts.import_options import ImportOptions
from fluenzr_app.contacts.labels import clean_group_name, group_named, link, tags_named
from fluenzr_app.contacts.store import CONTACT, existing, insert_new, new_row, with_defaults
from fluenzr_app.contacts.suppression import Hasher, is_suppressed

_TAG_SPLIT = re.compile(r"[;,|]")
_UPDATED = (*(name for name in TEXT_COLUMNS if name != "consent_notes"), "email")


@dataclass(frozen=True)
class ChunkResult:
    """What became of a chunk's rows; they add up to its size. ``suppressed`` are part of ``skipped``."""

    imported: int
    updated: int
    skipped: int
    suppressed: int


@dataclass(frozen=True)
class ChunkWork:
    """What is the same for every chunk of an import."""

    workspace_id: int
    import_id: int
    options: ImportOptions
    hasher: Hasher
    definitions: tuple[FieldDefinition, ...]


def store_chunk(session: Session, work: ChunkWork, rows: Sequence[Staged], now: datetime) -> ChunkResult:
    """Store the rows of a chunk: new contacts, updates if wanted, groups and tags.

    The suppression list and the existing contacts are looked at here, not when the file was checked: both may
    have changed since.
    """
    keys = [row.key for row in rows]
    suppressed = is_suppressed(session, work.hasher, work.workspace_id, keys)
    known = existing(session, work.workspace_id, keys)
    fresh = [row for row in rows if row.key not in suppressed and row.key not in known]
    new = [_new_row(work, row, now) for row in fresh]
    ids = insert_new(session, work.workspace_id, new)
    taken = [row for row in fresh if row.key not in ids]
    if taken:
        # Stored by somebody else since the look-up above: these are existing contacts now.
        known.update(existing(session, work.workspace_id, [row.key for row in taken]))
    again = [row for row in rows if row.key in known and row.key not in suppressed]
    touched = dict(ids)
    updated = 0
    if work.options.on_duplicate == "update" and again:
        _update(session, work, {known[row.key]: row for row in again}, now)
        touched.update({row.key: known[row.key] for row in again})
        updated = len(again)
    _label(session, work, [(row, touched[row.key]) for row in rows if row.key in touched], now)
    passed = sum(1 for row in rows if row.key in suppressed)
    return ChunkResult(len(ids), updated, len(rows) - len(ids) - updated, passed)


def _new_row(work: ChunkWork, row: Staged, now: datetime) -> dict[str, Any]:
    columns: dict[str, Any] = {name: row.values[name] for name in TEXT_COLUMNS if name in row.values}
    columns.update(consent_of(row.values, work.options))
    if row.values.get("status") in STATUSES:
        columns["status"] = row.values["status"]
    columns["import_id"] = work.import_id
    custom = with_defaults(row.custom, work.definitions)
    return new_row(work.hasher, work.workspace_id, Address(row.email, row.key), columns, custom, now)


def consent_of(values: Mapping[str, str], options: ImportOptions) -> dict[str, Any]:
    """Return the consent columns of a row: what its own cells say, else what was chosen for the file.

    A source in words of somebody else's list is kept as a note to ``other``.
    """
    given = values.get("consent_source", "")
    notes = values.get("consent_notes", "") or (options.consent_notes if not given else "")
    if not given:
        source = options.consent_source
    elif given in CONSENT_SOURCES:
        source = given
    else:
        source, notes = "other", notes or given[:2_000]
    columns: dict[str, Any] = {"consent_source": source, "consent_notes": notes}
    if values.get("consent_at"):
        try:
            columns["consent_at"] = parse_moment(values["consent_at"])
        except InvalidValue:
            # A date in somebody else's format: the consent is dated by the import, as if none were given.
            return columns
    return columns


_READ = (
    "id", "fields", "consent_source", "consent_at", "consent_notes", *TEXT_COLUMNS, "email", "revision"
)  # fmt: skip


def _update(session: Session, work: ChunkWork, rows: Mapping[int, Staged], now: datetime) -> None:
    """Write the file's filled cells over existing contacts; status and an earlier consent are left alone."""
    connection = session.connection()
    statement = (
        select(*(CONTACT.c[name] for name in dict.fromkeys(_READ)))
        .where(CONTACT.c.workspace_id == work.workspace_id, CONTACT.c.id.in_(list(rows)))
        .order_by(CONTACT.c.id)
        .with_for_update()
    )
    changes = []
    for found in connection.execute(statement).mappings():
        change = _merged(dict(found), rows[found["id"]], work.options, now)
        if change is not None:
            changes.append(change)
    if changes:
        names = [name for name in changes[0] if name not in ("b_id",)]
        connection.execute(
            update(CONTACT)
            .where(CONTACT.c.workspace_id == work.workspace_id, CONTACT.c.id == bindparam("b_id"))
            .values({name: bindparam(name) for name in names}),
            changes,
        )


def _merged(old: dict[str, Any], row: Staged, options: ImportOptions, now: datetime) -> dict[str, Any] | None:
    """The columns to write, the same set for every row; None when the file says nothing new."""
    new = {name: row.values.get(name) or old[name] for name in _UPDATED if name != "email"}
    new["email"] = row.email
    new["fields"] = {**old["fields"], **row.custom}
    new.update({name: old[name] for name in ("consent_source", "consent_at", "consent_notes")})
    if old["consent_source"] == "not_specified":
        new.update(consent_of(row.values, options))
        if new["consent_source"] != "not_specified" and new["consent_at"] is None:
            new["consent_at"] = now
    if all(old[name] == value for name, value in new.items()):
        return None
    return {**new, "search": search_text(new), "revision": old["revision"] + 1, "updated_at": now, "b_id": old["id"]}


def _label(session: Session, work: ChunkWork, rows: Sequence[tuple[Staged, int]], now: datetime) -> None:
    tags: set[tuple[int, int]] = set()
    groups: set[tuple[int, int]] = set()
    if work.options.group_id is not None:
        groups.update((work.options.group_id, contact) for _, contact in rows)
    named = {id(row): _words(row.values.get("tags", ""), _TAG_SPLIT) for row, _ in rows}
    wanted = {*work.options.tags, *(tag for words in named.values() for tag in words)}
    ids = tags_named(session, work.workspace_id, wanted)
    group_ids: dict[str, int] = {}
    for row, contact in rows:
        tags.update((ids[tag], contact) for tag in (*work.options.tags, *named[id(row)]))
        for name in _group_names(row.values.get("groups", "")):
            if name not in group_ids:
                group_ids[name] = group_named(session, work.workspace_id, name, now)
            groups.add((group_ids[name], contact))
    link(session, work.workspace_id, "group", groups)
    link(session, work.workspace_id, "tag", tags)


def _words(cell: str, split: re.Pattern[str]) -> tuple[str, ...]:
    """The tags in a cell; what cannot be one (over 50 characters) is cut."""
    words = (" ".join(word.split())[:50].strip() for word in split.split(cell))
    return tuple(dict.fromkeys(word for word in words if word))


def _group_names(cell: str) -> Iterable[str]:
    for part in cell.split(";"):
        if part.strip():
            yield clean_group_name(part[:100])
