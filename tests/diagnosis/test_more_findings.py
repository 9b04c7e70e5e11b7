"""Findings about processes, clocks, texts, audiences, queues, imports and figures are functions of facts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from fluenzr_app.accounts.words import WORDS
from fluenzr_app.diagnosis.accounts import STAGES, AccountFacts, account_finding
from fluenzr_app.diagnosis.campaigns import CampaignFacts, campaign_findings
from fluenzr_app.diagnosis.figures import FigureFacts, figure_findings
from fluenzr_app.diagnosis.others import ImportFacts, import_finding
from fluenzr_app.diagnosis.overdue import OverdueFacts, SenderFacts, overdue_finding
from fluenzr_app.diagnosis.running import RunningFacts, clock_finding, not_sending_finding
from fluenzr_app.diagnosis.symptoms import SYMPTOMS, number_of, symptom_of
from fluenzr_app.diagnosis.texts import Blank, TextFacts, TextFault, text_findings

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
AGO = NOW - timedelta(minutes=61)
SECOND = timedelta(seconds=1)

CAMPAIGN = CampaignFacts(7, "Achats", "active", "", None, 0, None, 0, None, "", 0, 0, 0)
RUNNING = RunningFacts(1, NOW, NOW - timedelta(days=1), None, 14)
SENDER = SenderFacts(True, 5, AGO, 3, AGO)
OVERDUE = OverdueFacts(7, "Achats", True, True, AGO, False, 0, None, (SENDER,))
IMPORT = ImportFacts(3, "salon.csv", "done", "", 100, 100, NOW)
ACCOUNT = AccountFacts(1, "sarah@nova.example", "error", "", "", None, "", None, None, "", 0, 0)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, "campaign_no_contacts"),
        ({"excluded": 4}, "campaign_all_excluded"),
        ({"excluded": 4, "finished": 1}, None),
        ({"finished": 9}, None),
        ({"faulty": 2}, None),
        ({"walking": 1, "excluded": 4}, None),
        ({"status": "completed", "excluded": 4}, "campaign_all_excluded"),
        ({"status": "completed", "excluded": 4, "sent": 1}, None),
        ({"status": "completed"}, None),
        ({"status": "draft", "excluded": 4}, None),
    ],
)
def test_nobody_left_is_told_apart_from_nobody_added_and_from_all_done(changes: dict[str, int], code: str | None):
    found = campaign_findings(replace(CAMPAIGN, **changes), NOW)  # type: ignore[arg-type]
    assert [each.code for each in found] == ([] if code is None else [code])


def test_an_active_campaign_needs_a_sign_of_life_within_a_minute():
    assert not_sending_finding(RUNNING, NOW + 60 * SECOND) is None
    found = not_sending_finding(RUNNING, NOW + 61 * SECOND)
    assert found is not None
    assert (found.code, found.severity, found.since) == ("installation_not_sending", "broken", NOW)
    assert found.params == {"campaigns": 1, "waiting": 14}
    assert not_sending_finding(replace(RUNNING, active_campaigns=0), NOW + timedelta(days=1)) is None
    # Another machine's clock may be ahead of ours.
    assert not_sending_finding(replace(RUNNING, beat_at=NOW + timedelta(hours=1)), NOW) is None


def test_a_process_that_left_in_good_order_or_never_came_does_not_send():
    left = not_sending_finding(replace(RUNNING, running_since=None), NOW)
    assert left is not None
    assert left.since == NOW
    never = not_sending_finding(replace(RUNNING, running_since=None, beat_at=None), NOW)
    assert never is not None
    assert never.since is None


def test_a_clock_that_went_back_is_told_until_it_has_caught_up():
    ahead = replace(RUNNING, newest_attempt=NOW + timedelta(minutes=90))
    found = clock_finding(ahead, NOW)
    assert found is not None
    assert (found.code, found.resumes_at) == ("installation_clock", NOW + timedelta(minutes=90))
    assert found.params["minutes"] == 90
    assert clock_finding(ahead, NOW + timedelta(minutes=85)) is None
    assert clock_finding(RUNNING, NOW) is None


@pytest.mark.parametrize(
    "facts",
    [
        replace(OVERDUE, running=False),
        replace(OVERDUE, open=False),
        replace(OVERDUE, resumed_at=NOW - timedelta(minutes=59)),
        replace(OVERDUE, capped=True),
        replace(OVERDUE, senders=(replace(SENDER, room=0),)),
        replace(OVERDUE, senders=(replace(SENDER, usable=False),)),
        replace(OVERDUE, senders=(replace(SENDER, quiet_since=NOW - timedelta(minutes=60)),)),
        replace(OVERDUE, senders=(replace(SENDER, oldest=NOW - timedelta(minutes=60)),)),
        replace(OVERDUE, senders=()),
        replace(OVERDUE, senders=(), unplanned=3, unplanned_since=NOW - timedelta(minutes=60)),
    ],
)
def test_rooms_gaps_windows_caps_and_a_restart_explain_why_somebody_waits(facts: OverdueFacts):
    assert overdue_finding(facts, NOW) is None


def test_whoever_waits_for_over_an_hour_for_nothing_is_told():
    found = overdue_finding(replace(OVERDUE, unplanned=2, unplanned_since=AGO - SECOND), NOW)
    assert found is not None
    assert (found.code, found.severity, found.since) == ("campaign_contacts_overdue", "slowed", AGO - SECOND)
    assert found.params == {"contacts": 5}
    # Follow-ups are queued whatever the window says.
    queued = overdue_finding(replace(OVERDUE, open=False, unplanned=2, unplanned_since=AGO), NOW)
    assert queued is not None
    assert queued.params == {"contacts": 2}


def test_texts_name_the_worst_mail_and_variable_and_count_the_others():
    faults = (TextFault("empty_subject", "Premier", "n1", 2, NOW), TextFault("output_too_large", "", "n3", 5, AGO))
    blanks = (Blank("company", "Premier", "n1", 2), Blank("firstName", "Relance", "n3", 9))
    fault, blank = text_findings(TextFacts(7, "Achats", faults, blanks, False))
    assert (fault.code, fault.severity, fault.since) == ("campaign_text_fault", "broken", AGO)
    assert (fault.params["contacts"], fault.params["fault"], fault.params["mails"]) == (7, "output_too_large", 2)
    assert (blank.code, blank.severity) == ("campaign_blank_variable", "advice")
    assert (blank.params["variable"], blank.params["contacts"], blank.params["others"]) == ("firstName", 9, 1)
    assert blank.params["atLeast"]
    assert text_findings(TextFacts(7, "Achats")) == []


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        (IMPORT, None),
        (replace(IMPORT, refused=1), "import_rows_refused"),
        (replace(IMPORT, existing=49), None),
        (replace(IMPORT, existing=50), "import_rows_existing"),
        (replace(IMPORT, refused=1, existing=90), "import_rows_refused"),
        (replace(IMPORT, status="cancelled", refused=1), None),
    ],
)
def test_an_import_tells_what_it_left_out(facts: ImportFacts, code: str | None):
    found = import_finding(facts)
    assert (None if found is None else found.code) == code


def test_figures_are_behind_after_two_minutes_and_a_repair_is_told_for_a_week():
    facts = FigureFacts(3, NOW, 12, NOW)
    later = NOW + timedelta(minutes=2, seconds=1)
    assert [each.code for each in figure_findings(facts, NOW + timedelta(minutes=2))] == ["figures_repaired"]
    assert [each.code for each in figure_findings(facts, later)] == ["figures_behind", "figures_repaired"]
    assert figure_findings(replace(facts, unjudged=0, oldest=None), NOW + timedelta(days=7)) == []


def test_each_error_of_an_account_has_its_stage_and_its_entry_of_the_guide():
    assert set(STAGES) == set(WORDS)
    entries = {}
    for code in (*WORDS, "unheard_of"):
        found = account_finding(replace(ACCOUNT, error_code=code), NOW)
        assert found is not None
        entries[code] = number_of(found)
    assert (entries["token_expired"], entries["tls_mode_mismatch"], entries["admin_consent_required"]) == (3, 5, 25)
    assert entries["unheard_of"] == 3


def test_the_guide_has_26_entries_in_order_and_each_code_belongs_to_one():
    assert [each.number for each in SYMPTOMS] == list(range(1, 27))
    codes = [code for each in SYMPTOMS for code in each.codes]
    assert len(codes) == len(set(codes))
    assert len({each.key for each in SYMPTOMS}) == 26
    assert symptom_of("campaign_soft_bounces") == 17
    assert symptom_of("unheard_of") is None
