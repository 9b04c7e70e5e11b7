"""A throw-away PostgreSQL cluster on loopback, as durable as one in production (fsync stays on)."""

import itertools
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.real.daemon import Daemon, ServerDidNotStart, run
from tests.real.installed import postgres_programs
from tests.real.ports import free_ports

_CUT_OTHERS = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
_RESTART_IDS = "SELECT setval(oid, 1, false) FROM pg_class WHERE relkind = 'S'"
_numbers = itertools.count(1)


class PostgresCluster:
    """A running server with one superuser, `postgres`, who needs no password on loopback."""

    def __init__(self, folder: Path) -> None:
        programs = postgres_programs()
        if programs is None:
            raise ServerDidNotStart("initdb is not installed")
        # The server refuses to run as root.
        user = "postgres" if os.geteuid() == 0 else None
        if user:
            shutil.chown(folder, user, user)
        data = folder / "data"
        as_user = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"] if user else []
        options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions"]
        run([*as_user, programs / "initdb", "--pgdata", data, *options])
        (self._port,) = free_ports(1)
        configuration = {
            "listen_addresses": "127.0.0.1",
            "port": self._port,
            "unix_socket_directories": folder,
            "max_connections": 200,
            "shared_buffers": "64MB",
            "timezone": "UTC",
        }
        settings = [part for name, value in configuration.items() for part in ("-c", f"{name}={value}")]
        self._server = Daemon([programs / "postgres", "-D", data, *settings], folder / "postgres.out", user=user)
        self._server.wait_until(self._accepts)

    def url(self, name: str) -> str:
        """The address of the database of that name."""
        return f"postgresql://postgres@127.0.0.1:{self._port}/{name}"

    def create(self, template: str = "template0") -> str:
        """Makes a database with a new name, equal to the template, and gives the name."""
        name = f"test_{next(_numbers)}"
        self._execute("CREATE DATABASE {} TEMPLATE {}", name, template)
        return name

    def drop(self, name: str) -> None:
        """Removes a database, whoever is still connected to it."""
        self._execute("DROP DATABASE {} WITH (FORCE)", name)

    def empty(self, name: str) -> None:
        """Removes every row and starts all ids at 1 again; whoever is still connected is cut off.

        A hundred times quicker than a new database. What a test did to the schema itself stays.
        """
        with psycopg.connect(self.url(name), autocommit=True) as connection:
            connection.execute(_CUT_OTHERS)
            tables = [row[0] for row in connection.execute(_TABLES)]
            # As a replica the server asks no foreign key, so that the order of the tables does not matter.
            rows = [sql.SQL("DELETE FROM {}").format(sql.Identifier(table)) for table in tables]
            steps = [sql.SQL("SET session_replication_role = replica"), *rows, sql.SQL(_RESTART_IDS)]
            connection.execute(sql.SQL("; ").join(steps))

    def stop(self) -> None:
        """Ends the server at once; nothing of it is needed any more."""
        # SIGQUIT is PostgreSQL's immediate shutdown: SIGTERM would wait for every client.
        self._server.stop(how=signal.SIGQUIT)

    def _execute(self, command: str, *names: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL(command).format(*(sql.Identifier(name) for name in names)))

    def _accepts(self) -> bool:
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[PostgresCluster]:
    """One server for each test process."""
    folder = Path(tempfile.mkdtemp(prefix="fz-pg-"))
    try:
        cluster = PostgresCluster(folder)
        yield cluster
        cluster.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_cluster: PostgresCluster) -> Iterator[str]:
    """A new empty database for one test."""
    name = postgres_cluster.create()
    yield postgres_cluster.url(name)
    postgres_cluster.drop(name)
