"""Findings as pages say them: whole sentences in both languages, one entry for many, and what mends them."""

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
from fluenzr_app.diagnosis.findings import Finding, Subject
from fluenzr_app.diagnosis.mailboxes import MailboxFacts, mailbox_finding
from fluenzr_app.diagnosis.symptoms import CODES
from fluenzr_app.ui.findings import ACTS, ICONS, MANY, TOLD, FindingLine, Reader, grouped, line_of, place_of
from fluenzr_app.words.catalogue import Lang, catalogue
from tests.diagnosis.test_words import everything

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


def reader(lang: Lang = "fr", *, is_admin: bool = True) -> Reader:
    """Somebody who reads the page at NOW in Paris."""
    return Reader(lang, NOW, PARIS, is_admin)


def line(finding: Finding | None, lang: Lang = "fr", more: int = 0) -> FindingLine:
    """The finding, with so many like it, as a line of the page."""
    assert finding is not None
    return line_of([finding] * (1 + more), reader(lang))


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
    assert (said.act, said.thing, said.href, said.urgent) == ("archive_bounced", campaign, "", True)
    assert (said.mend, said.also) == ("Archiver les rebonds", "Voir les rebonds")
    assert said.also_href == f"/campaigns/{campaign}/progress?status=bounced"


def test_bounces_before_the_brake_lead_to_them_and_name_no_source_where_there_is_none():
    said = line(bounce_finding(SLOWED), "en")
    assert said.why == "3 bounces in 100 sends, 3.0%. At 5% the campaign pauses itself."
    assert (said.act, said.href) == ("", f"/campaigns/{public_id('cmp', 7)}/progress?status=bounced")
    assert (said.also, said.also_act, said.also_href) == ("Archive the bounced", "archive_bounced", "")


def test_bounced_contacts_are_told_by_cause_and_lead_to_the_list_where_they_can_be_deleted():
    said = line(bounced_finding(GONE))
    assert said.why.startswith("1 autre raison, 1 refus du serveur, 1 adresse inconnue.")
    assert (said.act, said.thing, said.also_href) == ("archive_bounced", "", "/contacts?status=bounced")


def test_retries_say_which_attempt_follows_and_when():
    said = line(soft_finding(SOFT, NOW), "en")
    assert said.why == "4 contacts: their mailboxes take no message for now. Attempt 2 of 5 follows by itself."
    assert (said.until_at, said.mend, said.act) == (SOFT.next_at.isoformat(), "", "")


def test_a_mailbox_that_is_not_read_leads_to_its_account_and_says_what_waits():
    said = line(mailbox_finding(MAILBOX, NOW), "en")
    assert said.why == "The server refuses the user name or the password. 5 follow-ups wait: an answer may lie there."
    assert said.mend == "Reconnect"
    assert public_id("acc", 1) in said.href


def paused(number: int) -> Finding:
    """An account that somebody paused, with mails that wait."""
    name = f"camille{number}@nova.example"
    subject = Subject("account", number, name)
    return Finding("account_paused", "slowed", subject, {"email": name, "waiting": 2, "sent": 0}, ("resume",))


def test_a_member_reads_what_is_wrong_and_who_can_mend_it_but_gets_no_button_for_settings():
    said = line_of([paused(1)], reader(is_admin=False))
    assert (said.mend, said.act, said.href, said.note) == ("", "", "", "Un administrateur peut le faire.")
    other = line_of([paused(1)], reader())
    assert (other.mend, other.act, other.note) == ("Reprendre", "resume", "")


def test_from_three_things_of_one_kind_on_one_entry_tells_of_all_and_mends_all():
    apart = grouped([paused(number) for number in range(1, MANY)])
    assert [len(group) for group in apart] == [1] * (MANY - 1)
    together = grouped([paused(number) for number in range(1, 6)])
    assert [len(group) for group in together] == [5]
    said = line_of(together[0], reader())
    assert said.what == "5 comptes en pause"
    assert said.why == "camille1@nova.example, camille2@nova.example, camille3@nova.example et 2 autres"
    assert (said.act, said.mend) == ("resume", "Reprendre les 5")
    assert said.key == ",".join(f"account_paused:{public_id('acc', number)}" for number in range(1, 6))
    assert [thing.act for thing in said.things] == ["resume"] * 5
    assert line_of(together[0], reader(is_admin=False)).act == ""


