"""Who may read the database's files: the user of the installation alone, also in a directory that others may enter."""

from pathlib import Path

import pytest
from sqlalchemy import text

from fluenzr_app.db.engine import Database


def modes(folder: Path) -> set[str]:
    return {f"{path.suffix} {path.stat().st_mode & 0o777:o}" for path in folder.iterdir()}


def test_a_new_sqlite_file_and_those_beside_it_are_for_this_user_only(tmp_path: Path):
    tmp_path.chmod(0o755)
    database = Database.open(f"sqlite:///{tmp_path / 'fluenzr.sqlite3'}")
    with database.transaction() as session:
        session.connection().execute(text("CREATE TABLE one (id INTEGER)"))
        assert modes(tmp_path) == {".sqlite3 600", ".sqlite3-wal 600", ".sqlite3-shm 600"}
    database.close()


@pytest.mark.parametrize("mode", [0o640, 0o660])
def test_a_file_that_was_there_keeps_the_mode_that_somebody_gave_it(tmp_path: Path, mode: int):
    file = tmp_path / "fluenzr.sqlite3"
    for _ in range(2):
        database = Database.open(f"sqlite:///{file}")
        with database.transaction() as session:
            session.connection().execute(text("CREATE TABLE IF NOT EXISTS one (id INTEGER)"))
        database.close()
        file.chmod(mode)
    assert file.stat().st_mode & 0o777 == mode
