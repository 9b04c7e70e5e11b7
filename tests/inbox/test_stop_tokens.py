"""The subject by which a mail program unsubscribes is read whatever its token looks like."""

import random
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest

from fluenzr_app.crypto import KeyRing
from fluenzr_app.inbox.prepared import Place, prepare
from fluenzr_app.tracking.unsubscribe import UnsubscribeLink, make_token, unsubscribe_mailto

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
PLACE = Place(1, 1, "lea@rivage.example", "INBOX", 1, 1, NOW)


def _read(subject: str) -> str:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "p0@firm0.example", "lea@rivage.example", subject
    mail.set_content("")
    raw = mail.as_bytes()
    return prepare(PLACE, raw, len(raw), NOW).stop_token


def test_tokens_that_begin_with_a_hyphen_are_read_whole(keyring: KeyRing) -> None:
    chance, beginnings = random.Random(5), set[str]()
    for number in range(1, 2_000):
        token = make_token(keyring, UnsubscribeLink(1, number, chance.randbytes(32), number, 1, 1, 1))
        if token[0] in beginnings:
            continue
        beginnings.add(token[0])
        asked = unsubscribe_mailto("lea@rivage.example", token).partition("?subject=")[2].replace("%20", " ")
        assert _read(asked) == token
    assert {"-", "_"} <= beginnings


@pytest.mark.parametrize(
    "before", ["Re: unsubscribe ", "UNSUBSCRIBE: ", "unsubscribe:", "Unsubscribe - ", "unsubscribe  "]
)
def test_what_mail_programs_make_of_it_is_read_too(before: str) -> None:
    for token in ("-" + "aB3_" * 20, "aB3_" * 20):
        assert _read(before + token) == token
