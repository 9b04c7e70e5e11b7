"""A process that answers pixels and links as `fluenzr serve` does, without the pages: it starts in a second or two."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from fluenzr_app import logs, server
from fluenzr_app.api.app import create_api
from fluenzr_app.api.runtime import ApiRuntime
from fluenzr_app.api.track import TrackedLinks
from fluenzr_app.assembly import Installation, SendingSide
from fluenzr_app.clock import SystemClock
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database
from fluenzr_app.settings import Settings, load_settings


class LinkProcess:
    """The process, up when this returns. Its database has the schema already."""

    def __init__(self, settings: Settings, port: int) -> None:
        self.port = port
        self._log = settings.data_dir / f"links-{time.monotonic_ns()}.log"
        own = {
            "FLUENZR_DATA_DIR": str(settings.data_dir),
            "FLUENZR_DATABASE_URL": settings.database_url,
            "FLUENZR_SECRET_KEY": settings.secret_key or "",
            "FLUENZR_PORT": str(port),
            "PATH": os.environ["PATH"],
            "HOME": str(settings.data_dir),
            "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
        }
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.scenarios.link_process"],
                env=own, cwd=settings.data_dir, stdout=log, stderr=log,
            )  # fmt: skip
        self._wait_until_up()

    def kill(self) -> None:
        """SIGKILL: no chance to put anything in order."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)

    def stop(self) -> None:
        """SIGTERM, and wait until it has stopped in good order."""
        self.process.terminate()
        if self.process.wait(30) != 0:
            raise AssertionError(self._log.read_text()[-3000:])

    def _wait_until_up(self) -> None:
        until = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                if self.process.poll() is not None or time.monotonic() > until:
                    raise AssertionError(self._log.read_text()[-3000:]) from None
                time.sleep(0.02)
            else:
                return


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> None:
    """Serve until a stop signal."""
    settings = load_settings(_env_file=None)
    logs.configure("WARNING")
    database, keyring, clock = Database.open(settings), KeyRing.load(settings), SystemClock()
    runtime = ApiRuntime(settings, database, keyring, clock)
    links = TrackedLinks(runtime)
    side = SendingSide(Installation(settings, database, keyring, clock))
    application = server.pages_off(
        settings, api_app=create_api(runtime, None, links), lifespans=(links.running, side.running), ahead=links.ahead()
    )
    server.serve(settings, application)


if __name__ == "__main__":
    main()
