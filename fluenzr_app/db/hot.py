"""Statements run for many rows on the way of every mail: on SQLite they go to the driver as prepared text.

Passing a statement through the toolkit costs several times what running it does. It stays one Core statement for both
databases; only how its values are bound, and how its rows are read, differs.
"""

import sqlite3
from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, cast

from sqlalchemy import Connection, Executable, Select
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError

from fluenzr_app.db.types import AnyRow, UtcDateTime

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DIALECT = sqlite.dialect()
_NAMED = sqlite.dialect(paramstyle="named")


class HotStatement:
    """An INSERT or UPDATE for many rows. `columns` names the parameters of an INSERT, which has none by itself.

    Values are numbers, texts, bytes, aware datetimes and None; nothing else that needs a column type to be bound.
    """

    def __init__(self, build: Callable[[str], Executable], columns: Sequence[str] = ()) -> None:
        self._build = build
        self._columns = list(columns)

    def run(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
        """Run the statement for each of `rows` and return how many rows were changed in all (-1: not told)."""
        if connection.dialect.name != "sqlite":
            return int(connection.execute(self._postgresql, list(rows)).rowcount)
        text, constants, times = self._sqlite
        bound = [{**constants, **row} for row in rows]
        for values in bound:
            for name in times:
                values[name] = stored_moment(values[name])
        return run_many(connection, text, bound)

    @cached_property
    def _postgresql(self) -> Executable:
        return self._build("postgresql")

    @cached_property
    def _sqlite(self) -> tuple[str, Mapping[str, Any], Sequence[str]]:
        """Return the text, the values that are the same for every row, and which parameters are moments."""
        statement: Any = self._build("sqlite")
        compiled = statement.compile(dialect=_NAMED, column_keys=self._columns or None)
        given = {name for name, bind in compiled.binds.items() if bind.required or name in self._columns}
        constants = {name: bind.value for name, bind in compiled.binds.items() if name not in given}
        times = [name for name, bind in compiled.binds.items() if isinstance(bind.type, UtcDateTime)]
        return str(compiled), constants, times


class HotSelect:
    """A select that is asked for every batch of mails, by parameters of which one may be a list of keys, `ids`.

    On SQLite the text is made once for each length of the list. Its columns must be such that the driver's own
    values serve: numbers, texts, bytes, and times; no JSON.
    """

    def __init__(self, statement: Select[Any]) -> None:
        self._statement = statement
        self._texts: dict[int, tuple[str, tuple[Any, ...]]] = {}

    def rows(self, connection: Connection, ids: Sequence[int] | None = None, /, **given: Any) -> Sequence[AnyRow]:
        """Return the rows for `ids` and the other parameters, their columns by name."""
        keys = {} if ids is None else {"ids": list(ids)}
        if connection.dialect.name != "sqlite":
            return connection.execute(self._statement, {**keys, **given}).all()
        length = len(ids or ())
        known = self._texts.get(length)
        if known is None:
            known = self._texts[length] = self._text_for({name: [_ID] * length for name in keys}, given)
        text, order = known
        each_id = iter(ids or ())
        values = [next(each_id) if each is _ID else _value_of(each, given) for each in order]
        make, times = self._row
        found = fetch_all(connection, text, values)
        if times:
            found = [_with_moments(row, times) for row in found]
        # Read by name like the toolkit's own, and made in a fraction of the time.
        return cast(Sequence[AnyRow], list(map(make, found)))

    @cached_property
    def _row(self) -> tuple[Callable[[Sequence[Any]], Any], Sequence[int]]:
        """Return what makes a row of a driver's tuple, and the places of its moments."""
        columns = self._statement.column_descriptions
        kind = namedtuple("Row", [column["name"] for column in columns])  # type: ignore[misc]
        return kind._make, [place for place, column in enumerate(columns) if isinstance(column["type"], UtcDateTime)]

    def _text_for(self, keys: Mapping[str, Any], given: Mapping[str, Any]) -> tuple[str, tuple[Any, ...]]:
        compiled = self._statement.compile(dialect=_DIALECT)
        state = compiled.construct_expanded_state({**{name: _Given(name) for name in given}, **keys})
        return state.statement, tuple(state.positional_parameters or ())


class _Given:
    """Stands for a value that each call brings."""

    def __init__(self, name: str) -> None:
        self.name = name


_ID = _Given("ids")


def run_many(connection: Connection, text: str, rows: Sequence[Any]) -> int:
    """Run SQLite's own statement for each of `rows`, tuples or mappings, and return how many rows it changed in all."""
    driver = _driver_of(connection)
    if driver is None:
        return int(connection.exec_driver_sql(text, list(rows)).rowcount)
    try:
        return driver.executemany(text, rows).rowcount
    except sqlite3.Error as error:
        raise _as_told_by_the_toolkit(text, error) from error


def fetch_all(connection: Connection, text: str, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
    """Return what SQLite's own select brings, as the driver gives it."""
    driver = _driver_of(connection)
    if driver is None:
        return connection.exec_driver_sql(text, tuple(values)).all()
    try:
        found: list[tuple[Any, ...]] = driver.execute(text, values).fetchall()
    except sqlite3.Error as error:
        raise _as_told_by_the_toolkit(text, error) from error
    return found


def stored_moment(moment: datetime | None) -> int | None:
    """Return a moment as SQLite stores it (db/types.py); raises ValueError for a naive one."""
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise ValueError("a time without a zone was about to be stored")
    return (moment - _EPOCH) // _MICROSECOND


def _driver_of(connection: Connection) -> sqlite3.Connection | None:
    """Return the driver's connection; None where the toolkit has to begin first, or somebody listens to statements."""
    listened_to = connection.engine.dispatch.before_cursor_execute or connection.engine.dispatch.after_cursor_execute
    if listened_to or not connection.in_transaction():
        return None
    return cast(sqlite3.Connection, connection.connection.driver_connection)


def _as_told_by_the_toolkit(text: str, error: sqlite3.Error) -> Exception:
    # Callers tell by the toolkit's classes what will pass; values stay out of it, as everywhere.
    return DBAPIError.instance(text, None, error, sqlite3.Error, hide_parameters=True, dialect=_DIALECT)


def _value_of(each: Any, given: Mapping[str, Any]) -> Any:
    value = given[each.name] if isinstance(each, _Given) else each
    return stored_moment(value) if type(value) is datetime else value


def _with_moments(row: Iterable[Any], times: Sequence[int]) -> list[Any]:
    values = list(row)
    for place in times:
        if values[place] is not None:
            values[place] = _EPOCH + timedelta(microseconds=values[place])
    return values
