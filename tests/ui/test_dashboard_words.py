"""Findings about incoming mail as the dashboard says them: whole sentences in both languages, and what mends them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from fluenzr_app.campaigns.bounced import BouncedContact
from fluenzr_app.db.ids import public_id
from fluenzr_app.diagnosis.bounces import (
    BounceFacts,
    SoftFacts,
    Source,
    bounce_finding,
    bounced_finding,
    soft_finding,
)
from fluenzr_app.diagnosis.findings import Finding
from fluenzr_app.diagnosis.mailboxes import MailboxFacts, mailbox_finding
from fluenzr_app.ui.pages.dashboard_words import ICONS, FindingLine, line_of
from fluenzr_app.words.catalogue import Lang

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")
SOURCES = (Source("import", 3, "salon.csv", 9),)
BRAKED = BounceFacts(7, "Achats", "paused", "bounce_brake", NOW - timedelta(hours=2), 151, 11, 11, SOURCES)
SLOWED = BounceFacts(7, "Achats", "active", "", None, 100, 3, 3)
SOFT = SoftFacts(7, "Achats", 4, NOW + timedelta(hours=4), 1)
MAILBOX = MailboxFacts(
    account_id=1, email="sarah@nova.example", status="connected", reads=True, synced_at=NOW - timedelta(hours=1),
    failed_since=NOW - timedelta(hours=1), error_code="auth_failed", error_text="NO", known_at=NOW, running_since=None,
    waiting=5,
)  # fmt: skip
GONE = [BouncedContact(1, "unknown_user", "", NOW), BouncedContact(2, "spam", "", NOW), BouncedContact(3, "", "", NOW)]


def line(finding: Finding | None, lang: Lang = "fr", more: int = 0) -> FindingLine:
    """The finding, with so many like it, as a line of the page."""
    assert finding is not None
    return line_of([finding] * (1 + more), lang, NOW, PARIS)


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_every_finding_is_said_in_whole_sentences_with_a_drawing(lang: Lang):
    findings = [
        bounce_finding(BRAKED), bounce_finding(SLOWED), soft_finding(SOFT, NOW), bounced_finding(GONE),
        bounced_finding(GONE[:1]), mailbox_finding(MAILBOX, NOW),
    ]  # fmt: skip
    for said in [line(each, lang) for each in findings] + [line(findings[2], lang, 1)]:
        for words in (said.what, said.why):
            assert words
            assert not set("{}[]") & set(words), words
            assert "dashboard." not in words
            assert "  " not in words
        assert said.code in ICONS


def test_the_brake_tells_share_and_worst_source_and_offers_both_ways():
    said = line(bounce_finding(BRAKED))
    assert said.why == (
        "Frein à rebonds\u00a0: 11 rebonds sur 151 envois, 7,3\u202f% pour un seuil de 5\u202f%. "
        "9 viennent de l’import salon.csv."
    )
    campaign = public_id("cmp", 7)
    assert (said.act, said.subject, said.href, said.urgent) == ("archive_bounced", campaign, "", True)
    assert (said.mend, said.also) == ("Archiver les rebonds", "Voir les rebonds")
    assert said.also_href == f"/campaigns/{campaign}/progress"


def test_bounces_before_the_brake_lead_to_them_and_name_no_source_where_there_is_none():
    said = line(bounce_finding(SLOWED), "en")
    assert said.why == "3 bounces in 100 sends, 3.0%. At 5% the campaign pauses itself."
    assert (said.act, said.href, said.also) == ("", f"/campaigns/{public_id('cmp', 7)}/progress", "")


def test_bounced_contacts_are_told_by_cause_and_lead_to_the_list_where_they_can_be_deleted():
    said = line(bounced_finding(GONE))
    assert said.why.startswith("1 autre raison, 1 refus du serveur, 1 adresse inconnue.")
    assert (said.act, said.subject, said.also_href) == ("archive_bounced", "", "/contacts?status=bounced")


def test_retries_say_which_attempt_follows_and_when():
    said = line(soft_finding(SOFT, NOW), "en")
    assert said.why == "4 contacts: their mailboxes take no message for now. Attempt 2 of 5 follows by itself."
    assert (said.since, said.mend, said.act) == ("until 14:00", "", "")


def test_a_mailbox_that_is_not_read_leads_to_its_account_and_says_what_waits():
    said = line(mailbox_finding(MAILBOX, NOW), "en")
    assert said.why == "The server refuses the user name or the password. 5 follow-ups wait: an answer may lie there."
    assert said.mend == "Reconnect"
    assert public_id("acc", 1) in said.href
