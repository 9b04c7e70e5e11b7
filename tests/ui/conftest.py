"""A site that runs as it does for a customer: the built pages and the real API in a process of its own."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fluenzr_app.bundle import ROOT, ensure_bundle
from fluenzr_app.clock import ManualClock
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database
from fluenzr_app.settings import Settings
from fluenzr_app.ui import runtime
from fluenzr_app.ui.runtime import Runtime
from tests.real.ports import free_ports


@dataclass
class Site:
    """An installation in a process of its own; `start` and `stop` as often as a test likes.

    `at` is the ISO moment from which its clock goes on; "" for the machine's own.
    """

    port: int
    data: Path
    fresh: bool = False
    public_url: str = ""
    setup_link: str = ""
    at: str = ""
    _process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        """The address under which it answers."""
        return f"http://localhost:{self.port}"

    def database(self) -> Database:
        """The installation's own database, for looking at what the pages did; the caller closes it."""
        return Database.open(f"sqlite:///{self.data / 'fluenzr.sqlite3'}")

    def start(self) -> "Site":
        """Start it and wait until it takes connections."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("FLUENZR_", "REFLEX_", "__REFLEX_"))}
        environment |= {"FLUENZR_DATA_DIR": str(self.data), "FLUENZR_PORT": str(self.port)}
        environment |= {"FLUENZR_PUBLIC_URL": self.public_url} if self.public_url else {}
        command = [sys.executable, "-m", "tests.ui.site_process", *(["--fresh"] if self.fresh else [])]
        command += ["--at", self.at] if self.at else []
        with (self.data / "log").open("a") as log:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=log, text=True
            )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line == "ready\n":
                return self
            self.setup_link = line.strip().removeprefix("setup=") or self.setup_link
        return pytest.fail((self.data / "log").read_text()[-4000:])

    def stop(self) -> int:
        """Ask it to stop and give its exit code; the test fails if that takes more than 15 s."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(15)


@pytest.fixture(scope="session")
def bundle() -> Path:
    """The built pages of the present sources."""
    return ensure_bundle()


@pytest.fixture(scope="module")
def start_site(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Site]]:
    """Start a site on a free port: its owner is camille@rivage.example, or nobody yet if `fresh`.

    `data` is a directory with an installation in it, whose people are its own.
    """
    started: list[Site] = []

    def start(*, fresh: bool = False, public_url: str = "", data: Path | None = None) -> Site:
        site = Site(free_ports(1)[0], data or tmp_path_factory.mktemp("site"), fresh, public_url)
        started.append(site)
        return site.start()

    yield start
    for site in started:
        site.stop()


@pytest.fixture(scope="module")
def site(start_site: Callable[..., Site]) -> Site:
    """A site with its owner, shared by the tests of a module."""
    return start_site()


@pytest.fixture
def database_url(sqlite_template: Path, tmp_path: Path) -> str:
    """SQLite alone: what a page asks of a database is tested on both kinds where it is written."""
    copy = tmp_path / "fluenzr.sqlite3"
    shutil.copy(sqlite_template, copy)
    return f"sqlite:///{copy}"


@pytest.fixture
def installed(settings: Settings, database: Database, keyring: KeyRing, clock: ManualClock) -> Iterator[Runtime]:
    """The services that handlers work with, installed as the roof does it."""
    made = Runtime(settings, database, keyring, clock)
    runtime.install(made)
    yield made
    runtime._installed.clear()
