"""What both databases promise alike."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from fluenzr_app.clock import ManualClock
from fluenzr_app.db.engine import Database
from fluenzr_app.workspaces.models import Workspace


def test_accented_capitals_are_found_by_their_small_letters(database: Database) -> None:
    with database.read() as session:
        assert session.connection().execute(text("SELECT lower('ÀÉÎÕÜ Ça')")).scalar_one() == "àéîõü ça"


def test_a_reader_cannot_write(database: Database, clock: ManualClock) -> None:
    with database.read() as session:
        session.add(Workspace(name="x", suppression_key_id="none", created_at=clock.now()))
        with pytest.raises(DBAPIError):
            session.flush()
    with database.transaction() as session:
        session.add(Workspace(name="x", suppression_key_id="none", created_at=clock.now()))


def test_a_transaction_that_fails_leaves_nothing(database: Database, clock: ManualClock) -> None:
    def stored_then_broken() -> None:
        with database.transaction() as session:
            session.add(Workspace(name="x", suppression_key_id="none", created_at=clock.now()))
            session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        stored_then_broken()
    with database.read() as session:
        assert session.connection().execute(text("SELECT count(*) FROM workspace")).scalar_one() == 0


def test_the_words_of_a_failed_statement_carry_no_values(database: Database) -> None:
    with pytest.raises(DBAPIError) as failed, database.transaction() as session:
        session.connection().execute(
            text("INSERT INTO workspace (nothing_like_that) VALUES (:value)"), {"value": "someone@rivage.example"}
        )
    assert "someone@rivage.example" not in str(failed.value)
