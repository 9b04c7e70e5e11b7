"""`/healthz`: the process answers. `/readyz`: it can do its work (platform.md, Operation)."""

import logging
from collections.abc import Mapping
from datetime import timedelta

from fastapi import APIRouter, Response
from sqlalchemy import func, text
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, col, select

from fluenzr_app.api.cookies import Services
from fluenzr_app.api.envelope import Answer, ApiError, json_response
from fluenzr_app.api.runtime import ApiRuntime
from fluenzr_app.clock import utc_now
from fluenzr_app.db.migrations import SchemaState, schema_state
from fluenzr_app.sending.models import Worker

logger = logging.getLogger(__name__)
router = APIRouter()

SILENT_AFTER = timedelta(seconds=60)
_SCHEMA_WORDS: Mapping[SchemaState, str] = {
    SchemaState.EMPTY: "the database has no schema yet; run “fluenzr migrate”",
    SchemaState.OLDER: "the database has an older schema; run “fluenzr migrate”",
    SchemaState.FOREIGN: "the database was written by a later version or another program",
}


@router.get("/healthz")
def alive() -> Response:
    """Answer, which is all that is asked."""
    return json_response(Answer({"status": "ok"}).body())


@router.get("/readyz")
async def ready(runtime: Services) -> Response:
    """Answer 200 when the database takes writes, its schema is current and every check passes, else 503 and why."""
    problems = await runtime.database.run(_problems, runtime)
    if problems:
        return ApiError(503, "NOT_READY", "; ".join(problems.values()), problems).response()
    return json_response(Answer({"status": "ok"}).body())


def _problems(runtime: ApiRuntime) -> dict[str, str]:
    try:
        with runtime.database.transaction() as session:
            # Takes the write lock and touches a page, without leaving anything behind.
            session.connection().execute(text("UPDATE installation SET generation = generation WHERE id = 1"))
    except SQLAlchemyError as error:
        logger.error("the database takes no writes", extra={"kind": type(error).__name__})
        return {"database": "the database takes no writes"}
    state = schema_state(runtime.database)
    if state is not SchemaState.CURRENT:
        return {"schema": _SCHEMA_WORDS[state]}
    with runtime.database.read() as session:
        found = {name: check(session) for name, check in runtime.checks.items()}
        return {name: words for name, words in found.items() if words}


def scheduler_check(session: Session) -> str | None:
    """Return what is wrong when no worker has beaten for a minute of the wall clock; one of the roof's `checks`."""
    last = session.exec(select(func.max(col(Worker.beat_at)))).first()
    if last is None:
        return "the scheduler has not started yet"
    if utc_now() - last > SILENT_AFTER:
        return f"the scheduler has been silent since {last.isoformat(timespec='seconds')}"
    return None
