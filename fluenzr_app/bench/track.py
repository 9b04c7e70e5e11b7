"""`track`: durable pixel hits through the whole application, against a bare route that returns the same bytes."""

import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import text

from fluenzr_app.bench.http_load import load
from fluenzr_app.bundle import ensure_bundle
from fluenzr_app.clock import utc_now
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database
from fluenzr_app.db.migrations import migrate
from fluenzr_app.settings import Settings, load_settings
from fluenzr_app.tracking.links import TrackedMail, open_token_for
from fluenzr_app.workspaces.users import create_workspace

# Many short rounds: what else the machine does falls on both.
HITS, ROUNDS = 5_000, 9
CONNECTIONS = 100
_WARM_UP = 500
_UP_WITHIN_S = 60.0
_AGENT = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
)


async def measure_track(hits: int = HITS, rounds: int = ROUNDS) -> dict[str, float]:
    """Return hits a second of both and their ratio (`durable` to `bare`): medians of rounds in turn.

    Each hit is a mail's first; every one that was answered is looked for in the database afterwards.
    """
    # Built before anything is timed; the server finds it there.
    ensure_bundle()
    with TemporaryDirectory(prefix="fluenzr-bench-") as folder:
        settings = load_settings(_env_file=None, data_dir=Path(folder), secret_key="bench " * 8, port=free_port())
        db = Database.open(settings)
        try:
            migrate(db)
            with db.transaction() as session:
                workspace_id = create_workspace(session, KeyRing.load(settings), name="Bench", now=utc_now())
            with serving(settings, "fluenzr_app", "serve") as port, _bare(settings) as bare_port:
                durable, bare = await _alternate(port, bare_port, _paths(settings, workspace_id, hits, rounds))
            stored = _stored(db)
        finally:
            db.close()
    if stored != hits * rounds + _WARM_UP:
        raise AssertionError(f"{hits * rounds + _WARM_UP} hits were answered and {stored} stored")
    ratio = statistics.median(one / other for one, other in zip(durable, bare, strict=True))
    return {
        "durable": round(statistics.median(durable), 1),
        "bare": round(statistics.median(bare), 1),
        "ratio": round(ratio, 3),
    }


async def _alternate(port: int, bare_port: int, parts: Sequence[Sequence[str]]) -> tuple[list[float], list[float]]:
    durable, bare = [], []
    warm_up, *rounds = parts
    for each in (bare_port, port):
        await load(each, warm_up, CONNECTIONS, agent=_AGENT)
    for paths in rounds:
        bare.append(await load(bare_port, paths, CONNECTIONS, agent=_AGENT))
        durable.append(await load(port, paths, CONNECTIONS, agent=_AGENT))
    return durable, bare


def _paths(settings: Settings, workspace_id: int, hits: int, rounds: int) -> list[list[str]]:
    """Return a pixel of another mail for each request: a few to begin with, then those of each round."""
    keyring = KeyRing.load(settings)
    composed = utc_now() - timedelta(hours=1)
    parts, number = [], 0
    for count in (_WARM_UP, *[hits] * rounds):
        mails = (
            TrackedMail(workspace_id, each, each, 1, 1, 1, composed) for each in range(number + 1, number + count + 1)
        )
        parts.append([f"/o/{open_token_for(keyring, mail)}" for mail in mails])
        number += count
    return parts


def _stored(db: Database) -> int:
    with db.read() as session:
        # What was judged meanwhile is deleted; the table remembers how many it ever took.
        statement = text("SELECT seq FROM sqlite_sequence WHERE name = 'hit'")
        return int(session.connection().execute(statement).scalar() or 0)


@contextmanager
def _bare(settings: Settings) -> Iterator[int]:
    other = load_settings(_env_file=None, data_dir=settings.data_dir, secret_key=settings.secret_key, port=free_port())
    with serving(other, "fluenzr_app.bench.bare_pixel") as port:
        yield port


@contextmanager
def serving(settings: Settings, module: str, *arguments: str) -> Iterator[int]:
    """Run a server in another process until the block ends, and give its port once it takes connections."""
    given = {
        "FLUENZR_DATA_DIR": str(settings.data_dir),
        "FLUENZR_SECRET_KEY": settings.secret_key or "",
        "FLUENZR_PORT": str(settings.port),
    }
    own = {name: value for name, value in os.environ.items() if not name.startswith("FLUENZR_")}
    log = settings.data_dir / f"{module}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", module, *arguments], env=own | given, stdout=output, stderr=output
        )
    try:
        _wait_for(settings.port, process, log)
        yield settings.port
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _UP_WITHIN_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > until:
                raise AssertionError(f"the server did not start: {log.read_text()[-2000:]}") from None
            time.sleep(0.05)
        else:
            return


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
