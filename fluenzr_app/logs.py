"""JSON log lines on stderr, with ids of what is going on and no personal data."""

import contextlib
import contextvars
import json
import logging
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

_bound: contextvars.ContextVar[dict[str, object] | None] = contextvars.ContextVar("fluenzr_log_ids", default=None)
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
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def configure(level: str = "INFO") -> None:
    """Send every logger of the process to stderr as JSON lines from `level` on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("apscheduler", "httpx", "httpcore", "alembic", "uvicorn.access", "engineio", "socketio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
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
