"""A database of an earlier version keeps every row when its schema is brought up to date."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import JSON, Boolean, Connection, DateTime, LargeBinary, MetaData, Numeric, Table, inspect, select, text
from sqlalchemy.types import Date, Integer

from alembic import command
from fluenzr_app.db.engine import Database
from fluenzr_app.db.migrations import SchemaState, _config, migrate, schema_state


@pytest.fixture(params=["sqlite", "postgresql"])
def first_schema(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database with the first released schema and a row in each of its tables."""
    url = f"sqlite:///{tmp_path / 'first.db'}" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    db = Database.open(url)
    with db.engine.connect() as connection, connection.begin():
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for table in _tables(connection):
            connection.execute(table.insert(), _row(table))
    yield db
    db.close()


def test_every_row_of_the_first_schema_is_there_afterwards(first_schema: Database) -> None:
    with first_schema.engine.connect() as connection:
        before = _contents(connection, {})
    assert len(before) > 20
    assert schema_state(first_schema) is SchemaState.OLDER
    assert migrate(first_schema)
    assert schema_state(first_schema) is SchemaState.CURRENT
    with first_schema.engine.connect() as connection:
        assert _contents(connection, {name: set(rows[0]) for name, rows in before.items()}) == before
        if first_schema.is_sqlite:
            assert connection.execute(text("PRAGMA foreign_key_check")).all() == []
        # What the new columns say of those who were there before.
        assert connection.execute(text("SELECT copy_to_sent FROM email_account")).scalar_one() in (1, True)
        row = connection.execute(text("SELECT lead_on_enrollment, qualify_on_reply FROM workspace")).one()
        assert tuple(map(bool, row)) == (True, True)
        assert connection.execute(text("SELECT stage_id FROM contact")).scalar_one() is None
        assert {"conversation", "inbound", "conversation_search"} <= set(inspect(connection).get_table_names())


def _tables(connection: Connection) -> list[Table]:
    found = MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name != "alembic_version"]


def _contents(connection: Connection, columns: dict[str, set[str]]) -> dict[str, list[dict[str, Any]]]:
    return {
        table.name: [
            {
                name: value
                for name, value in row._mapping.items()
                if name in columns.get(table.name, set(table.c.keys()))
            }
            for row in connection.execute(select(table))
        ]
        for table in _tables(connection)
        if not columns or table.name in columns
    }


def _row(table: Table) -> dict[str, Any]:
    """A row with a value in each column: keys are 1, so that every row belongs to the one row of the other table."""
    return {column.name: _value(column) for column in table.columns}


def _value(column: Any) -> Any:
    kind = column.type
    if isinstance(kind, Boolean):
        return True
    if isinstance(kind, Integer | Numeric):
        return 1
    if isinstance(kind, DateTime):
        return datetime(2026, 3, 2, 8, tzinfo=UTC)
    if isinstance(kind, Date):
        return datetime(2026, 3, 2, tzinfo=UTC).date()
    if isinstance(kind, JSON):
        return {}
    if isinstance(kind, LargeBinary):
        return b"x"
    return "campaign" if column.name == "kind" else "{}"
