"""Fixtures that every room's tests share, and the rules under which all tests run."""

import gc
import os
import random
import shutil
from collections.abc import Generator, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from zoneinfo import ZoneInfo

import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from fluenzr_app import crypto
from fluenzr_app.clock import ManualClock
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.all_models import metadata
from fluenzr_app.db.engine import Database
from fluenzr_app.settings import Settings, load_settings
from tests.real.guard import close_the_network
from tests.real.installed import REQUIRE_ALL, SERVERS

if TYPE_CHECKING:
    from tests.real.postgres import PostgresCluster

pytest_plugins = [
    "tests.people",
    "tests.engine_world",
    "tests.inbox.world",
    "tests.real.browser",
    "tests.real.counting_smtp",
    "tests.real.post_office",
    "tests.real.postgres",
    "tests.real.redis",
]

_Report = TypeVar("_Report", pytest.TestReport, pytest.CollectReport)

close_the_network()


def pytest_configure(config: pytest.Config) -> None:
    for server in SERVERS:
        config.addinivalue_line("markers", f"{server.marker}: uses the fixture {server.fixture}")
    # What the developer's own shell sets must not reach the tests.
    for name in [name for name in os.environ if name.startswith("FLUENZR_")]:
        if not name.startswith("FLUENZR_TEST_"):
            del os.environ[name]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    obstacles = {server: server.obstacle() for server in SERVERS}
    for item in items:
        for server, obstacle in obstacles.items():
            if server.fixture in _fixtures_of(item):
                item.add_marker(server.marker)
                if obstacle:
                    item.add_marker(pytest.mark.skip(reason=f"{server.fixture}: {obstacle}"))
    _order(items)


def _order(items: list[pytest.Item]) -> None:
    """Modules with a browser first, since they are the slowest; a module stays on one worker (see the Makefile).

    Inside a module the browser's tests come last, so that asynchronous tests still find a free event loop.
    """
    slow_modules = {_module_of(item) for item in items if "browser" in _fixtures_of(item)}
    items.sort(
        key=lambda item: (_module_of(item) not in slow_modules, _module_of(item), "browser" in _fixtures_of(item))
    )


def _module_of(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]


def _fixtures_of(item: pytest.Item) -> set[str]:
    names = set(getattr(item, "fixturenames", ()))
    # The fixture `database_url` asks for the cluster only while it runs, for one of its parameters.
    callspec = getattr(item, "callspec", None)
    if callspec is not None and callspec.params.get("database_url") == "postgresql":
        names.add("postgres_cluster")
    return names


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    return _refuse_skip(report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    return _refuse_skip(report)


def _refuse_skip(report: _Report) -> _Report:
    """A skip where everything must run is a failure, whatever its reason (an expected failure is none)."""
    if os.environ.get(REQUIRE_ALL) == "1" and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"left out although {REQUIRE_ALL} is set: {report.longrepr}"
    return report


@pytest.fixture(scope="session", autouse=True)
def quick_password_hashes() -> Iterator[None]:
    """The same hash at its lowest cost: a guess that is counted takes a moment, not a tenth of a second."""
    with pytest.MonkeyPatch.context() as patch:
        cheap = Argon2Hasher(time_cost=1, memory_cost=64, parallelism=1)
        patch.setattr(crypto, "_passwords", PasswordHash((cheap,)))
        yield


@pytest.fixture(autouse=True, scope="module")
def no_search_for_garbage_of_other_modules() -> None:
    """What earlier modules left in memory is passed over by the collector: looking at it takes seconds at a time."""
    gc.freeze()


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands at Monday 2 March 2026, 09:00 in Paris, until the test moves it."""
    return ManualClock(datetime(2026, 3, 2, 9, 0, tzinfo=ZoneInfo("Europe/Paris")))


@pytest.fixture
def rng() -> random.Random:
    """Chance that is the same in every run."""
    return random.Random(20260302)


@pytest.fixture
def keyring() -> KeyRing:
    """A key ring with a fixed master key."""
    return KeyRing(b"tests only: 32 bytes of key, ok.")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The settings of a fresh installation in a directory of its own."""
    return load_settings(_env_file=None, data_dir=tmp_path / "data")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the whole schema and no rows."""
    path = tmp_path_factory.mktemp("template") / "template.sqlite3"
    _create_schema(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_schema(postgres_cluster: "PostgresCluster") -> str:
    """The name of the PostgreSQL database with the whole schema that all tests use one after the other."""
    name = postgres_cluster.create()
    _create_schema(postgres_cluster.url(name))
    return name


def _create_schema(url: str) -> None:
    database = Database.open(url)
    try:
        metadata.create_all(database.engine)
    finally:
        database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database with the whole schema and no rows, once of each kind.

    A test that changes the schema itself takes `postgres_url` instead.
    """
    if request.param == "sqlite":
        copy = tmp_path / "fluenzr.sqlite3"
        shutil.copy(request.getfixturevalue("sqlite_template"), copy)
        return f"sqlite:///{copy}"
    cluster: PostgresCluster = request.getfixturevalue("postgres_cluster")
    name: str = request.getfixturevalue("postgres_schema")
    cluster.empty(name)
    return cluster.url(name)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An open database with the whole schema and no rows; the test runs once on each kind."""
    opened = Database.open(database_url)
    yield opened
    opened.close()
