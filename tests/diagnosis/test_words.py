"""Every finding, remedy, wait and entry of the guide has its words, in both languages."""

import ast
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import fluenzr_app
from fluenzr_app.accounts.words import WORDS
from fluenzr_app.campaigns.bounced import BouncedContact
from fluenzr_app.campaigns.content import CONTENT_FAULTS
from fluenzr_app.campaigns.waiting import Waiting
from fluenzr_app.campaigns.waiting_words import CODES as WAITS
from fluenzr_app.campaigns.waiting_words import wait_told
from fluenzr_app.diagnosis.accounts import AccountFacts, account_finding
from fluenzr_app.diagnosis.bounces import BounceFacts, SoftFacts, Source, bounce_finding, bounced_finding, soft_finding
from fluenzr_app.diagnosis.campaigns import CampaignFacts, campaign_findings
from fluenzr_app.diagnosis.figures import FigureFacts, figure_findings
from fluenzr_app.diagnosis.findings import Finding
from fluenzr_app.diagnosis.mailboxes import MailboxFacts, mailbox_finding
from fluenzr_app.diagnosis.others import ImportFacts, address_finding, held_finding, import_finding
from fluenzr_app.diagnosis.overdue import OverdueFacts, overdue_finding
from fluenzr_app.diagnosis.running import RunningFacts, clock_finding, not_sending_finding
from fluenzr_app.diagnosis.symptoms import CODES, SYMPTOMS
from fluenzr_app.diagnosis.texts import Blank, TextFacts, TextFault, text_findings
from fluenzr_app.diagnosis.words import remedy_words, symptom_told, told
from fluenzr_app.words.catalogue import Lang

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
AGO, LATER = NOW - timedelta(hours=2), NOW + timedelta(hours=4)
PARIS = ZoneInfo("Europe/Paris")
PACKAGE = Path(fluenzr_app.__file__).parent

ACCOUNT = AccountFacts(1, "sarah@nova.example", "connected", None, "", None, "", None, None, "", 14, 86)
CAMPAIGN = CampaignFacts(7, "Achats", "active", "", None, 30, None, 30, LATER, "sarah@nova.example", 0, 100, 1)
MAILBOX = MailboxFacts(1, "sarah@nova.example", "connected", True, AGO, AGO, "auth_failed", "NO", AGO, None, 5)
RUNNING = RunningFacts(1, AGO, AGO, LATER, 14)
IMPORT = ImportFacts(3, "salon.csv", "done", "", 400, 1_000, AGO)
BOUNCES = BounceFacts(7, "Achats", "active", "", None, 100, 3, 3, (Source("group", 3, "Salon", 3),))
GONE = [BouncedContact(n, cause, "", AGO) for n, cause in enumerate(("unknown_user", "spam", ""))]
OVERDUE = OverdueFacts(7, "Achats", True, True, AGO, False, 2, AGO)
MENDED = ("account_error", "no_account", "window_never_opens", "campaign_paused", "uncertain", "account_removed")
BLANKS = (Blank("company", "Un", "n1", 2), Blank("phone", "Un", "n1", 1))
WAITING = (
    "outside_window", "daily_cap", "ramp_cap", "hourly_cap", "new_contacts_cap", "no_account", "account_removed",
    "window_never_opens",
)  # fmt: skip


