"""Composed bytes, read back by Python's own parser, which had no part in writing them."""

from __future__ import annotations

import email
import email.policy
import re
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fluenzr_app.mail.compose import Draft, compose, new_rfc_id, reply_subject
from fluenzr_app.mail.errors import BadAddress, BadHeader, NotComposable

DRAFT = Draft(
    rfc_id="<one@anna.example>",
    sender_address="anna@anna.example",
    to_address="zoe@client.example",
    subject="Hello",
    text="Hello Zoé,\n\nhow are you?\n",
    date=datetime(2026, 3, 2, 9, 30, tzinfo=timezone(timedelta(hours=1))),
)

# What one line of a header may hold; whatever a user types is free of these or refused.
header_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), max_size=300)
# The parser itself splits at these, so that they cannot be read back as they were written.
readable_text = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp", "Zs"], include_characters=" "), max_size=300
)
body_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=2000)


def read(raw: bytes) -> EmailMessage:
    return email.message_from_bytes(raw, policy=email.policy.default)


def body_of(part: EmailMessage) -> str:
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode("utf-8").replace("\r\n", "\n")


def assert_well_formed(raw: bytes) -> None:
    """RFC 5322, 2.1 and 2.1.1; the header cannot be left early."""
    assert raw.endswith(b"\r\n")
    assert b"\0" not in raw
    assert raw.count(b"\r\n") == raw.count(b"\n") == raw.count(b"\r")
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    head = raw.partition(b"\r\n\r\n")[0]
    for line in head.split(b"\r\n"):
        assert re.match(rb"[A-Za-z][A-Za-z0-9-]*:|[ \t]+\S", line), line


def test_a_plain_mail_says_what_the_draft_said() -> None:
    composed = compose(DRAFT)
    mail = read(composed.raw)
    assert_well_formed(composed.raw)
    assert mail["From"] == "anna@anna.example"
    assert mail["To"] == "zoe@client.example"
    assert mail["Subject"] == "Hello"
    assert mail["Message-ID"] == "<one@anna.example>"
    assert mail["Date"].datetime == DRAFT.date
    assert mail["MIME-Version"] == "1.0"
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content_charset() == "utf-8"
    assert body_of(mail) == DRAFT.text
    assert (composed.envelope_from, composed.envelope_to, composed.smtputf8) == (
        "anna@anna.example", "zoe@client.example", False,
    )  # fmt: skip


def test_html_comes_with_its_plain_alternative_which_stands_first() -> None:
    mail = read(compose(replace(DRAFT, html="<p>Hello Zoé</p>")).raw)
    assert mail.get_content_type() == "multipart/alternative"
    text, html = cast(list[EmailMessage], mail.get_payload())
    assert (text.get_content_type(), body_of(text)) == ("text/plain", DRAFT.text)
    assert (html.get_content_type(), body_of(html)) == ("text/html", "<p>Hello Zoé</p>\n")
    assert not mail.defects
    assert not text.defects
    assert not html.defects


def test_the_same_draft_gives_the_same_bytes() -> None:
    draft = replace(DRAFT, html="<p>x</p>", sender_name="Zoé")
    assert compose(draft).raw == compose(replace(draft)).raw


@given(body_text, body_text)
@settings(max_examples=150, deadline=None)
def test_any_body_survives_the_journey(text: str, html: str) -> None:
    composed = compose(replace(DRAFT, text=text, html=html))
    assert_well_formed(composed.raw)
    parts = cast(list[EmailMessage], read(composed.raw).get_payload())
    assert [body_of(part) for part in parts] == [_ended(text), _ended(html)]
    assert max(map(len, composed.raw.split(b"\r\n"))) <= 78


@given(body_text)
@settings(max_examples=60, deadline=None)
def test_any_plain_body_survives_the_journey(text: str) -> None:
    composed = compose(replace(DRAFT, text=text))
    assert_well_formed(composed.raw)
    assert body_of(read(composed.raw)) == _ended(text)


def _ended(text: str) -> str:
    return text if text.endswith("\n") else text + "\n"


@given(readable_text)
@settings(max_examples=200, deadline=None)
def test_any_subject_is_read_back_as_it_was_written(subject: str) -> None:
    composed = compose(replace(DRAFT, subject=subject))
    assert_well_formed(composed.raw)
    assert _unfolded(str(read(composed.raw)["Subject"])) == _unfolded(subject)


