"""Storing what happened, once, together with the counts of it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import Session, SQLModel

from fluenzr_app.db.hot import run_many, stored_moment
from fluenzr_app.events.models import Event, Rollup

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR = timedelta(hours=1)

MACHINE_SUFFIX = ":machine"

# workspace, scope, scope's key, metric, hour since 1970: the primary key of a rollup.
RollupKey = tuple[int, str, int, str, int]


@dataclass(frozen=True, slots=True)
class NewEvent:
    """Something that happened at `at` (aware). `dedupe_key` is unique in its workspace and makes it happen once.

    `type` is the public name (`email.sent`, `email.bounced`); `machine` marks an open or click that no person made;
    the ids that are present say in whose figures it counts.
    """

    workspace_id: int
    type: str
    dedupe_key: str
    at: datetime
    message_id: int | None = None
    contact_id: int | None = None
    campaign_id: int | None = None
    account_id: int | None = None
    node_id: int | None = None
    machine: bool = False
    data: Mapping[str, Any] | None = None


def record(target: Session | Connection, events: Sequence[NewEvent]) -> int:
    """Store those of `events` that are new, add them to the rollups, and return how many were new.

    Raises ValueError for a naive time. Rows are locked in key order, so that two callers never wait for each other
    in a circle. A second call in one transaction begins again at the first key: prefer one call, or be ready to be
    tried again (`Database.transact`).
    """
    return len(record_new(target, events))


def record_new(target: Session | Connection, events: Sequence[NewEvent]) -> list[NewEvent]:
    """Do what `record` does and return the events that were new, in key order (for whoever passes them on)."""
    if not events:
        return []
    if any(event.at.tzinfo is None for event in events):
        raise ValueError("an event's time has no zone")
    connection = target.connection() if isinstance(target, Session) else target
    # The first of two with the same key wins, as it would in two transactions.
    by_key = {(event.workspace_id, event.dedupe_key): event for event in reversed(events)}
    ordered = [by_key[key] for key in sorted(by_key)]
    if connection.dialect.name == "sqlite":
        new = _insert_sqlite(connection, ordered)
        if new:
            rows = [(*key, n) for key, n in counts_of(new)]
            run_many(connection, _SQLITE_COUNT, rows)
    else:
        new = _insert_postgresql(connection, ordered)
        if new:
            names = (*_ROLLUP_KEY, "n")
            connection.execute(
                _COUNT,
                [dict(zip(names, (*key, n), strict=True)) for key, n in counts_of(new)],
            )
    return new


def counts_of(events: Sequence[NewEvent]) -> list[tuple[RollupKey, int]]:
    """Return what `events` add to the rollups, in key order.

    A metric is the event's type; what a machine did counts under its own name, so that it is no open and no click
    (analytics.md).
    """
    counts: dict[RollupKey, int] = {}
    for event in events:
        workspace = event.workspace_id
        metric = event.type + MACHINE_SUFFIX if event.machine else event.type
        hour = hour_of(event.at)
        for scope, scope_id in (
            ("workspace", workspace),
            ("campaign", event.campaign_id),
            ("account", event.account_id),
            ("node", event.node_id),
        ):
            if scope_id is not None:
                key = (workspace, scope, scope_id, metric, hour)
                counts[key] = counts.get(key, 0) + 1
    return sorted(counts.items())


def hour_of(moment: datetime) -> int:
    """Return the hour of `moment`, counted from 1970 in UTC; raises TypeError for a naive one."""
    return (moment - _EPOCH) // _HOUR


def _insert_sqlite(connection: Connection, events: list[NewEvent]) -> list[NewEvent]:
    # The driver's own statement: one batch accompanies each settlement, and binding costs more than storing.
    rows = [
        (
            event.workspace_id,
            event.type,
            event.message_id,
            event.contact_id,
            event.campaign_id,
            event.account_id,
            event.node_id,
            event.dedupe_key,
            int(event.machine),
            stored_moment(event.at),
            None if event.data is None else json.dumps(event.data),
        )
        for event in events
    ]
    inserted = run_many(connection, _SQLITE_INSERT, rows)
    if inserted == len(events):
        return events
    if inserted == 0:
        return []
    # Nobody else can write between BEGIN IMMEDIATE and here, so the newest rows are those of this batch.
    newest = connection.exec_driver_sql(
        "SELECT workspace_id, dedupe_key FROM event ORDER BY id DESC LIMIT ?",
        (inserted,),
    )
    keys = {(row[0], row[1]) for row in newest}
    return [event for event in events if (event.workspace_id, event.dedupe_key) in keys]


def _insert_postgresql(connection: Connection, events: list[NewEvent]) -> list[NewEvent]:
    rows = [{name: getattr(event, name) for name in _EVENT_COLUMNS} for event in events]
    keys = {(row[0], row[1]) for row in connection.execute(_INSERT, rows)}
    return [event for event in events if (event.workspace_id, event.dedupe_key) in keys]


_events = SQLModel.metadata.tables[Event.__tablename__]
_rollups = SQLModel.metadata.tables[Rollup.__tablename__]
_EVENT_COLUMNS = (
    "workspace_id", "type", "message_id", "contact_id", "campaign_id", "account_id", "node_id", "dedupe_key",
    "machine", "at", "data",
)  # fmt: skip
_ROLLUP_KEY = ("workspace_id", "scope", "scope_id", "metric", "hour")
_INSERT = (
    postgresql_insert(_events)
    .on_conflict_do_nothing(index_elements=["workspace_id", "dedupe_key"])
    .returning(_events.c.workspace_id, _events.c.dedupe_key)
)
_count = postgresql_insert(_rollups)
_COUNT = _count.on_conflict_do_update(index_elements=_ROLLUP_KEY, set_={"n": _rollups.c.n + _count.excluded.n})
_sqlite_count = sqlite_insert(_rollups)
_SQLITE_COUNT = str(
    _sqlite_count.on_conflict_do_update(
        index_elements=_ROLLUP_KEY, set_={"n": _rollups.c.n + _sqlite_count.excluded.n}
    ).compile(dialect=sqlite.dialect(), column_keys=[*_ROLLUP_KEY, "n"])
)
_SQLITE_INSERT = str(
    sqlite_insert(_events)
    .on_conflict_do_nothing(index_elements=["workspace_id", "dedupe_key"])
    .compile(dialect=sqlite.dialect(), column_keys=list(_EVENT_COLUMNS))
)
