"""Figures read from the rollups, and the proof that they equal a recount of the events (analytics.md)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Select,
    case,
    cast,
    delete,
    extract,
    func,
    insert,
    literal,
    literal_column,
    select,
    text,
    update,
)
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Session, SQLModel, col

from fluenzr_app.events.models import Event, Rollup
from fluenzr_app.events.record import MACHINE_SUFFIX, RollupKey

_ROLLUP_KEY = ("workspace_id", "scope", "scope_id", "metric", "hour")


@dataclass(frozen=True, slots=True)
class Drift:
    """A rollup that does not say what its events say. `stored` is 0 where the row is missing."""

    workspace_id: int
    scope: str
    scope_id: int
    metric: str
    hour: int
    stored: int
    counted: int

    @property
    def key(self) -> RollupKey:
        """The primary key of the rollup."""
        return self.workspace_id, self.scope, self.scope_id, self.metric, self.hour


def totals(
    session: Session,
    workspace_id: int,
    scope: str,
    scope_id: int,
    metrics: Sequence[str],
    since_hour: int | None = None,
) -> dict[str, int]:
    """Return how often each of `metrics` happened, 0 for those that never did; from `since_hour` on where given."""
    query = (
        select(col(Rollup.metric), func.sum(Rollup.n))
        .where(*_within(workspace_id, scope, scope_id, metrics, since_hour, None))
        .group_by(col(Rollup.metric))
    )
    found = {metric: int(n) for metric, n in session.execute(query)}
    return {metric: found.get(metric, 0) for metric in metrics}


def totals_of_many(
    session: Session,
    workspace_id: int,
    scope: str,
    scope_ids: Sequence[int],
    metrics: Sequence[str],
) -> dict[int, dict[str, int]]:
    """Return `totals` of several things of one scope in one query: a list page costs the same for 1 row and for 100."""
    query = (
        select(col(Rollup.scope_id), col(Rollup.metric), func.sum(Rollup.n))
        .where(
            col(Rollup.workspace_id) == workspace_id,
            col(Rollup.scope) == scope,
            col(Rollup.scope_id).in_(scope_ids),
            col(Rollup.metric).in_(metrics),
        )
        .group_by(col(Rollup.scope_id), col(Rollup.metric))
    )
    result = {scope_id: dict.fromkeys(metrics, 0) for scope_id in scope_ids}
    for scope_id, metric, n in session.execute(query):
        result[scope_id][metric] = int(n)
    return result


def by_hour(
    session: Session,
    workspace_id: int,
    scope: str,
    scope_id: int,
    metrics: Sequence[str],
    since_hour: int | None = None,
    until_hour: int | None = None,
) -> dict[str, dict[int, int]]:
    """Return per metric the hours in which it happened, with how often: `{"email.sent": {482000: 7}}`.

    Hours count from 1970 in UTC, ascending; `since_hour` is included, `until_hour` is not; empty hours are left out.
    """
    query = (
        select(col(Rollup.metric), col(Rollup.hour), col(Rollup.n))
        .where(*_within(workspace_id, scope, scope_id, metrics, since_hour, until_hour))
        .order_by(col(Rollup.hour))
    )
    result: dict[str, dict[int, int]] = {metric: {} for metric in metrics}
    for metric, hour, n in session.execute(query):
        result[metric][hour] = n
    return result


def recount(session: Session, workspace_id: int | None = None) -> dict[RollupKey, int]:
    """Return what the rollups must say, counted from the events themselves, of one workspace or of all."""
    return {
        (row[0], row[1], row[2], row[3], row[4]): row[5]
        for query in _recounts(session.get_bind().dialect.name, workspace_id)
        for row in session.execute(query)
    }


def verify(session: Session, workspace_id: int | None = None) -> list[Drift]:
    """Return every rollup that differs from its events, in key order: an empty list proves the figures.

    Needs one consistent state, as `Database.read()` gives it, else events that arrive meanwhile look like drift.
    """
    counted = recount(session, workspace_id)
    query = select(*(_rollups.c[name] for name in _ROLLUP_KEY), _rollups.c.n)
    if workspace_id is not None:
        query = query.where(_rollups.c.workspace_id == workspace_id)
    stored: Mapping[RollupKey, int] = {
        (row[0], row[1], row[2], row[3], row[4]): row[5] for row in session.execute(query)
    }
    return [
        Drift(*key, stored=stored.get(key, 0), counted=counted.get(key, 0))
        for key in sorted(stored.keys() | counted.keys())
        if stored.get(key, 0) != counted.get(key, 0)
    ]


def rebuild(session: Session, workspace_id: int | None = None) -> list[Drift]:
    """Make every rollup equal to its events again and return what was repaired."""
    if session.get_bind().dialect.name == "postgresql":
        # Writers of rollups wait until the end of this transaction: who has counted is seen, who has not counts later.
        session.execute(text("LOCK TABLE rollup IN SHARE ROW EXCLUSIVE MODE"))
    repaired = verify(session, workspace_id)
    for drift in repaired:
        row = dict(zip(_ROLLUP_KEY, drift.key, strict=True))
        here = [_rollups.c[name] == value for name, value in row.items()]
        if drift.counted == 0:
            session.execute(delete(_rollups).where(*here))
        elif drift.stored == 0:
            # A row that says 0 may be there all the same.
            session.execute(delete(_rollups).where(*here))
            session.execute(insert(_rollups).values(**row, n=drift.counted))
        else:
            session.execute(update(_rollups).where(*here).values(n=drift.counted))
    return repaired


def _within(
    workspace_id: int,
    scope: str,
    scope_id: int,
    metrics: Sequence[str],
    since_hour: int | None,
    until_hour: int | None,
) -> list[ColumnElement[bool]]:
    conditions = [
        col(Rollup.workspace_id) == workspace_id,
        col(Rollup.scope) == scope,
        col(Rollup.scope_id) == scope_id,
        col(Rollup.metric).in_(metrics),
    ]
    if since_hour is not None:
        conditions.append(col(Rollup.hour) >= since_hour)
    if until_hour is not None:
        conditions.append(col(Rollup.hour) < until_hour)
    return conditions


def _recounts(dialect: str, workspace_id: int | None) -> list[Select[tuple[int, str, int, str, int, int]]]:
    metric = case((_events.c.machine, _events.c.type + MACHINE_SUFFIX), else_=_events.c.type)
    queries = []
    for scope, column in (
        ("workspace", _events.c.workspace_id),
        ("campaign", _events.c.campaign_id),
        ("account", _events.c.account_id),
        ("node", _events.c.node_id),
    ):
        query = (
            select(
                _events.c.workspace_id,
                literal(scope),
                column.label("scope_id"),
                metric.label("metric"),
                _hour(dialect).label("hour"),
                func.count(),
            )
            .where(column.is_not(None))
            # By name: PostgreSQL does not see that two expressions with the same bound values are one.
            .group_by(_events.c.workspace_id, text("scope_id"), text("metric"), text("hour"))
        )
        if workspace_id is not None:
            query = query.where(_events.c.workspace_id == workspace_id)
        queries.append(query)
    return queries


def _hour(dialect: str) -> ColumnElement[int]:
    if dialect == "sqlite":
        # Stored as microseconds since 1970.
        return literal_column("event.at / 3600000000", BigInteger)
    return cast(func.floor(extract("epoch", _events.c.at) / 3600), BigInteger)


_events = SQLModel.metadata.tables[Event.__tablename__]
_rollups = SQLModel.metadata.tables[Rollup.__tablename__]
