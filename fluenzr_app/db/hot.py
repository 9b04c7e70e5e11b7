"""Statements run for many rows on the way of every mail: on SQLite they go to the driver as prepared text.

Binding a row through the toolkit costs several times what storing it does. The statement stays one Core statement
for both databases; only how its rows are bound differs.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Executable, Select
from sqlalchemy.dialects import sqlite

from fluenzr_app.db.types import AnyRow

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class HotStatement:
    """An INSERT or UPDATE for many rows. `columns` names the parameters of an INSERT, which has none by itself.

    Values are numbers, texts, bytes, aware datetimes and None; nothing that needs a column type to be bound.
    """

    def __init__(self, build: Callable[[str], Executable], columns: Sequence[str] = ()) -> None:
        self._build = build
        self._columns = list(columns)

    def run(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
        """Run the statement for each of `rows` and return how many rows were changed in all (-1: not told)."""
        if connection.dialect.name != "sqlite":
            return int(connection.execute(self._postgresql, list(rows)).rowcount)
        text, order = self._sqlite
        moments: dict[datetime, int] = {}
        bound = [
            tuple(_bind(row[name] if known is _GIVEN else known, moments) for name, known in order) for row in rows
        ]
        return int(connection.exec_driver_sql(text, bound).rowcount)

    @cached_property
    def _postgresql(self) -> Executable:
        return self._build("postgresql")

    @cached_property
    def _sqlite(self) -> tuple[str, tuple[tuple[str, Any], ...]]:
        statement: Any = self._build("sqlite")
        compiled = statement.compile(dialect=sqlite.dialect(), column_keys=self._columns or None)
        binds = compiled.binds
        return str(compiled), tuple(
            (name, _GIVEN if binds[name].required or name in self._columns else binds[name].value)
            for name in compiled.positiontup or ()
        )


class HotSelect:
    """A select by a list of keys, `ids`, asked for every batch of mails.

    On SQLite the text is made once for each length of the list. Its columns must be such that the driver's own
    values serve: numbers, texts, bytes; no times and no JSON.
    """

    def __init__(self, statement: Select[Any]) -> None:
        self._statement = statement
        self._texts: dict[int, tuple[str, tuple[Any, ...]]] = {}

    def rows(self, connection: Connection, ids: Sequence[int]) -> Sequence[AnyRow]:
        """Return the rows for `ids`, their columns by name."""
        if connection.dialect.name != "sqlite":
            return connection.execute(self._statement, {"ids": list(ids)}).all()
        known = self._texts.get(len(ids))
        if known is None:
            known = self._texts[len(ids)] = self._text_for(len(ids))
        text, order = known
        given = iter(ids)
        return connection.exec_driver_sql(text, tuple(next(given) if each is _GIVEN else each for each in order)).all()

    def _text_for(self, length: int) -> tuple[str, tuple[Any, ...]]:
        compiled = self._statement.compile(dialect=sqlite.dialect())
        state = compiled.construct_expanded_state({"ids": [_GIVEN] * length})
        return state.statement, tuple(state.positional_parameters)


class _Given:
    """Stands for a value that each row brings."""


_GIVEN = _Given()


def _bind(value: Any, moments: dict[datetime, int]) -> Any:
    if type(value) is datetime:
        # The rows of a batch share their moment.
        known = moments.get(value)
        if known is None:
            if value.tzinfo is None:
                raise ValueError("a time without a zone was about to be stored")
            known = moments[value] = (value - _EPOCH) // _MICROSECOND
        return known
    return value
