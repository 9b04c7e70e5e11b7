"""`/healthz` and `/readyz`."""

from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from fluenzr_app.api.app import create_api
from fluenzr_app.api.health import scheduler_check
from fluenzr_app.api.runtime import ApiRuntime
from fluenzr_app.clock import utc_now
from fluenzr_app.db.engine import Database
from fluenzr_app.db.migrations import migrate
from fluenzr_app.sending.models import Worker
from tests.api.conftest import browser
from tests.api.test_gate import error_of


@pytest.fixture
def database(tmp_path):
    """A database whose schema came by its migrations."""
    opened = Database.open(f"sqlite:///{tmp_path / 'fluenzr.sqlite3'}")
    migrate(opened)
    yield opened
    opened.close()


def problems_of(answer) -> dict:
    error = error_of(answer)
    assert (answer.status_code, error["code"]) == (503, "NOT_READY")
    return error["details"]


def test_an_older_schema_is_told(runtime: ApiRuntime, nobody: TestClient):
    with runtime.database.engine.connect() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'of_another_program'")
        connection.commit()
    answer = nobody.get("/readyz")
    assert problems_of(answer) == {"schema": "the database was written by a later version or another program"}


def test_the_process_answers_whatever_else_is_wrong(runtime: ApiRuntime, nobody: TestClient):
    runtime.database.engine.dispose()
    assert nobody.get("/healthz").json() == {"success": True, "data": {"status": "ok"}}


def test_ready_is_whoever_has_a_database_to_write_to(nobody: TestClient):
    answer = nobody.get("/readyz")
    assert (answer.status_code, answer.json()["data"]) == (200, {"status": "ok"})


def test_a_database_that_takes_no_writes_is_told(runtime: ApiRuntime, nobody: TestClient):
    with runtime.database.engine.connect() as connection:
        connection.exec_driver_sql("DROP TABLE installation")
        connection.commit()
    answer = nobody.get("/readyz")
    assert problems_of(answer) == {"database": "the database takes no writes"}


def test_a_silent_scheduler_is_told(runtime: ApiRuntime):
    api = create_api(
        ApiRuntime(
            runtime.settings, runtime.database, runtime.keyring, runtime.clock, checks={"scheduler": scheduler_check}
        )
    )

    def beat(ago: timedelta) -> None:
        with runtime.database.transaction() as session:
            row = session.get(Worker, 1) or Worker(name="one", started_at=utc_now(), beat_at=utc_now())
            row.beat_at = utc_now() - ago
            session.add(row)

    with browser(api) as client:
        assert problems_of(client.get("/readyz")) == {"scheduler": "the scheduler has not started yet"}
        beat(timedelta(seconds=5))
        assert client.get("/readyz").status_code == 200
        beat(timedelta(minutes=2))
        answer = client.get("/readyz")
    assert problems_of(answer)["scheduler"].startswith("the scheduler has been silent since")
