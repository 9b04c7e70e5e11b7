"""The engine for SQLite and PostgreSQL: short synchronous transactions, run in threads by async callers."""

import asyncio
import contextlib
import contextvars
import functools
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import QueuePool
from sqlmodel import Session

from fluenzr_app.settings import Settings

T = TypeVar("T")
_READ_ONLY = "fluenzr_read_only"
# PostgreSQL: serialization_failure, deadlock_detected.
_RETRIED_STATES = frozenset({"40001", "40P01"})


class DatabaseUnavailable(Exception):
    """The database cannot be reached or opened; the message says which and why."""


class Database:
    """One database and the threads that talk to it."""

    def __init__(self, engine: Engine, *, threads: int = 8) -> None:
        self.engine = engine
        self.dialect: str = engine.dialect.name
        self._threads = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="db")
        # SQLite has one writer at a time and lets the others poll; within a process they queue here instead.
        self._one_writer = threading.Lock() if self.dialect == "sqlite" else contextlib.nullcontext()

    @classmethod
    def open(cls, settings: Settings | str) -> "Database":
        """Return the database that `settings` (or a URL) names; raises DatabaseUnavailable with plain words."""
        url = settings if isinstance(settings, str) else settings.database_url
        database = cls(_make_engine(url))
        try:
            with database.read() as session:
                session.connection()
        except OperationalError as error:
            database.close()
            raise DatabaseUnavailable(f"the database cannot be opened: {error.orig}") from None
        return database

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the one-file database."""
        return self.dialect == "sqlite"

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Session]:
        """Give a session that commits at the end of the block and rolls back on any exception."""
        with self._one_writer, Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextlib.contextmanager
    def read(self) -> Iterator[Session]:
        """Give a session for reading from one consistent state; a write in it is refused."""
        options = {_READ_ONLY: True, "postgresql_readonly": True, "isolation_level": _read_level(self.dialect)}
        with self.engine.connect() as connection:
            readable = connection.execution_options(**{k: v for k, v in options.items() if v is not None})
            with Session(readable, expire_on_commit=False, autoflush=False) as session:
                yield session
                # Rows stay usable as values after the block; a rollback would empty those still attached.
                session.expunge_all()
                session.rollback()

    def transact(self, work: Callable[..., T], *arguments: Any, **named: Any) -> T:
        """Return `work(session, *arguments, **named)` from one transaction, again after a deadlock.

        `work` must keep its effects inside the session, since it may run up to five times.
        """
        for tries_left in range(4, -1, -1):
            try:
                with self.transaction() as session:
                    return work(session, *arguments, **named)
            except OperationalError as error:
                if tries_left == 0 or getattr(error.orig, "sqlstate", None) not in _RETRIED_STATES:
                    raise
        raise AssertionError("unreachable")

    async def run(self, function: Callable[..., T], *arguments: Any, **named: Any) -> T:
        """Return `function(*arguments, **named)`, run in a thread so that the event loop stays free."""
        call = functools.partial(contextvars.copy_context().run, function, *arguments, **named)
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    def close(self) -> None:
        """Let running work end and close every connection."""
        self._threads.shutdown(wait=True)
        self.engine.dispose()


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _read_level(dialect: str) -> str | None:
    return "REPEATABLE READ" if dialect == "postgresql" else None


def _make_engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite_engine(url, parsed.database)
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    return create_engine(
        parsed,
        pool_size=8,
        max_overflow=8,
        pool_pre_ping=True,
        # What rows hold is personal; it has no place in errors that end up in a log.
        hide_parameters=True,
        isolation_level="READ COMMITTED",
        connect_args={"options": "-c timezone=UTC -c lock_timeout=30000"},
    )


def _keep_from_others(path: str | None) -> None:
    """Let only this user read a database that was made just now; the files beside it take over its mode."""
    if path and path != ":memory:":
        with contextlib.suppress(OSError):
            if Path(path).stat().st_size == 0:
                Path(path).chmod(0o600)


def _sqlite_engine(url: str, path: str | None) -> Engine:
    if path and path != ":memory:":
        Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=8,
        max_overflow=8,
        hide_parameters=True,
        connect_args={"timeout": 30, "check_same_thread": False, "cached_statements": 256},
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: object) -> None:
        # The driver must not open transactions by itself: BEGIN IMMEDIATE below takes the write lock at once,
        # where a late upgrade from reading to writing would fail with "database is locked".
        connection.isolation_level = None
        _keep_from_others(path)
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "busy_timeout=30000",
            "cache_size=-65536",
            "temp_store=MEMORY",
            "wal_autocheckpoint=4000",
        ):
            connection.execute(f"PRAGMA {pragma}")
        # SQLite's own knows only the letters of ASCII, and names have accents.
        connection.create_function("lower", 1, _lower, deterministic=True)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        read_only = connection.get_execution_options().get(_READ_ONLY, False)
        # Remembered with the pooled connection: most transactions find it as they need it.
        if connection.info.get(_READ_ONLY, False) != read_only:
            connection.exec_driver_sql(f"PRAGMA query_only={int(read_only)}")
            connection.info[_READ_ONLY] = read_only
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine
