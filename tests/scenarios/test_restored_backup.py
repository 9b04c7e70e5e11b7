"""Guarantee 10: a restored backup sends nothing by itself."""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from fluenzr_app.commands import backups
from fluenzr_app.db.engine import Database
from fluenzr_app.sending.generation import hold_of
from fluenzr_app.settings import Settings
from tests.real.counting_smtp import Behaviour, StartCountingSmtp
from tests.scenarios.world import World, build, wait_until

SERVER = Behaviour(latency_ms=(150, 250), user="anyone", password="secret")
# Ten mails a second, so that there is something left to send when a copy is made.
TWO = "2"


def test_a_backup_put_back_sends_nothing_until_it_is_released(tmp_path: Path, counting_smtp: StartCountingSmtp) -> None:
    server = counting_smtp(SERVER)
    world = build(tmp_path, [server.port], 60)
    saved = tmp_path / "saved.db"
    worker = world.worker(FLUENZR_CONNECTIONS_PER_ACCOUNT=TWO)
    wait_until(lambda: server.accepted().total() >= 10, 30, worker)
    # Here rather than in a process that takes as long to start as the mails to leave.
    backups.backup(world.settings, saved)
    wait_until(lambda: world.statuses() == {"sent": 60}, 60, worker)
    worker.stop()
    world.db.close()
    _fluenzr(world.settings, "restore", str(saved))
    again = replace(world, settings=world.settings, db=Database.open(world.settings))
    assert again.statuses() != {"sent": 60}
    _nothing_leaves(again, server.accepted().total, 60)
    _fluenzr(world.settings, "release")
    last = again.worker(FLUENZR_CONNECTIONS_PER_ACCOUNT=TWO)
    wait_until(lambda: server.accepted().total() > 60, 30, last)
    last.kill()


def test_a_database_file_copied_back_by_hand_sends_nothing(tmp_path: Path, counting_smtp: StartCountingSmtp) -> None:
    server = counting_smtp(SERVER)
    world = build(tmp_path, [server.port], 40)
    worker = world.worker(FLUENZR_CONNECTIONS_PER_ACCOUNT=TWO)
    wait_until(lambda: server.accepted().total() >= 5, 30, worker)
    worker.stop()
    file = Path(world.settings.database_url.removeprefix("sqlite:///"))
    world.db.close()
    copy = tmp_path / "copy.db"
    shutil.copyfile(file, copy)
    again = replace(world, settings=world.settings, db=Database.open(world.settings))
    worker = again.worker(FLUENZR_CONNECTIONS_PER_ACCOUNT=TWO)
    wait_until(lambda: again.statuses() == {"sent": 40}, 60, worker)
    worker.stop()
    again.db.close()
    for suffix in ("-wal", "-shm"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)
    shutil.copyfile(copy, file)
    back = replace(world, settings=world.settings, db=Database.open(world.settings))
    _nothing_leaves(back, server.accepted().total, 40)


def test_a_backup_on_another_machine_sends_nothing(tmp_path: Path, counting_smtp: StartCountingSmtp) -> None:
    server = counting_smtp(SERVER)
    world = build(tmp_path / "old", [server.port], 40)
    worker = world.worker(FLUENZR_CONNECTIONS_PER_ACCOUNT=TWO)
    wait_until(lambda: server.accepted().total() >= 5, 30, worker)
    worker.kill()
    world.db.close()
    file = Path(world.settings.database_url.removeprefix("sqlite:///"))
    new = tmp_path / "new"
    new.mkdir()
    # The write-ahead log belongs to the database.
    for suffix in ("", "-wal"):
        if file.with_name(file.name + suffix).exists():
            shutil.copyfile(file.with_name(file.name + suffix), new / f"fluenzr.sqlite3{suffix}")
    settings = world.settings.model_copy(
        update={"data_dir": new, "database_url": f"sqlite:///{new / 'fluenzr.sqlite3'}"}
    )
    moved = replace(world, settings=settings, db=Database.open(settings))
    _nothing_leaves(moved, server.accepted().total, server.accepted().total())


def test_a_file_that_is_no_backup_changes_nothing(tmp_path: Path, counting_smtp: StartCountingSmtp) -> None:
    server = counting_smtp(SERVER)
    world = build(tmp_path, [server.port], 3)
    wrong = tmp_path / "holiday.jpg"
    wrong.write_bytes(b"\xff\xd8 not a database")
    with pytest.raises(subprocess.CalledProcessError) as refused:
        _fluenzr(world.settings, "restore", str(wrong))
    assert "nothing was changed" in refused.value.stderr
    assert world.walks() == {"pending": 3}


def _nothing_leaves(world: World, count: Callable[[], int], expected: int) -> None:
    worker = world.worker(FLUENZR_CONNECTIONS_PER_ACCOUNT=TWO)
    wait_until(lambda: _is_held(world), 60, worker)
    # Held from its first look at the database on; two more looks change nothing.
    time.sleep(2)
    worker.check_alive()
    assert count() == expected
    worker.stop()


def _is_held(world: World) -> bool:
    with world.db.read() as session:
        return hold_of(session) is not None


def _fluenzr(settings: Settings, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "fluenzr_app", *arguments],
        env={
            "FLUENZR_DATA_DIR": str(settings.data_dir),
            "FLUENZR_DATABASE_URL": settings.database_url,
            "FLUENZR_SECRET_KEY": settings.secret_key or "",
            "PATH": "/usr/bin:/bin",
        },
        cwd=settings.data_dir,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout
