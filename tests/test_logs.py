"""What goes into the log: ids and places, and nothing that somebody typed or that a row holds."""

import io
import json
import logging
import sys
from collections.abc import Iterator

import pytest

from fluenzr_app import logs

WORDS = "zebulon@quincaillerie.example"


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What is logged as a server logs it; the root logger is as it was before afterwards."""
    root, stream = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers[:], root.level
    monkeypatch.setattr(sys, "stderr", stream)
    logs.configure("INFO")
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)


def test_an_error_is_logged_with_its_kind_its_cause_and_their_places_without_their_words(written: io.StringIO):
    try:
        try:
            raise KeyError(WORDS)
        except KeyError as cause:
            raise RuntimeError(f"no row for {WORDS}") from cause
    except RuntimeError:
        logging.getLogger("fluenzr_app.somewhere").exception("something failed", extra={"message_id": 7})
    told = json.loads(written.getvalue())
    assert (told["message"], told["message_id"], told["level"]) == ("something failed", 7, "error")
    assert told["error"].startswith("RuntimeError\n")
    assert "caused by KeyError" in told["error"]
    assert "test_logs.py" in told["error"]
    assert WORDS not in told["error"]


def test_errors_that_lead_to_each_other_end(written: io.StringIO):
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    logging.getLogger("fluenzr_app").error("round", exc_info=first)
    assert json.loads(written.getvalue())["error"].count("ValueError") == 5


@pytest.mark.parametrize("library", ["reflex.app", "reflex_base.vars.base", "engineio.server", "socketio.server"])
def test_what_the_pages_library_quotes_of_its_clients_is_left_out(written: io.StringIO, library: str):
    logger = logging.getLogger(library)
    level = logger.level
    # The library sets its own where a site runs in this process.
    logger.setLevel(logging.NOTSET)
    logger.warning("Event data: %s", {"email": WORDS})
    logger.setLevel(level)
    text = written.getvalue()
    assert WORDS not in text
    assert json.loads(text)["logger"] == library
    assert "test_logs.py" in json.loads(text)["place"]


def test_bound_ids_stand_on_every_line(written: io.StringIO):
    with logs.bind(request_id="r1"):
        logging.getLogger("fluenzr_app").info("one")
    logging.getLogger("fluenzr_app").info("two")
    first, second = (json.loads(line) for line in written.getvalue().splitlines())
    assert first["request_id"] == "r1"
    assert "request_id" not in second
