"""Each mail of the table, as far as it can be judged without a database."""

import time
from datetime import UTC, datetime

import pytest

from fluenzr_app.mail.abuse import abuse_report
from fluenzr_app.mail.automatic import automatic
from fluenzr_app.mail.incoming import parse
from fluenzr_app.mail.quoted import split
from fluenzr_app.mail.stop_words import asks_to_stop
from tests.mail.incoming_mails import Context
from tests.mail.incoming_table import CASES, Case

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
CONTEXT = Context()


def test_the_table_is_large_and_its_names_differ() -> None:
    assert len(CASES) >= 70
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_mail_of_the_table_is_read_as_it_says(case: Case) -> None:
    raw = case.raw(CONTEXT)
    began = time.thread_time()
    mail = parse(raw)
    parts = split(mail)
    found = automatic(mail, parts.new, NOW)
    stops = asks_to_stop(parts.new)
    took = time.thread_time() - began
    assert took < 1
    if case.new_text is not None:
        assert parts.new == case.new_text
    assert (abuse_report(raw) is not None) == (case.expected == "abuse")
    if case.expected in ("automatic", "reply"):
        assert (found is not None) == (case.expected == "automatic"), found
        assert stops == (case.effect == "asks")
    assert (found.returns_on if found else None) == case.returns_on


@pytest.mark.parametrize("case", [case for case in CASES if case.expected == "reply"], ids=lambda case: case.name)
def test_a_reply_names_its_sender_and_where_the_thread_was_kept_the_mail_it_answers(case: Case) -> None:
    mail = parse(case.raw(CONTEXT))
    assert mail.sender.key == CONTEXT.contact_address
    assert CONTEXT.rfc_id in (*mail.in_reply_to, *mail.references) or case.name == "In-Reply-To lost"
