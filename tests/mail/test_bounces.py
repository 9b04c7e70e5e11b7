"""Delivery reports: whom they name, of which class, about which mail; and nothing that a mail can do to the reader."""

from __future__ import annotations

import random
import smtplib
import ssl
import time
from collections.abc import Callable
from email.message import EmailMessage

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fluenzr_app.bench.bounce_corpus import NoCorpus, RealReport, agrees, real_reports
from fluenzr_app.bench.bounce_mails import EVE, JOE, MESSAGE_ID, OURS, Sample, plain, report
from fluenzr_app.bench.bounce_samples import own_samples
from fluenzr_app.mail.bounces import BouncedRecipient, delivery_report
from fluenzr_app.mail.causes import Cause
from tests.real.post_office import PostOffice

SAMPLES = own_samples()
# The limit is a second on any machine; a shared one gets some room.
LIMIT_S = 1.0


def only(raw: bytes) -> BouncedRecipient:
    found = delivery_report(raw)
    assert found is not None
    assert len(found.recipients) == 1
    return found.recipients[0]


def failed(status: str, words: str, address: str = JOE) -> bytes:
    return report(
        f"Final-Recipient: rfc822; {address}\nAction: failed\nStatus: {status}\nDiagnostic-Code: smtp; {words}"
    )


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_report_names_who_was_not_reached_and_whether_for_good(sample: Sample) -> None:
    found = delivery_report(sample.raw)
    named = {(each.address, each.bounce_class) for each in found.recipients} if found else set()
    assert named == set(sample.expected)


@pytest.mark.parametrize(
    ("status", "words", "cause", "kind"),
    [
        ("5.1.1", "550 5.1.1 User unknown", Cause.UNKNOWN_USER, "hard"),
        ("5.2.1", "550 5.2.1 This account has been disabled", Cause.MAILBOX_DISABLED, "hard"),
        ("5.1.2", "550 Host unknown", Cause.BAD_DOMAIN, "hard"),
        ("5.2.2", "552 mailbox full", Cause.MAILBOX_FULL, "soft"),
        ("5.7.1", "554 blocked using a block list", Cause.CLIENT_BLOCKED, "soft"),
        ("5.7.1", "550 relaying denied", Cause.RELAY_DENIED, "soft"),
        ("5.3.4", "552 message too large", Cause.TOO_LARGE, "soft"),
        ("5.7.1", "550 spam", Cause.SPAM, "soft"),
        ("5.7.1", "550 refused by our policy", Cause.POLICY, "soft"),
        ("5.4.6", "554 too many hops", Cause.MAIL_LOOP, "soft"),
        ("5.1.8", "553 sender address rejected", Cause.SENDER_REFUSED, "soft"),
        ("5.1.0", "550 user unknown (in reply to MAIL FROM command)", Cause.SENDER_REFUSED, "soft"),
        ("4.4.1", "connection refused", Cause.UNREACHABLE, "soft"),
        ("5.7.133", "550 only accepts mail from members", Cause.RECIPIENT_RESTRICTED, "soft"),
        ("4.3.0", "451 mailer error", Cause.SERVER_TROUBLE, "soft"),
        ("5.0.0", "", None, "hard"),
        ("5.5.0", "", None, "soft"),
        ("4.0.0", "", None, "soft"),
    ],
)
def test_the_class_follows_from_the_cause_and_not_from_the_first_digit(
    status: str, words: str, cause: Cause | None, kind: str
) -> None:
    found = only(failed(status, words))
    assert (found.cause, found.bounce_class) == (cause, kind)


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("Esta casilla ha expirado por falta de uso", "hard"),
        ("Votre correspondant a depasse son quota", "soft"),
        ("compte clos", "hard"),
        ("Der Speicherplatz des Empfängers ist erschöpft", "soft"),
        ("onbekende gebruiker", "hard"),
        ("caixa postal cheia", "soft"),
        ("la casella non esiste", "hard"),
        ("Ящик переполнен", "soft"),
        ("nieznany uzytkownik", "hard"),
        ("schránka je plná", "soft"),
        ("kullanıcı bulunamadı", "hard"),
        ("宛先不明", "hard"),
        ("对方邮箱空间已满", "soft"),
        ("존재하지 않는 사용자", "hard"),
    ],
)
def test_causes_are_told_in_many_languages_with_or_without_accents(words: str, kind: str) -> None:
    assert only(plain(f"<{JOE}>: {words}\n")).bounce_class == kind


def test_a_forwarded_recipient_is_named_by_both_addresses() -> None:
    fields = f"Original-Recipient: rfc822; {JOE}\nFinal-Recipient: rfc822; {EVE}\nAction: failed\nStatus: 5.1.1"
    found = only(report(fields))
    assert (found.address, found.final_address) == (JOE, EVE)
    in_words = only(
        plain(f"The following address(es) failed:\n\n  {EVE}\n    (generated from {JOE})\n    user unknown\n")
    )
    assert (in_words.address, in_words.final_address) == (JOE, EVE)