def everything() -> list[Finding]:
    """Every kind of finding in every case that is said in a way of its own."""
    made: list[Finding | None] = [
        *(account_finding(replace(ACCOUNT, status="error", error_code=code, error_since=AGO), NOW)
          for code in (*WORDS, "unheard_of")),
        account_finding(
            replace(ACCOUNT, status="error", error_code="timeout", error_since=AGO, waiting=0, backoff_until=LATER), NOW
        ),
        account_finding(replace(ACCOUNT, status="paused", pause_reason="quota", paused_until=LATER), NOW),
        account_finding(replace(ACCOUNT, status="paused", pause_reason="quota", paused_until=LATER, sent_24h=0), NOW),
        account_finding(replace(ACCOUNT, status="paused", pause_reason="user"), NOW),
        account_finding(replace(ACCOUNT, backoff_until=LATER), NOW),
        *(found for code in WAITING for found in campaign_findings(replace(CAMPAIGN, waiting_code=code), NOW)),
        *campaign_findings(replace(CAMPAIGN, walking=0), NOW),
        *campaign_findings(replace(CAMPAIGN, walking=0, excluded=1), NOW),
        *campaign_findings(replace(CAMPAIGN, walking=0, excluded=9), NOW),
        *campaign_findings(replace(CAMPAIGN, status="completed", sent=0, excluded=9, completed_at=AGO), NOW),
        *campaign_findings(replace(CAMPAIGN, uncertain=2), NOW),
        *campaign_findings(replace(CAMPAIGN, status="paused", pause_reason="other", paused_at=AGO), NOW),
        bounce_finding(BOUNCES), bounce_finding(replace(BOUNCES, sources=())),
        bounce_finding(replace(BOUNCES, status="paused", pause_reason="bounce_brake", paused_at=AGO)),
        bounced_finding(GONE), soft_finding(SoftFacts(7, "Achats", 4, LATER, 1), NOW),
        mailbox_finding(MAILBOX, NOW), mailbox_finding(replace(MAILBOX, error_code="", waiting=0), NOW),
        *(import_finding(replace(IMPORT, **change)) for change in
          ({"status": "failed"}, {"refused": 1}, {"refused": 12}, {"existing": 900})),
        address_finding("", 1), held_finding("restored", AGO, 3), held_finding("stood_still", AGO, 3),
        not_sending_finding(RUNNING, NOW), not_sending_finding(replace(RUNNING, waiting=0), NOW),
        clock_finding(RUNNING, NOW), overdue_finding(OVERDUE, NOW),
        *figure_findings(FigureFacts(3, AGO, 12, AGO), NOW), *figure_findings(FigureFacts(1, AGO, 1, AGO), NOW),
        *(found for fault in CONTENT_FAULTS
          for found in text_findings(TextFacts(7, "Achats", (TextFault(fault, "Un", "n1", 2, AGO),)))),
        *text_findings(TextFacts(7, "Achats", (), (Blank("company", "Un", "n1", 2),))),
        *text_findings(TextFacts(7, "Achats", (), BLANKS, False)),
    ]  # fmt: skip
    return [each for each in made if each is not None]


def whole(text: str) -> bool:
    """Whether nothing of the making shows: a place, a key, two spaces."""
    left = text.replace("{{company}}", "").replace("{{company|mot}}", "").replace("{{company|word}}", "")
    return bool(text) and not set("{}[]") & set(left) and "  " not in text and "diagnosis." not in text


def test_the_findings_made_here_are_all_that_there_are():
    assert {each.code for each in everything()} == CODES


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_every_finding_says_what_and_why_and_names_each_of_its_remedies(lang: Lang):
    for finding in everything():
        for group in ([finding], [finding, finding]):
            said = told(group, lang, NOW, PARIS)
            assert whole(said.what), (finding.code, said.what)
            assert whole(said.why), (finding.code, said.why)
            assert said.why.endswith((".", "»", "”")), said.why
            assert (said.mend_words == "") == (not finding.remedies)
            assert (said.since == "") == (finding.since is None and finding.resumes_at is None), finding.code
        assert all(whole(remedy_words(remedy, lang)) for remedy in finding.remedies)


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_whatever_has_to_be_mended_offers_a_remedy(lang: Lang):
    for finding in everything():
        if finding.severity != "waits" and finding.code != "account_quota":
            assert finding.remedies, finding.code


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_every_reason_to_wait_has_words_and_those_that_do_not_end_by_themselves_a_mend(lang: Lang):
    named = wait_told(Waiting("unheard_of"), lang, NOW, PARIS)
    for code in WAITS:
        said = wait_told(
            Waiting(code, LATER, {"email": "sarah@nova.example", "attempt": 2, "attempts": 5}), lang, NOW, PARIS
        )
        assert whole(said.what), code
        assert whole(said.why), code
        assert said.until.endswith("14:00."), code
        assert said.why != named.why, code
    for code in (
        "account_error",
        "no_account",
        "window_never_opens",
        "campaign_paused",
        "uncertain",
        "account_removed",
    ):
        said = wait_told(Waiting(code), lang, NOW, PARIS)
        assert said.mend_words, code
        assert said.until == ""


def test_the_reasons_to_wait_that_have_words_are_all_that_the_software_gives():
    given = {code for name in ("Waiting", "Wait") for code in codes_given_to(name)}
    assert {"soft_bounce", "company_cap", "turn", "held"} <= given
    assert given <= set(WAITS)


def codes_given_to(name: str) -> set[str]:
    """The texts that the engine's source gives as the first argument of calls of `name`."""
    sources = [path for room in ("campaigns", "sending", "inbox") for path in (PACKAGE / room).rglob("*.py")]
    calls = [
        node
        for path in sources
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name and node.args
    ]
    return {
        each.value
        for call in calls
        for each in ast.walk(call.args[0])
        if isinstance(each, ast.Constant)
        and isinstance(each.value, str)
        and not isinstance(call.args[0], ast.JoinedStr)
    }


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_each_entry_of_the_guide_says_what_is_seen_what_is_checked_and_what_to_do(lang: Lang):
    for symptom in SYMPTOMS:
        said = symptom_told(symptom, lang)
        assert not said.title.endswith("."), symptom.key
        for sentence in (said.seen, said.checks, said.do):
            assert whole(sentence)
            assert sentence.endswith("."), sentence
            assert "!" not in sentence