@given(readable_text)
@settings(max_examples=200, deadline=None)
def test_any_name_is_read_back_as_it_was_written(name: str) -> None:
    composed = compose(replace(DRAFT, sender_name=name, to_name=name))
    assert_well_formed(composed.raw)
    # The old parser, since the new one puts a blank between two encoded words of a name.
    mail = email.message_from_bytes(composed.raw)
    for header, address in (("From", "anna@anna.example"), ("To", "zoe@client.example")):
        found, found_address = parseaddr(mail[header])
        assert found_address == address
        assert _unfolded(str(make_header(decode_header(found)))) == _unfolded(name)


def _unfolded(text: str) -> str:
    # The parser itself folds runs of blanks in places.
    return " ".join(text.split())


@given(header_text, header_text)
@settings(max_examples=200, deadline=None)
def test_no_value_can_break_out_of_its_header(subject: str, name: str) -> None:
    composed = compose(replace(DRAFT, subject=subject, sender_name=name, extra=(("X-Note", subject),)))
    assert_well_formed(composed.raw)
    names = [line.partition(b":")[0] for line in composed.raw.partition(b"\r\n\r\n")[0].split(b"\r\n")
             if not line.startswith((b" ", b"\t"))]  # fmt: skip
    assert names == [
        b"From", b"To", b"Subject", b"Date", b"Message-ID", b"X-Note", b"MIME-Version", b"Content-Type",
        b"Content-Transfer-Encoding",
    ]  # fmt: skip


@pytest.mark.parametrize("evil", ["a\r\nBcc: x@y.example", "a\nb", "a\rb", "a\0b"])
@pytest.mark.parametrize(
    "field", ["subject", "sender_name", "to_name", "rfc_id", "in_reply_to", "unsubscribe_url", "unsubscribe_mailto"]
)
def test_a_line_break_in_a_value_is_refused(field: str, evil: str) -> None:
    with pytest.raises(BadHeader):
        compose(replace(DRAFT, **{field: evil}))  # type: ignore[arg-type]


@pytest.mark.parametrize("evil", ["zoe@client.example\r\nBcc: x@y.example", "a\nb@client.example", "zoe@a\rb.example"])
@pytest.mark.parametrize("field", ["sender_address", "to_address", "reply_to"])
def test_a_line_break_in_an_address_is_refused(field: str, evil: str) -> None:
    with pytest.raises(BadAddress):
        compose(replace(DRAFT, **{field: evil}))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "extra",
    [("X-A", "b\r\nc"), ("X A", "b"), ("X:A", "b"), ("", "b"), ("X-É", "b"), ("Subject", "b"), ("X-A\r\nB", "c"),
     ("bcc", "x@y.example")],
)  # fmt: skip
def test_an_extra_header_is_one_header_of_its_own(extra: tuple[str, str]) -> None:
    with pytest.raises(BadHeader):
        compose(replace(DRAFT, extra=(extra,)))


def test_references_of_a_long_thread_are_folded_and_bounded() -> None:
    thread = tuple(f"<mail-{number}-{'x' * 60}@server{number}.example>" for number in range(200))
    raw = compose(replace(DRAFT, in_reply_to=thread[-1], references=thread)).raw
    assert_well_formed(raw)
    mail = read(raw)
    found = str(mail["References"]).split()
    assert found == [thread[0], *thread[-49:]]
    assert str(mail["In-Reply-To"]).strip() == thread[-1]


def test_crooked_ids_of_other_peoples_mail_are_left_out() -> None:
    raw = compose(replace(DRAFT, in_reply_to="no brackets", references=("<a b@c>", "<ok@c>", "", "<é@c>"))).raw
    mail = read(raw)
    assert mail["In-Reply-To"] is None
    assert str(mail["References"]).strip() == "<ok@c>"


def test_one_click_unsubscribe_is_promised_only_over_https() -> None:
    url, mailto = "https://mail.anna.example/u/" + "t" * 200, "out@anna.example?subject=stop"
    raw = compose(replace(DRAFT, unsubscribe_url=url, unsubscribe_mailto=mailto)).raw
    assert_well_formed(raw)
    mail = read(raw)
    assert re.sub(r"\s", "", str(mail["List-Unsubscribe"])) == f"<{url}>,<mailto:{mailto}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    plain = read(compose(replace(DRAFT, unsubscribe_url="http://localhost:8000/u/t")).raw)
    assert plain["List-Unsubscribe"] == "<http://localhost:8000/u/t>"
    assert plain["List-Unsubscribe-Post"] is None
    assert read(compose(DRAFT).raw)["List-Unsubscribe"] is None


@pytest.mark.parametrize(
    "url", ["https://x.example/a b", "https://x.example/<a>", "https://é.example/", "https://x/" + "a" * 999]
)
def test_an_unsubscribe_address_that_cannot_stand_in_a_header_is_refused(url: str) -> None:
    with pytest.raises(BadHeader):
        compose(replace(DRAFT, unsubscribe_url=url))


