"""Guarantee 10: a restored database sends nothing by itself."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from fluenzr_app.db.engine import Database
from fluenzr_app.sending import generation, workers

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)


class Machine:
    """A data directory that looks at a database."""

    def __init__(self, db: Database, folder: Path, *, may_join: bool = False) -> None:
        self.db, self.folder, self.may_join, self.wall = db, folder, may_join, NOW

    def check(self) -> str | None:
        with self.db.transaction() as session:
            held = generation.check(session, self.folder, self.wall, may_join=self.may_join)
        return None if held is None else held.reason

    def grow(self, times: int = 1) -> None:
        for _ in range(times):
            with self.db.transaction() as session:
                generation.grow(session, self.folder, self.wall)

    def release(self) -> None:
        with self.db.transaction() as session:
            generation.release(session, self.folder, self.wall)

    def saved(self) -> dict[str, object]:
        with self.db.read() as session:
            return dict(session.connection().execute(text("SELECT * FROM installation")).one()._mapping)

    def put_back(self, saved: dict[str, object]) -> None:
        sets = ", ".join(f"{name} = :{name}" for name in saved if name != "id")
        with self.db.transaction() as session:
            session.connection().execute(text(f"UPDATE installation SET {sets} WHERE id = 1"), saved)


@pytest.fixture
def machine(database: Database, tmp_path: Path) -> Machine:
    return Machine(database, tmp_path / "one")


def test_a_new_installation_is_believed(machine: Machine) -> None:
    assert machine.check() is None
    machine.grow(3)
    assert machine.check() is None


def test_several_workers_begin_with_a_fresh_database_at_the_same_moment(machine: Machine, tmp_path: Path) -> None:
    together = threading.Barrier(4)

    def begin(number: int) -> str | None:
        together.wait(30)
        return Machine(machine.db, tmp_path / str(number), may_join=True).check()

    with ThreadPoolExecutor(4) as workers_at_once:
        assert list(workers_at_once.map(begin, range(4))) == [None] * 4


@pytest.mark.parametrize("later", [2, 3, 25])
def test_an_earlier_state_is_held_however_little_has_happened_since(machine: Machine, later: int) -> None:
    machine.check()
    machine.grow(2)
    saved = machine.saved()
    machine.grow(later)
    machine.put_back(saved)
    assert machine.check() == "restored"
    assert machine.check() == "restored", "it stays held"


def test_the_state_just_before_is_held_once_the_last_growth_is_known_to_be_stored(machine: Machine) -> None:
    machine.grow(2)
    saved = machine.saved()
    machine.grow()
    assert machine.check() is None
    machine.put_back(saved)
    assert machine.check() == "restored"


def test_a_crash_between_the_file_and_the_database_is_no_restore(machine: Machine) -> None:
    machine.grow(3)
    with pytest.raises(RuntimeError), machine.db.transaction() as session:  # noqa: PT012
        generation.grow(session, machine.folder, machine.wall)
        raise RuntimeError("killed before the commit")
    assert machine.check() is None
    machine.grow()
    assert machine.check() is None


def test_crash_after_crash_is_no_restore(machine: Machine) -> None:
    machine.grow(3)
    for _ in range(30):
        with pytest.raises(RuntimeError), machine.db.transaction() as session:  # noqa: PT012
            generation.grow(session, machine.folder, machine.wall)
            raise RuntimeError("killed before the commit")
        assert machine.check() is None


@pytest.mark.parametrize("content", ["", "{", "[1, 2]", '{"a": 1}', "[[1]]", '[["x", "y"]]', "null"])
def test_an_unreadable_file_is_no_licence_to_send(machine: Machine, content: str) -> None:
    machine.grow(3)
    (machine.folder / generation.FILE).write_text(content)
    assert machine.check() == "restored"


def test_bytes_that_are_no_text_are_no_licence_to_send(machine: Machine) -> None:
    machine.grow(3)
    (machine.folder / generation.FILE).write_bytes(b"\xff\xfe\x00\x81")
    assert machine.check() == "restored"


def test_a_database_put_beside_an_empty_data_directory_is_held(machine: Machine, tmp_path: Path) -> None:
    machine.grow(3)
    assert Machine(machine.db, tmp_path / "two").check() == "restored"


def test_a_heartbeat_of_the_copy_does_not_pass_for_another_machine_on_sqlite(machine: Machine, tmp_path: Path) -> None:
    machine.grow(3)
    with machine.db.transaction() as session:
        workers.enlist(session, "old", {}, NOW - timedelta(seconds=5), NOW)
        workers.enlist(session, "new", {}, NOW, NOW)
    assert Machine(machine.db, tmp_path / "two", may_join=False).check() == "restored"


def test_a_second_machine_joins_while_the_first_one_lives(machine: Machine, tmp_path: Path) -> None:
    machine.grow(3)
    second = Machine(machine.db, tmp_path / "two", may_join=True)
    with machine.db.transaction() as session:
        workers.enlist(session, "first", {}, NOW, NOW)
        workers.enlist(session, "second", {}, NOW, NOW)
    assert second.check() is None
    for _ in range(3):
        second.grow()
        machine.grow()
        assert machine.check() is None
        assert second.check() is None


def test_both_machines_recognise_a_restore(machine: Machine, tmp_path: Path) -> None:
    second = Machine(machine.db, tmp_path / "two", may_join=True)
    machine.grow(3)
    saved = machine.saved()
    second.folder.mkdir()
    (second.folder / generation.FILE).write_text((machine.folder / generation.FILE).read_text())
    machine.grow(2)
    second.grow(2)
    machine.put_back(saved)
    assert second.check() == "restored"
    machine.put_back(saved)
    assert machine.check() == "restored"


def test_release_believes_the_database_and_no_earlier_one(machine: Machine) -> None:
    machine.grow(3)
    saved = machine.saved()
    machine.grow(3)
    newest = machine.saved()
    machine.put_back(saved)
    assert machine.check() == "restored"
    machine.release()
    assert machine.check() is None
    machine.grow()
    for state in (saved, newest):
        machine.put_back(state)
        assert machine.check() == "restored"


@pytest.mark.parametrize(("hours", "held"), [(71, None), (73, "stood_still")])
def test_three_days_of_silence_hold_everything(machine: Machine, hours: int, held: str | None) -> None:
    machine.grow(2)
    machine.wall = NOW + timedelta(hours=hours)
    assert machine.check() == held
    machine.release()
    assert machine.check() is None
