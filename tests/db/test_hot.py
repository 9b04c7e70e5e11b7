"""Statements that take the short way to SQLite mean the same as those that go through the toolkit."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import BigInteger, Column, Connection, MetaData, Table, Text, bindparam, event, insert, select, update
from sqlalchemy.exc import IntegrityError, StatementError

from fluenzr_app.db.engine import Database
from fluenzr_app.db.hot import HotSelect, HotStatement
from fluenzr_app.db.types import UtcDateTime

_THING = Table(
    "hot_thing",
    MetaData(),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("at", UtcDateTime),
)
_AT = datetime(2026, 3, 29, 1, 30, 0, 123456, UTC)
_ADD = HotStatement(lambda _: insert(_THING), ("id", "name", "at"))
_MOVE = HotStatement(
    lambda _: update(_THING).where(_THING.c.id == bindparam("key")).values(name="moved", at=bindparam("then"))
)
_BY_ID = HotSelect(select(_THING).where(_THING.c.id.in_(bindparam("ids", expanding=True))).order_by(_THING.c.id))
_LATER = HotSelect(select(_THING.c.id.label("key")).where(_THING.c.at > bindparam("since")).limit(bindparam("most")))


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    """A transaction in which the table stands, with two rows."""
    with database.transaction() as session:
        opened = session.connection()
        _THING.create(opened)
        _ADD.run(opened, [{"id": 1, "name": "one", "at": _AT}, {"id": 2, "name": "two", "at": None}])
        yield opened
        session.rollback()


def _rows(connection: Connection) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in connection.execute(select(_THING).order_by(_THING.c.id))]


def test_what_is_stored_reads_as_the_toolkit_reads_it(connection: Connection) -> None:
    assert _rows(connection) == [(1, "one", _AT), (2, "two", None)]
    assert [tuple(row) for row in _BY_ID.rows(connection, [1, 2])] == _rows(connection)


def test_values_of_the_statement_itself_go_with_those_of_each_row(connection: Connection) -> None:
    assert _MOVE.run(connection, [{"key": 2, "then": _AT}, {"key": 9, "then": None}]) == 1
    assert _rows(connection)[1] == (2, "moved", _AT)


def test_rows_are_found_by_lists_of_any_length_and_by_moments(connection: Connection) -> None:
    assert _BY_ID.rows(connection, []) == []
    assert [row.name for row in _BY_ID.rows(connection, [2])] == ["two"]
    assert [row.name for row in _BY_ID.rows(connection, [7, 1, 2])] == ["one", "two"]
    assert [row.key for row in _LATER.rows(connection, since=datetime(2026, 3, 1, tzinfo=UTC), most=5)] == [1]
    assert _LATER.rows(connection, since=_AT, most=5) == []


def test_a_time_without_a_zone_is_refused(connection: Connection) -> None:
    with pytest.raises((ValueError, StatementError), match="without a zone"):
        _ADD.run(connection, [{"id": 3, "name": "three", "at": datetime(2026, 3, 1)}])  # noqa: DTZ001


def test_a_failure_is_the_toolkits_and_carries_no_values(connection: Connection) -> None:
    with pytest.raises(IntegrityError) as failed, connection.begin_nested():
        _ADD.run(connection, [{"id": 1, "name": "secret name", "at": None}])
    assert "secret name" not in str(failed.value)


def test_who_listens_to_statements_hears_of_these_too(database: Database, connection: Connection) -> None:
    heard: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        heard.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        _MOVE.run(connection, [{"key": 1, "then": None}])
        assert [row.at for row in _BY_ID.rows(connection, [1])] == [None]
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
    assert [statement.split()[0] for statement in heard] == ["UPDATE", "SELECT"]


def test_without_a_transaction_the_toolkit_begins_one(database: Database) -> None:
    with database.transaction() as session:
        _THING.create(session.connection())
    with database.engine.connect() as connection:
        _ADD.run(connection, [{"id": 1, "name": "one", "at": None}])
        connection.rollback()
        assert _rows(connection) == []
    with database.transaction() as session:
        _THING.drop(session.connection())