def test_what_cannot_be_mended_for_all_at_once_leads_to_the_list_and_each_thing_has_its_own_way():
    lost = [Finding("campaign_no_account", "broken", Subject("campaign", n, f"C{n}"), {"contacts": 3, "email": ""},
                    ("choose_accounts",)) for n in (1, 2, 3)]  # fmt: skip
    said = line_of(lost, reader("en"))
    assert (said.mend, said.act, said.also_href, said.urgent) == ("", "", "/campaigns", True)
    assert [thing.href for thing in said.things] == [f"/campaigns/{public_id('cmp', n)}/timing" for n in (1, 2, 3)]


def test_what_is_done_on_the_server_is_explained_and_leads_nowhere():
    held = Finding("installation_held", "broken", Subject("installation", None, ""),
                   {"reason": "restored", "waiting": 2}, ("release",), NOW)  # fmt: skip
    said = line_of([held], reader())
    assert (said.told, said.act, said.href) == ("release", "", "")
    assert said.since_at == NOW.isoformat()


def test_every_kind_of_finding_has_a_drawing():
    assert set(ICONS) >= CODES


@pytest.mark.parametrize(
    "code", sorted(code for code in CODES if code.startswith(("account_", "campaign_", "import_")))
)
def test_every_finding_about_one_of_many_things_can_be_told_of_many(code: str):
    assert f"findings.many.{code}" in catalogue()


def test_every_remedy_is_a_button_that_does_it_explains_it_or_leads_to_where_it_is_done():
    for finding in everything():
        said = line_of([finding], reader())
        ways = ((said.mend, said.act, said.told, said.href), (said.also, said.also_act, said.also_told, said.also_href))
        for remedy, (label, *done) in zip((*finding.remedies, "", ""), ways, strict=False):
            assert bool(label) == bool(remedy), (finding.code, remedy)
            assert len([each for each in done if each]) == bool(remedy), (finding.code, remedy, done)


@pytest.mark.parametrize(
    ("code", "remedy", "place"),
    [
        ("account_error", "reconnect", "/accounts?open=reconnect&account={thing}"),
        ("mailbox_not_read", "reconnect", "/accounts?open=reconnect&account={thing}"),
        ("account_quota", "add_account", "/accounts?open=connect"),
        ("campaign_no_account", "choose_accounts", "/campaigns/{thing}/timing"),
        ("campaign_text_fault", "edit_mail", "/campaigns/{thing}?step=n1"),
        ("campaign_contacts_overdue", "support", "/help/support"),
        ("import_rows_refused", "download_errors", "/downloads/imports/{thing}/errors.csv?bom=true"),
        ("workspace_no_address", "fill_address", "/settings?tab=workspace&field=postal_address"),
    ],
)
def test_a_remedy_that_is_done_elsewhere_leads_to_that_very_place(code: str, remedy: str, place: str):
    finding = next(each for each in everything() if each.code == code and remedy in each.remedies)
    assert place_of(finding, remedy) == place.format(thing=line_of([finding], reader()).thing)


def test_what_is_done_here_and_what_is_explained_are_apart():
    assert not ACTS & TOLD
    told = {line_of([each], reader()).told for each in everything()} - {""}
    assert told == TOLD


def test_of_many_imports_each_rejected_file_is_still_a_file_to_fetch():
    refused = [each for each in everything() if each.code == "import_rows_refused"][:1] * MANY
    said = line_of(refused, reader())
    assert said.also_href == "/contacts/import"
    assert [thing.file for thing in said.things] == [True] * MANY
