"""A consistent copy while running, and back again, held until released (campaigns.md, guarantee 10)."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
from datetime import datetime
from pathlib import Path

from sqlalchemy import make_url

from fluenzr_app.clock import utc_now
from fluenzr_app.commands.context import CommandRefused
from fluenzr_app.db.engine import Database
from fluenzr_app.db.migrations import SchemaState, schema_state
from fluenzr_app.sending import generation
from fluenzr_app.sending.workers import WorkerSlot
from fluenzr_app.settings import Settings


def backup(settings: Settings, target: Path) -> int:
    """Write a copy of the database to `target` and return its size in bytes; others go on working meanwhile.

    Whatever becomes of a copy from SQLite, it sends nothing before `release`: the hold is written into it.
    Raises CommandRefused when the target exists or `pg_dump` is missing.
    """
    if target.exists():
        raise CommandRefused(f"{target} exists already; name another file")
    if settings.database_url.startswith("sqlite"):
        _copy_sqlite(_sqlite_path(settings), target)
    else:
        _run_postgres("pg_dump", ["--format=custom", f"--file={target}"], settings)
    target.chmod(0o600)
    return target.stat().st_size


def restore(settings: Settings, source: Path) -> None:
    """Put a copy made by `backup` in the place of the database; what was there is kept beside it (SQLite).

    Everything due then waits for `fluenzr release`. Raises CommandRefused for a file that is no backup, and
    SenderBusy while FluenzR runs on this data directory.
    """
    if not source.is_file():
        raise CommandRefused(f"there is no file {source}")
    slot = WorkerSlot.take(settings.data_dir, only_one=True)
    try:
        if settings.database_url.startswith("sqlite"):
            _restore_sqlite(_sqlite_path(settings), source)
        else:
            _run_postgres("pg_restore", ["--clean", "--if-exists", "--exit-on-error", str(source)], settings)
        db = Database.open(settings)
        try:
            with db.transaction() as session:
                generation.hold(session, "restored", utc_now())
        finally:
            db.close()
    finally:
        slot.free()


def _copy_sqlite(path: Path, target: Path) -> None:
    unfinished = target.with_name(target.name + ".unfinished")
    try:
        with (
            contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as source,
            contextlib.closing(sqlite3.connect(unfinished)) as copy,
        ):
            source.backup(copy, pages=2_000)
            copy.execute("PRAGMA journal_mode=DELETE")
            micros = int(utc_now().timestamp() * 1_000_000)
            copy.execute("UPDATE installation SET held_since = ?, held_reason = 'restored' WHERE id = 1", (micros,))
            copy.commit()
        os.replace(unfinished, target)
    finally:
        unfinished.unlink(missing_ok=True)


def _restore_sqlite(path: Path, source: Path) -> None:
    fresh = path.with_name(path.name + ".restoring")
    shutil.copyfile(source, fresh)
    fresh.chmod(0o600)
    try:
        _check_sqlite(fresh, source)
        if path.exists():
            _set_aside(path, utc_now())
        os.replace(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)


def _check_sqlite(fresh: Path, source: Path) -> None:
    try:
        with contextlib.closing(sqlite3.connect(fresh)) as copy:
            sound = copy.execute("PRAGMA quick_check").fetchone() == ("ok",)
    except sqlite3.DatabaseError:
        sound = False
    if not sound:
        raise CommandRefused(f"{source} is damaged or no database; nothing was changed")
    db = Database.open(f"sqlite:///{fresh}")
    try:
        state = schema_state(db)
    finally:
        db.close()
    for suffix in ("-wal", "-shm"):
        fresh.with_name(fresh.name + suffix).unlink(missing_ok=True)
    if state not in (SchemaState.CURRENT, SchemaState.OLDER):
        raise CommandRefused(f"{source} is no backup of FluenzR; nothing was changed")


def _set_aside(path: Path, now: datetime) -> None:
    # What the write-ahead log still holds goes into the file first.
    with contextlib.closing(sqlite3.connect(path)) as old:
        old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    os.replace(path, path.with_name(f"{path.name}.before-restore-{now:%Y%m%d-%H%M%S}"))
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _sqlite_path(settings: Settings) -> Path:
    name = make_url(settings.database_url).database
    if not name:
        raise CommandRefused("a database in memory cannot be backed up")
    return Path(name)


def _run_postgres(program: str, arguments: list[str], settings: Settings) -> None:
    found = shutil.which(program)
    if found is None:
        raise CommandRefused(f"{program} is needed for that; install PostgreSQL's client programs")
    url = make_url(settings.database_url).set(drivername="postgresql")
    environment = {**os.environ, "PGPASSWORD": url.password or ""}
    plain = url.set(password=None).render_as_string(hide_password=False)
    where = [f"--dbname={plain}"]
    done = subprocess.run(  # noqa: S603 - a fixed program and our own arguments
        [found, *where, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise CommandRefused(f"{program} failed: {done.stderr.strip()[-500:]}")