def test_the_servers_own_code_is_kept_when_the_report_says_only_5_0_0() -> None:
    found = only(failed("5.0.0", "550 5.2.2 mailbox full"))
    assert found.status == "5.2.2"
    assert found.text == "550 5.2.2 mailbox full"


def test_the_servers_words_are_cut() -> None:
    assert len(only(failed("5.1.1", "550 " + "user unknown " * 400)).text) == 500


@pytest.mark.parametrize(
    "raw",
    [
        report("Final-Recipient: rfc822; joe@client.example\nAction: failed\nStatus: 5.1.1", returned_to=JOE),
        plain(f"<{JOE}>: user unknown\n", returned_to=JOE),
        plain(f"<{JOE}>: user unknown\n\nMessage-ID: {MESSAGE_ID}\n"),
        plain(f"<{JOE}>: user unknown\n", headers=f"X-Original-Message-ID: {MESSAGE_ID}\n"),
        plain(f"<{JOE}>: user unknown\n", headers=f"In-Reply-To: {MESSAGE_ID}\n"),
        plain(f"<{JOE}>: user unknown\n", headers=f"References: <first@x.example> {MESSAGE_ID}\n"),
        report(
            "Final-Recipient: rfc822; joe@client.example\nAction: failed\nStatus: 5.1.1",
            mta=f"Reporting-MTA: dns; mx.relay.example\nX-Original-Message-ID: {MESSAGE_ID}\n\n",
        ),
    ],
    ids=["part", "text", "words", "header", "in-reply-to", "references", "fields"],
)
def test_the_mail_it_is_about_is_found_wherever_the_report_names_it(raw: bytes) -> None:
    found = delivery_report(raw)
    assert found is not None
    assert MESSAGE_ID in found.message_ids
    assert not any("report." in each for each in found.message_ids)


def test_the_returned_mail_is_trusted_before_the_reports_own_header() -> None:
    raw = plain(f"<{JOE}>: user unknown\n", returned_to=JOE, headers="In-Reply-To: <other@x.example>\n")
    found = delivery_report(raw)
    assert found is not None
    assert found.message_ids == (MESSAGE_ID, "<other@x.example>")


def test_addresses_in_the_returned_mail_and_in_signatures_are_not_named() -> None:
    found = only(
        plain(
            f"""
            Your message could not be delivered to the following recipient:

            {JOE}: user unknown

            If you need help, write to helpdesk@relay.example.
            --
            Postmaster, postmaster@relay.example
            """,
            returned_to=JOE,
        )
    )
    assert found.address == JOE


def test_the_reporter_is_named() -> None:
    found = delivery_report(failed("5.1.1", "550 user unknown"))
    assert found is not None
    assert found.reported_by == "mx.relay.example"


def test_public_reports_are_read_right(tmp_path_factory: pytest.TempPathFactory) -> None:
    reports = _public()
    right = [agrees(delivery_report(each.raw), each) for each in reports]
    assert sum(addresses for addresses, _ in right) >= 0.95 * len(reports)
    assert sum(both for _, both in right) >= 0.95 * len(reports)


def _public() -> list[RealReport]:
    try:
        return real_reports()
    except NoCorpus as error:
        pytest.skip(f"the public reports cannot be had: {error}")


def _in_time(raw: bytes) -> None:
    began = time.thread_time()
    delivery_report(raw)
    assert time.thread_time() - began < LIMIT_S


_HEAD = b"From: MAILER-DAEMON@x.example\nSubject: failure notice\n"
_GROUP = b"Final-Recipient: rfc822; a@b.example\nAction: failed\nStatus: 5.1.1\n\n"


