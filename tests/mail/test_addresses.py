"""When two addresses are one, and what is no address at all."""

import time

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st

from fluenzr_app.mail.addresses import check_syntax, display, domain_of, email_key, wire_address
from fluenzr_app.mail.errors import BadAddress


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("Anna@Client.Example", "anna@client.example"),
        ("  anna@client.example\n", "anna@client.example"),
        ("anna@MÜLLER.example", "anna@xn--mller-kva.example"),
        ("anna@xn--MLLER-KVA.example", "anna@xn--mller-kva.example"),
        ("JÖRG@client.example", "jörg@client.example"),
        ("Straße@client.example", "strasse@client.example"),
        ("o'neil+tag@client.example", "o'neil+tag@client.example"),
        ("a.n.n.a@gmail.example", "a.n.n.a@gmail.example"),
        ("anna@sub-1.client.co.example", "anna@sub-1.client.co.example"),
    ],
)
def test_the_key_ignores_case_and_spelling_of_the_domain_only(address: str, key: str) -> None:
    assert email_key(address) == key
    assert email_key(key) == key


def test_dots_and_plus_tags_tell_addresses_apart() -> None:
    assert len({email_key(each) for each in ("ab@x.example", "a.b@x.example", "ab+c@x.example")}) == 3


def test_the_two_spellings_of_an_accent_are_one() -> None:
    assert email_key("jo\u0308rg@x.example") == email_key("jörg@x.example")


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("anna", "no_at"),
        ("@x.example", "bad_local"),
        ("anna @x.example", "bad_local"),
        ("an,na@x.example", "bad_local"),
        ("anna@b@x.example", "bad_local"),
        ("anna\nb@x.example", "bad_local"),
        ("anna\u2028b@x.example", "bad_local"),
        ("anna@", "bad_domain"),
        ("anna@localhost", "no_dot"),
        ("anna@x..example", "bad_domain"),
        ("anna@-x.example", "bad_domain"),
        ("anna@x_y.example", "bad_domain"),
        ("anna@x.example.", "bad_domain"),
        ("anna@192.0.2.1", "bad_domain"),
        ("anna@[192.0.2.1]", "bad_domain"),
        ("anna@x.exam ple", "bad_domain"),
        ("anna@x.example>", "bad_domain"),
        ("a" * 65 + "@x.example", "too_long"),
        ("é" * 40 + "@x.example", "too_long"),
        ("anna@" + "a." * 130 + "example", "too_long"),
    ],
)
def test_what_is_no_address_is_refused_with_a_reason(address: str, code: str) -> None:
    with pytest.raises(BadAddress) as caught:
        email_key(address)
    assert caught.value.code == code
    assert str(caught.value)


@given(st.text(max_size=60))
def test_any_text_either_has_a_stable_key_or_is_refused(text: str) -> None:
    try:
        key = email_key(text)
    except BadAddress:
        return
    assert email_key(key) == key
    assert not set(key) & set("\r\n\0 ")


@pytest.mark.parametrize("address", ["a..b@x.example", ".a@x.example", "a.@x.example", "nope", "a@b"])
def test_syntax_is_stricter_than_the_key(address: str) -> None:
    with pytest.raises(BadAddress):
        check_syntax(address)


def test_a_checked_address_tells_all_that_an_import_needs() -> None:
    checked = check_syntax("Jörg@MÜLLER.example")
    assert (checked.key, checked.domain, checked.smtputf8) == (
        "jörg@xn--mller-kva.example", "xn--mller-kva.example", True,
    )  # fmt: skip
    assert checked.address == "Jörg@müller.example"
    for address in ("anna@client.test", "anna@corp.local"):
        assert not check_syntax(address).smtputf8


@given(st.text(st.sampled_from("aZ9.+-_'!#\"(,;é@"), max_size=70))
def test_the_fast_way_agrees_with_the_library(local: str) -> None:
    try:
        expected = validate_email(f"{local}@x.example", check_deliverability=False).local_part
    except EmailNotValidError:
        expected = None
    try:
        found = check_syntax(f"{local}@x.example").address.removesuffix("@x.example")
    except BadAddress:
        found = None
    assert found == expected


def test_the_wire_keeps_the_case_of_the_local_part() -> None:
    assert wire_address("Anna.B@MÜLLER.example").address == "Anna.B@xn--mller-kva.example"
    assert domain_of("Anna@Client.Example") == "client.example"


def test_a_name_is_shown_before_its_address() -> None:
    assert display(" Anna \n Weiß ", "anna@x.example") == "Anna Weiß <anna@x.example>"
    assert display(None, "anna@x.example") == "anna@x.example"


def test_a_hundred_thousand_keys_take_less_than_a_second() -> None:
    addresses = [f"Person.{number}@client{number % 500}.example" for number in range(100_000)]
    start = time.thread_time()
    assert len({email_key(address) for address in addresses}) == 100_000
    assert time.thread_time() - start < 1.0
