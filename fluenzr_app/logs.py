"""JSON log lines on stderr, with ids of what is going on and no personal data."""

import contextlib
import contextvars
import json
import logging
import os
import sys
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

_bound: contextvars.ContextVar[dict[str, object] | None] = contextvars.ContextVar("fluenzr_log_ids", default=None)
_QUOTING = frozenset({"reflex", "reflex_base", "engineio", "socketio"})
WARNINGS = "warnings.log"
_KEPT_BYTES = 256 * 1024
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


class _PrivateFile(RotatingFileHandler):
    """A file of limited size that only its owner may read."""

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return os.fdopen(descriptor, "a", encoding="utf-8")


def keep_warnings(data_dir: Path) -> None:
    """Write warnings and errors into a file of the data directory too, the last few hundred, for the support file."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    handler = _PrivateFile(data_dir / WARNINGS, maxBytes=_KEPT_BYTES, backupCount=1, encoding="utf-8", delay=True)
    handler.setLevel(logging.WARNING)
    handler.setFormatter(JsonFormatter())
    handler.addFilter(_unquoted)
    logging.getLogger().addHandler(handler)


def last_warnings(data_dir: Path, most: int = 100) -> list[dict[str, object]]:
    """Return the last warnings and errors that were kept, oldest first; empty where none were or none can be read."""
    lines: list[str] = []
    for name in (f"{WARNINGS}.1", WARNINGS):
        with contextlib.suppress(OSError):
            lines += (data_dir / name).read_text(encoding="utf-8", errors="replace").splitlines()
    found = []
    for line in lines[-most:]:
        # A line may be half written as it is read.
        with contextlib.suppress(ValueError):
            told = json.loads(line)
            if isinstance(told, dict):
                found.append(told)
    return found


@contextlib.contextmanager
def bind(**ids: object) -> Iterator[None]:
    """Add `ids` (request_id, tick_id …) to every line logged inside the block."""
    token = _bound.set({**(_bound.get() or {}), **ids})
    try:
        yield
    finally:
        _bound.reset(token)
