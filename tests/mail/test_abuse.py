"""Reports of abuse: who complains about which mail."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluenzr_app.mail.abuse import AbuseReport, abuse_report
from tests.mail.incoming_mails import Context, feedback, headed, multipart, part, plain, report, returned

C = Context()
CONTACT = (C.contact_address,)


@pytest.mark.parametrize(
    ("fields", "recipients"),
    [
        ("Original-Rcpt-To: <Zoe.Martin@ACME.example>\n", CONTACT),
        ("Original-Rcpt-To: rfc822; zoe.martin@acme.example\n", CONTACT),
        ("Removal-Recipient: zoe.martin@acme.example\n", CONTACT),
        ("Original-Rcpt-To: a@x.example\nOriginal-Rcpt-To: b@x.example\n", ("a@x.example", "b@x.example")),
        ("", CONTACT),
        ("Original-Rcpt-To: redacted\n", CONTACT),
    ],
)
def test_a_report_names_the_mail_and_who_complains(fields: str, recipients: tuple[str, ...]) -> None:
    assert abuse_report(feedback(C, "abuse", fields)) == AbuseReport("abuse", (C.rfc_id,), recipients)


def test_the_contrary_of_a_complaint_is_known() -> None:
    found = abuse_report(feedback(C, "not-spam", ""))
    assert found is not None
    assert not found.is_complaint


@pytest.mark.parametrize("kind", ["auth-failure", "dmarc"])
def test_a_report_about_a_signature_is_no_complaint(kind: str) -> None:
    assert abuse_report(feedback(C, kind, "")) is None


def test_hotmails_report_is_known_by_its_own_header() -> None:
    inner = part("message/rfc822", f"X-HmXmrOriginalRecipient: {C.contact_address}\n{returned(C)}Bonjour\n")
    body = multipart("h", (inner,))
    content = 'multipart/mixed; boundary="h"'
    raw = headed(C, body, subject="complaint about message from 192.0.2.1", content=content)
    assert abuse_report(raw) == AbuseReport("abuse", (C.rfc_id,), CONTACT)
    assert abuse_report(headed(C, body, subject="Have a look", content=content)) is None


def test_a_report_passed_on_by_a_person_is_a_mail_of_that_person() -> None:
    inner = b"Content-Type: message/rfc822\r\n\r\n" + feedback(C, "abuse", "")
    raw = headed(C, multipart("f", (part("text/plain", "Look"), inner)), content='multipart/mixed; boundary="f"')
    assert abuse_report(raw) is None


def test_other_mails_are_no_reports() -> None:
    assert abuse_report(b"") is None
    assert abuse_report(plain(C, "Abuse report", subject="Abuse report")) is None
    assert abuse_report(report(C, "failed", "5.1.1", "User unknown")) is None


@given(st.integers(0, 3_000), st.binary(max_size=30))
def test_a_damaged_report_raises_nothing(at: int, damage: bytes) -> None:
    raw = feedback(C, "abuse", "Original-Rcpt-To: a@x.example\n")
    abuse_report(raw[:at] + damage + raw[at + len(damage) :])