def test_domains_go_out_in_ascii_and_names_in_encoded_words() -> None:
    composed = compose(replace(DRAFT, to_address="zoe@müller.example", to_name="Zoé, née Müller"))
    assert composed.raw.isascii()
    assert composed.envelope_to == "zoe@xn--mller-kva.example"
    assert not composed.smtputf8
    (to,) = read(composed.raw)["To"].addresses
    assert (to.display_name, to.addr_spec) == ("Zoé, née Müller", "zoe@xn--mller-kva.example")


def test_a_local_part_outside_ascii_asks_for_smtputf8() -> None:
    composed = compose(replace(DRAFT, to_address="zoé@müller.example"))
    assert composed.smtputf8
    assert composed.envelope_to == "zoé@xn--mller-kva.example"
    assert b"To: zo\xc3\xa9@xn--mller-kva.example\r\n" in composed.raw


def test_text_outside_ascii_is_sent_as_base64_and_french_is_not() -> None:
    assert b"base64" in compose(replace(DRAFT, text="Привет, как дела?" * 20)).raw
    assert b"quoted-printable" in compose(replace(DRAFT, text="Bonjour, ça va très bien ?" * 20)).raw


def test_a_naive_date_is_refused() -> None:
    with pytest.raises(NotComposable):
        compose(replace(DRAFT, date=datetime(2026, 3, 2)))  # noqa: DTZ001


def test_reply_to_and_extra_headers_are_written() -> None:
    mail = read(compose(replace(DRAFT, reply_to="in@anna.example", extra=(("X-Fluenzr", "été"),))).raw)
    assert mail["Reply-To"] == "in@anna.example"
    assert mail["X-Fluenzr"] == "été"


def test_a_new_message_id_belongs_to_its_domain() -> None:
    assert new_rfc_id("Anna.Example", "a1-B2_c3.d4") == "<a1-B2_c3.d4@anna.example>"
    assert new_rfc_id("müller.example", "t") == "<t@xn--mller-kva.example>"
    for token in ("", "a b", "a@b", "a\r\n", "é"):
        with pytest.raises(BadHeader):
            new_rfc_id("anna.example", token)
    with pytest.raises(BadAddress):
        new_rfc_id("no domain", "t")


@pytest.mark.parametrize("rfc_id", ["one@anna.example", "<one>", "<one@anna.example", "", "<o ne@anna.example>"])
def test_a_message_id_has_its_brackets(rfc_id: str) -> None:
    with pytest.raises(BadHeader):
        compose(replace(DRAFT, rfc_id=rfc_id))


@pytest.mark.parametrize(
    ("subject", "answer"),
    [
        ("Offre", "Re: Offre"),
        ("Re: Offre", "Re: Offre"),
        ("RE : Offre", "Re: Offre"),
        ("re:re: RE : Offre", "Re: Offre"),
        ("Re[2]: Offre", "Re: Offre"),
        ("AW: Angebot", "Re: Angebot"),
        ("Réf. 12", "Re: Réf. 12"),
        ("TR : Offre", "Re: TR : Offre"),
        ("RE: TR : Offre", "Re: TR : Offre"),
        ("Fwd: Offre", "Re: Fwd: Offre"),
        ("Renew: it", "Re: Renew: it"),
        ("", "Re:"),
    ],
)
def test_an_answer_has_one_prefix(subject: str, answer: str) -> None:
    assert reply_subject(subject) == answer


def test_composing_is_faster_than_sending_needs() -> None:
    html = "".join(
        f"<p>Bonjour Zoé, idée n°{number} : <a href='https://t.example/{number}'>voir</a></p>" for number in range(20)
    )
    draft = replace(DRAFT, sender_name="Anna Weiß", text="Bonjour Zoé, voici une idée.\n" * 20, html=html,
                    unsubscribe_url="https://t.example/u")  # fmt: skip
    start, number = time.thread_time(), 500
    for each in range(number):
        compose(replace(draft, rfc_id=f"<{each}@anna.example>", to_address=f"z{each}@client.example"))
    # Half of what the machine does, so that a busy one does not fail it: a tenth would be the email package.
    assert number / (time.thread_time() - start) > 1500


def test_dates_are_those_of_rfc_5322() -> None:
    raw = compose(replace(DRAFT, date=datetime(2026, 3, 2, 9, 30, tzinfo=UTC))).raw
    assert b"\r\nDate: Mon, 02 Mar 2026 09:30:00 +0000\r\n" in raw
