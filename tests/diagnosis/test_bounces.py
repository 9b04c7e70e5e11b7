"""Bounces and mailboxes: what is told above which floor, where the bounces come from, and what mends it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from fluenzr_app.campaigns.bounced import BouncedContact
from fluenzr_app.diagnosis.bounces import (
    BounceFacts,
    SoftFacts,
    Source,
    bounce_finding,
    bounced_finding,
    soft_finding,
    worst_source,
)
from fluenzr_app.diagnosis.findings import Subject
from fluenzr_app.diagnosis.mailboxes import MailboxFacts, mailbox_finding

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
EARLIER = NOW - timedelta(hours=7)

ACTIVE = BounceFacts(7, "Achats", "active", "", None, 100, 3, 3)
BRAKED = replace(ACTIVE, status="paused", pause_reason="bounce_brake", paused_at=EARLIER, sent=151, bounced=11)
DOMAIN = Source("domain", None, "old.example", 6)
IMPORT = Source("import", 3, "salon.csv", 6)
GROUP = Source("group", 4, "Salon", 9)
SOFT = SoftFacts(7, "Achats", 4, NOW + timedelta(hours=4), 1)
READ = MailboxFacts(
    account_id=1, email="sarah@nova.example", status="connected", reads=True, synced_at=NOW - timedelta(minutes=2),
    failed_since=None, error_code="", error_text="", known_at=EARLIER, running_since=EARLIER, waiting=5,
)  # fmt: skip


@pytest.mark.parametrize(
    ("sent", "bounced", "told"),
    [(100, 3, True), (150, 3, False), (149, 3, True), (20, 3, True), (19, 3, False), (30, 2, False), (0, 0, False)],
)
def test_many_bounces_are_told_before_the_brake_acts_and_never_of_a_handful_of_mails(sent, bounced, told):
    found = bounce_finding(replace(ACTIVE, sent=sent, bounced=bounced))
    assert (found is not None) is told
    if found is not None:
        assert (found.code, found.severity) == ("campaign_bounces", "slowed")
        assert found.remedies == ("see_bounces", "archive_bounced")
        assert found.subject == Subject("campaign", 7, "Achats")


def test_a_pause_by_the_brake_tells_the_figures_the_worst_source_and_one_act_that_puts_them_away():
    found = bounce_finding(replace(BRAKED, sources=(DOMAIN, IMPORT, GROUP)))
    assert found is not None
    assert (found.code, found.severity, found.since) == ("campaign_paused", "broken", EARLIER)
    assert found.remedies == ("archive_bounced", "see_bounces")
    assert (found.params["sent"], found.params["bounced"], found.params["contacts"]) == (151, 11, 3)
    assert (found.params["worstKind"], found.params["worstId"], found.params["worstBounced"]) == ("group", 4, 9)
    done = bounce_finding(replace(BRAKED, contacts=0))
    assert done is not None
    assert done.remedies == ("see_bounces",)
    assert "worstKind" not in done.params


def test_a_pause_for_another_reason_is_not_told_as_bounces():
    assert bounce_finding(replace(BRAKED, pause_reason="")) is None
    assert bounce_finding(replace(BRAKED, status="archived")) is None


def test_a_source_is_named_only_with_half_of_the_bounces_and_three_of_them():
    assert worst_source((DOMAIN, IMPORT), 12) == DOMAIN
    assert worst_source((IMPORT, DOMAIN), 12) == DOMAIN
    assert worst_source((DOMAIN, IMPORT), 13) is None
    assert worst_source((DOMAIN, GROUP), 12) == GROUP
    assert worst_source((replace(DOMAIN, bounced=2),), 2) is None
    assert worst_source((), 0) is None


def test_soft_bounces_wait_by_themselves_and_say_which_attempt_comes_when():
    found = soft_finding(SOFT, NOW)
    assert found is not None
    assert (found.code, found.severity, found.remedies) == ("campaign_soft_bounces", "waits", ())
    assert found.params == {"contacts": 4, "attempt": 2, "attempts": 5}
    assert found.resumes_at == SOFT.next_at
    assert soft_finding(SOFT, SOFT.next_at) is None
    assert soft_finding(replace(SOFT, contacts=0), NOW) is None


def test_bounced_contacts_are_told_by_cause_with_a_servers_words():
    contacts = [
        BouncedContact(1, "unknown_user", "550 5.1.1 no such user", NOW),
        BouncedContact(2, "spam", "554 spam", EARLIER),
        BouncedContact(3, "policy", "550 no", NOW),
        BouncedContact(4, "unknown_user", "", NOW),
        BouncedContact(5, "unknown_user", "", NOW),
        BouncedContact(6, "", "", NOW),
    ]
    found = bounced_finding(contacts)
    assert found is not None
    assert (found.code, found.severity, found.since) == ("contacts_bounced", "advice", EARLIER)
    assert found.remedies == ("archive_bounced", "see_bounced")
    assert found.params["contacts"] == 6
    assert found.params["causes"] == [
        {"cause": "unknown_user", "contacts": 3, "text": "550 5.1.1 no such user"},
        {"cause": "refused", "contacts": 2, "text": "554 spam"},
        {"cause": "other", "contacts": 1, "text": ""},
    ]
    assert bounced_finding([]) is None


def test_a_mailbox_that_is_read_is_no_finding():
    assert mailbox_finding(READ, NOW) is None


def test_a_refused_sign_in_is_told_at_once_since_when_and_with_what_waits():
    failed = replace(READ, failed_since=NOW, error_code="auth_failed", error_text="NO [AUTHENTICATIONFAILED]")
    found = mailbox_finding(failed, NOW)
    assert found is not None
    assert (found.code, found.severity, found.since) == ("mailbox_not_read", "broken", NOW)
    assert found.remedies == ("reconnect",)
    assert found.params == {
        "email": "sarah@nova.example", "errorCode": "auth_failed", "serverWords": "NO [AUTHENTICATIONFAILED]",
        "waiting": 5,
    }  # fmt: skip


def test_a_fault_that_may_pass_is_told_once_follow_ups_wait_for_it():
    failed = replace(READ, failed_since=NOW - timedelta(minutes=10), error_code="timeout")
    assert mailbox_finding(failed, NOW) is None
    found = mailbox_finding(failed, NOW + timedelta(seconds=1))
    assert found is not None
    assert (found.severity, found.since) == ("slowed", NOW - timedelta(minutes=10))


def test_a_silent_mailbox_is_told_only_while_somebody_could_have_read_it():
    silent = replace(READ, synced_at=EARLIER)
    found = mailbox_finding(silent, NOW)
    assert found is not None
    assert (found.severity, found.since, found.params["errorCode"]) == ("slowed", EARLIER, "")
    assert mailbox_finding(replace(silent, running_since=None), NOW) is None
    assert mailbox_finding(replace(silent, running_since=NOW - timedelta(minutes=9)), NOW) is None
    assert mailbox_finding(replace(silent, synced_at=None, known_at=NOW - timedelta(minutes=9)), NOW) is None
    assert mailbox_finding(replace(silent, synced_at=None), NOW) is not None


@pytest.mark.parametrize("status", ["error", "paused", "removed"])
def test_an_account_that_sends_nothing_is_not_told_of_twice(status: str):
    failed = replace(READ, failed_since=EARLIER, error_code="auth_failed")
    assert mailbox_finding(replace(failed, status=status), NOW) is None
    assert mailbox_finding(replace(failed, reads=False), NOW) is None
