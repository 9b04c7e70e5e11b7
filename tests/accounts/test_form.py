"""A form is checked as a whole before anything is stored or dialled."""

from dataclasses import replace
from typing import cast

import pytest

from fluenzr_app.accounts.errors import BadAccountForm
from fluenzr_app.accounts.form import Limits, Server, SmtpForm, check_form

SMTP = Server("smtp.rivage.example", 587, "starttls", "camille@rivage.example", "pass phrase")
FORM = SmtpForm("Camille@Rivage.example", SMTP, Server("imap.rivage.example", 993, "ssl"))


def faults_of(form: SmtpForm) -> dict[str, str]:
    with pytest.raises(BadAccountForm) as refusal:
        check_form(form)
    assert str(refusal.value)
    return {fault.field: fault.code for fault in refusal.value.faults}


def test_a_right_form_comes_back_in_its_normal_form() -> None:
    form = replace(FORM, smtp=replace(SMTP, host=" SMTP.Rivage.example. ", username=""))
    checked = check_form(form)
    assert checked.address.key == "camille@rivage.example"
    assert checked.smtp.host == "smtp.rivage.example"
    assert checked.smtp.username == "Camille@Rivage.example"
    assert checked.imap is not None
    assert checked.imap.username == ""


def test_all_faults_come_at_once() -> None:
    form = SmtpForm(
        "camille", Server("http://x", 0, "tls", "a\r\nb", ""), Server("", 993, "ssl", "", "a\0b"),
        Limits(daily_limit=0, hourly_limit=-1, min_gap_seconds=True, warming_share=100, display_name="a\nb"),
    )  # fmt: skip
    assert faults_of(form) == {
        "email": "no_at", "smtp.host": "bad_host", "smtp.port": "bad_port", "smtp.encryption": "bad_encryption",
        "smtp.username": "bad_username", "smtp.password": "missing", "imap.host": "missing",
        "imap.password": "bad_password", "daily_limit": "out_of_range", "hourly_limit": "out_of_range",
        "min_gap_seconds": "out_of_range", "warming_share": "out_of_range", "display_name": "bad_name",
    }  # fmt: skip


@pytest.mark.parametrize(
    "host", ["smtp.rivage.example", "localhost", "127.0.0.1", "::1", "[2001:db8::1]", "smtp.été.example"]
)
def test_hosts_may_be_names_or_addresses(host: str) -> None:
    assert check_form(replace(FORM, smtp=replace(SMTP, host=host))).smtp.host.isascii()


@pytest.mark.parametrize(
    "host", ["a b", "smtp..example", "-", "1.2.3", "x/y", "user@host", "smtp.example:587", "a" * 300]
)
def test_what_is_no_host_is_refused(host: str) -> None:
    assert faults_of(replace(FORM, smtp=replace(SMTP, host=host))) == {"smtp.host": "bad_host"}


def test_an_unknown_field_is_no_silent_success() -> None:
    assert faults_of(replace(FORM, limits={"daylyLimit": 3})) == {"daylyLimit": "unknown_field"}  # type: ignore[typeddict-unknown-key]


def test_a_password_is_taken_as_it_is_and_never_shown() -> None:
    form = replace(FORM, smtp=replace(SMTP, password="  näïve ÷ pass "))
    checked = check_form(form)
    assert checked.smtp.password == "  näïve ÷ pass "
    assert "näïve" not in repr(form) + repr(checked) + str(checked.smtp)


@pytest.mark.parametrize("switch", ["ramp_enabled", "copy_to_sent"])
def test_a_switch_is_on_or_off_and_nothing_between(switch: str) -> None:
    def given(value: object) -> SmtpForm:
        return replace(FORM, limits=cast(Limits, {switch: value}))

    assert check_form(given(False)).limits == {switch: False}
    for value in (1, "false", None):
        assert faults_of(given(value)) == {switch: "bad_switch"}
