"""Every error code of accounts.md has words in both languages, set as design/README.md asks."""

import re
from dataclasses import asdict
from typing import get_args

import pytest

from fluenzr_app.accounts.health import PRIVATE_NETWORK_REFUSED
from fluenzr_app.accounts.mailbox_words import MAILBOX_WORDS, mailbox_words
from fluenzr_app.accounts.words import WORDS, ErrorWords, words_for
from fluenzr_app.mail.mailbox import MailboxCode
from fluenzr_app.mail.transport import AccountErrorCode


def test_every_error_code_has_words() -> None:
    assert {*get_args(AccountErrorCode), PRIVATE_NETWORK_REFUSED} == set(WORDS)


def test_every_way_in_which_a_mailbox_fails_has_words() -> None:
    assert {code for part in get_args(MailboxCode) for code in get_args(part)} == set(MAILBOX_WORDS)


@pytest.mark.parametrize(
    "words",
    [words_for(code) for code in (*WORDS, "something new", None)]
    + [mailbox_words(code) for code in (*MAILBOX_WORDS, "something new", None)],
)
def test_words_follow_the_rules_of_the_product(words: ErrorWords) -> None:
    for name, text in asdict(words).items():
        if name == "act":
            continue
        assert text.endswith("."), text
        assert not re.search(r"[!'\"]", text), text
    for text in (words.fr, words.mend_fr):
        # French asks for a narrow or a wide fixed space before these signs.
        assert not re.search(r"(?<![\u00a0\u202f])[:;?!%€]", text), text


def test_words_come_in_the_language_asked_for() -> None:
    words = words_for("auth_failed")
    assert words.what("fr").startswith("Le serveur refuse")
    assert words.what("en").startswith("The server refuses")
    assert words.mend("fr").startswith("Saisissez")
    assert words.mend("en").startswith("Enter")
