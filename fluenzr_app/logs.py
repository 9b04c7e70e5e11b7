"""JSON log lines on stderr, with ids of what is going on and no personal data."""

import contextlib
import contextvars
import json
import logging
import sys
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime

_bound: contextvars.ContextVar[dict[str, object] | None] = contextvars.ContextVar("fluenzr_log_ids", default=None)
_QUOTING = frozenset({"reflex", "reflex_base", "engineio", "socketio"})
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, bound ids and the record's extras."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line for `record`, without line breaks."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **(_bound.get() or {}),
        }
        line.update({key: value for key, value in vars(record).items() if key not in _STANDARD})
        if record.exc_info:
            line["error"] = _places(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False, default=str)


def _places(error: BaseException | None) -> str:
    """Return the kinds and places of an error and of those that led to it, without their words.

    A database's error quotes the row it failed on, a parser's the text; both may be somebody's data.
    """
    told: list[str] = []
    while error is not None and len(told) < 5:
        told.append(f"{type(error).__name__}\n{''.join(traceback.format_tb(error.__traceback__))}")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "caused by ".join(told)


def _unquoted(record: logging.LogRecord) -> bool:
    """Take the words out of what the pages' library logs: it quotes what browsers sent and what variables hold."""
    if record.name.partition(".")[0] in _QUOTING:
        record.msg, record.args = "the pages' library says something at this place", None
        vars(record)["place"] = f"{record.filename}:{record.lineno} {record.funcName}"
    return True


def configure(level: str = "INFO") -> None:
    """Send every logger of the process to stderr as JSON lines from `level` on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    handler.addFilter(_unquoted)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("apscheduler", "httpx", "httpcore", "alembic", "uvicorn.access", "engineio", "socketio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    logging.getLogger("reflex.experimental").setLevel(logging.ERROR)
    for named in ("uvicorn", "uvicorn.error"):
        logging.getLogger(named).handlers[:] = []
        logging.getLogger(named).propagate = True


@contextlib.contextmanager
def bind(**ids: object) -> Iterator[None]:
    """Add `ids` (request_id, tick_id …) to every line logged inside the block."""
    token = _bound.set({**(_bound.get() or {}), **ids})
    try:
        yield
    finally:
        _bound.reset(token)
