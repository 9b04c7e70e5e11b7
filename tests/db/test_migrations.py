"""The schema made by migrations is the one of the models, on both databases, and is brought up to date safely."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from fluenzr_app.db.all_models import metadata
from fluenzr_app.db.engine import Database
from fluenzr_app.db.migrations import SchemaError, SchemaState, migrate, require_current, schema_state


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path):  # type: ignore[no-untyped-def]
    """An empty database of each kind."""
    url = f"sqlite:///{tmp_path / 'empty.db'}" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    db = Database.open(url)
    yield db
    db.close()


def test_migrations_make_the_schema_of_the_models(empty: Database) -> None:
    assert schema_state(empty) is SchemaState.EMPTY
    assert migrate(empty)
    assert schema_state(empty) is SchemaState.CURRENT
    with empty.engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={"compare_type": True, "include_name": lambda name, kind, _: not _of_the_search(name, kind)},
        )
        assert compare_metadata(context, metadata) == []
        made = inspect(connection)
        for table in metadata.sorted_tables:
            indexes = {str(index["name"]) for index in made.get_indexes(table.name)}
            assert {str(index.name) for index in table.indexes} <= indexes, table.name


def _of_the_search(name: str | None, kind: str) -> bool:
    # Each database has a table of its own kind for it, which is no model's.
    return kind == "table" and (name or "").startswith("conversation_search")


def test_a_schema_made_from_the_models_has_the_search_too(database: Database) -> None:
    with database.read() as session:
        assert session.connection().execute(text("SELECT count(*) FROM conversation_search")).scalar_one() == 0


def test_migrating_twice_changes_nothing(empty: Database) -> None:
    migrate(empty)
    assert migrate(empty) == []


def test_an_empty_database_gets_its_schema_by_itself(empty: Database) -> None:
    require_current(empty)
    assert schema_state(empty) is SchemaState.CURRENT


def test_a_database_of_another_program_is_left_alone(empty: Database) -> None:
    with empty.transaction() as session:
        session.connection().execute(text("CREATE TABLE theirs (id INTEGER)"))
    assert schema_state(empty) is SchemaState.FOREIGN
    with pytest.raises(SchemaError, match="another program"):
        migrate(empty)
    with pytest.raises(SchemaError):
        require_current(empty)
    with empty.engine.connect() as connection:
        assert "contact" not in inspect(connection).get_table_names()


def test_a_schema_of_a_later_version_is_refused(empty: Database) -> None:
    migrate(empty)
    with empty.transaction() as session:
        session.connection().execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaError, match="later version"):
        require_current(empty)
