"""The schema's version: bringing it up to date, and telling whether it is."""

from enum import StrEnum
from pathlib import Path

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from alembic import command
from fluenzr_app.db.engine import Database

FOLDER = Path(__file__).resolve().parents[2] / "alembic"
# Any fixed number: whoever migrates PostgreSQL holds this advisory lock, so that two starting processes take turns.
_LOCK = 7_331_902


class SchemaState(StrEnum):
    """What the database holds, compared with this version of the program."""

    EMPTY = "empty"
    CURRENT = "current"
    OLDER = "older"
    FOREIGN = "foreign"


class SchemaError(Exception):
    """The schema is not the one that this version works with; the message says what to do."""


def schema_state(db: Database) -> SchemaState:
    """Return how the database's schema compares with this version of the program."""
    with db.engine.connect() as connection:
        return _state(connection)


def migrate(db: Database) -> list[str]:
    """Bring the schema up to date and return the revisions that were applied, oldest first.

    Raises SchemaError for a schema of a later version or of another program.
    """
    with db.engine.connect() as connection, connection.begin():
        if db.dialect == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        state = _state(connection)
        if state is SchemaState.FOREIGN:
            raise SchemaError("the database was written by a later version or another program; update FluenzR")
        before = MigrationContext.configure(connection).get_current_revision()
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    script = ScriptDirectory.from_config(_config())
    head = script.get_current_head()
    if head is None:
        return []
    return [each.revision for each in reversed(list(script.iterate_revisions(head, before or "base")))]


def require_current(db: Database) -> None:
    """Make an empty schema; raise SchemaError with the remedy for an older or foreign one."""
    state = schema_state(db)
    if state is SchemaState.EMPTY:
        migrate(db)
    elif state is SchemaState.OLDER:
        raise SchemaError("the database has an older schema; run `fluenzr migrate` (take a backup first)")
    elif state is SchemaState.FOREIGN:
        raise SchemaError("the database was written by a later version or another program; update FluenzR")


def _state(connection: Connection) -> SchemaState:
    revision = MigrationContext.configure(connection).get_current_revision()
    script = ScriptDirectory.from_config(_config())
    if revision == script.get_current_head():
        return SchemaState.CURRENT
    if revision is None:
        tables = inspect(connection).get_table_names()
        return SchemaState.FOREIGN if [name for name in tables if name != "alembic_version"] else SchemaState.EMPTY
    known = {each.revision for each in script.walk_revisions()}
    return SchemaState.OLDER if revision in known else SchemaState.FOREIGN


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("path_separator", "os")
    return config
