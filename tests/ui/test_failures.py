"""A handler that fails tells the reader in his language and the log without anybody's data."""

import logging

import pytest

from fluenzr_app.accounts.errors import BadAccountForm, FieldFault
from fluenzr_app.accounts.form import _address
from fluenzr_app.ui.failures import in_words, on_backend_failure, on_frontend_failure
from fluenzr_app.ui.guard import SignedOut
from fluenzr_app.ui.pages.accounts_probe import faults_in_words
from fluenzr_app.workspaces.errors import EmailTaken, NotAllowed, PasswordRefused, UnknownUser


def test_an_ended_session_leads_to_the_sign_in():
    assert "/sign-in" in str(on_backend_failure(SignedOut()))


def test_what_only_an_admin_may_do_is_said_in_words():
    told = str(on_backend_failure(NotAllowed()))
    assert "Seul un administrateur" in told
    assert "Only an admin" in told


def test_an_unforeseen_error_gives_a_number_that_the_log_has_too_and_no_data(caplog: pytest.LogCaptureFixture):
    row = "camille@" + "rivage.example"

    def fail() -> None:
        raise ValueError(row)

    with caplog.at_level(logging.ERROR), pytest.raises(ValueError) as raised:
        fail()
    told = str(on_backend_failure(raised.value))
    record = vars(caplog.records[-1])
    assert record["failure"] in told
    assert (record["kind"], "in fail" in record["places"]) == ("ValueError", True)
    assert row not in told + str(record)


def test_an_error_in_a_browser_is_logged_in_one_short_line(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.WARNING):
        on_frontend_failure(Exception("x" * 1000 + "\nstack\nstack"))
    assert vars(caplog.records[-1])["detail"] == "x" * 300


def test_a_rooms_error_is_said_in_the_readers_language_with_its_values():
    error = EmailTaken("camille@rivage.example")
    assert in_words("fr", error, "first_start") == "camille@rivage.example est déjà utilisé ici."
    assert in_words("en", PasswordRefused("password_too_short", "", minimum=12), "first_start") == (
        "It takes at least 12 characters."
    )


def test_an_error_without_words_of_ours_says_its_own():
    assert in_words("fr", UnknownUser(), "first_start") == "There is no such user."


def test_each_fault_of_an_address_is_said_in_the_language_of_the_reader():
    for address in ("", "marc", "a b@rivage.example", "marc@-.example", "marc@rivage", "m" * 300 + "@rivage.example"):
        faults: list[FieldFault] = []
        assert _address(address, faults) is None
        for lang in ("fr", "en"):
            assert faults_in_words(lang, BadAccountForm(faults))["email"] != faults[0].message