@pytest.mark.parametrize(
    "build",
    [
        lambda: SAMPLES[0].raw + b"A" * 20_000_000,
        lambda: SAMPLES[0].raw + (b"A" * 76 + b"\n") * 260_000,
        lambda: _HEAD + b"\n" + b"a@b.example " * 1_600_000,
        lambda: _HEAD + b"\n" + b"<a@b.example>: 550 unknown\n" * 700_000,
        lambda: _HEAD + b"\n" + b"\n" * 20_000_000,
        lambda: _HEAD + b"\n" + b"From: a\n" * 300_000,
        lambda: _HEAD + b"\n" + b"---- original ----\nx\n" * 300_000,
        lambda: _HEAD + b"\n<a@b.example>: " + b"user mailbox host sender " * 50_000,
        lambda: _HEAD + b"\n" + b"a." * 10_000_000 + b"@",
        lambda: _HEAD + b"X-A: b\n" * 2_000_000 + b"\n",
        lambda: b"Subject: " + b"=?utf-8?q?a?= " * 1_000_000 + b"\n\n",
        lambda: b"X-Failed-Recipients: " + b"((" * 1_000_000 + b"\n\n",
        lambda: _HEAD + b"".join(b"Content-Type: multipart/x; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(3000)),
        lambda: _HEAD + b"Content-Type: message/rfc822\n\n" * 20_000,
        lambda: (
            _HEAD + b"Content-Type: message/delivery-status\n\n"
            + b"".join(
                b"Final-Recipient: rfc822; a%d@b.example\nAction: failed\nDiagnostic-Code: smtp; %d %s\n\n"
                % (n, n, b"user mailbox account " * 40) for n in range(400)
            )
        ),
        lambda: _HEAD + b"Content-Type: text/plain; charset=punycode\n\n" + b"user-abc" * 2_000_000,
        lambda: _HEAD + b"Content-Type: text/plain; charset=gb-none\n\n" + b"\xff" * 2_000_000,
        lambda: _HEAD + b"Content-Type: text/plain; charset=idna\n\n" + b"xn--a-ecp.ru" * 2_000_000,
        lambda: b"Subject: =?punycode?q?" + b"ab-cd" * 10_000 + b"?=\n\nx",
        lambda: _HEAD + b"Content-Type: text/html\n\n" + b"<div>" * 4_000_000,
        lambda: _HEAD + b"Content-Type: text/html\n\n" + b"<" * 4_000_000,
        lambda: (
            _HEAD + b"Content-Type: multipart/report; boundary=x\n\n--x\nContent-Type: message/delivery-status\n\n"
            + _GROUP * 300_000
        ),
    ],
)  # fmt: skip
def test_no_mail_however_large_or_deep_takes_a_second(build: Callable[[], bytes]) -> None:
    _in_time(build())


@given(st.binary(max_size=2000))
@settings(max_examples=150, deadline=None)
def test_random_bytes_are_read_without_an_error(raw: bytes) -> None:
    _in_time(raw)


_SCRAPS = [b"\n", b"\n\n", b"--b1\n", b"\xff\xfe", b"=?", b"<", b"@", b"\0", b"Content-Type: message/rfc822\n\n",
           b"boundary=", b"Final-Recipient: ", b"rfc822;", b"Action: failed\n", b"\r", b"\x1b$B"]  # fmt: skip


@given(st.sampled_from(SAMPLES), st.sampled_from(SAMPLES), st.integers(0, 2**32))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_damaged_reports_are_read_without_an_error(one: Sample, other: Sample, seed: int) -> None:
    _in_time(_damaged(one.raw, other.raw, seed))


def test_damaged_public_reports_are_read_without_an_error() -> None:
    reports = _public()
    for seed in range(300):
        rng = random.Random(seed)
        _in_time(_damaged(rng.choice(reports).raw, rng.choice(reports).raw, seed))


def _damaged(raw: bytes, other: bytes, seed: int) -> bytes:
    rng = random.Random(seed)
    damaged = bytearray(raw)
    for _ in range(rng.randint(1, 12)):
        place = rng.randrange(len(damaged) + 1)
        match rng.randrange(3):
            case 0:
                del damaged[place : place + rng.randint(1, 60)]
            case 1:
                damaged[place:place] = rng.choice(_SCRAPS)
            case _:
                begin = rng.randrange(len(other))
                damaged[place:place] = other[begin : begin + 200]
    return bytes(damaged)


@pytest.mark.parametrize(
    ("who", "kind", "cause"),
    [
        ("late-gone", "hard", Cause.UNKNOWN_USER),
        ("late-full", "soft", Cause.MAILBOX_FULL),
        ("late-busy", "delayed", Cause.RECIPIENT_BUSY),
    ],
)
def test_a_late_report_of_a_real_postfix_is_read(post_office: PostOffice, who: str, kind: str, cause: Cause) -> None:
    sender, recipient = f"bounce-{who}@fluenzr.test", f"{who}-joe@recipients.test"
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, recipient, "A question"
    mail["Message-ID"] = f"<{who}.1@fluenzr.test>"
    mail.set_content(f"Hello, or write to {OURS}.")
    context = ssl.create_default_context(cafile=str(post_office.ca_file))
    with smtplib.SMTP(post_office.host, post_office.smtp_port, timeout=10) as client:
        client.starttls(context=context)
        client.login(*post_office.user(sender))
        client.send_message(mail)
    found = delivery_report(post_office.wait_for(sender)[0])
    assert found is not None
    assert [(each.address, each.bounce_class, each.cause) for each in found.recipients] == [(recipient, kind, cause)]
    assert found.message_ids[0] == f"<{who}.1@fluenzr.test>"
