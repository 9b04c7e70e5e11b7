"""Each finding is a pure function of facts: what is told, how bad it is, what mends it, and when it ends by itself."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from fluenzr_app.diagnosis.accounts import AccountFacts, account_finding
from fluenzr_app.diagnosis.campaigns import CampaignFacts, campaign_findings
from fluenzr_app.diagnosis.findings import Finding, Subject, in_order, merged
from fluenzr_app.diagnosis.others import ImportFacts, address_finding, held_finding, import_finding

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=3)
EARLIER = NOW - timedelta(hours=7)

ACCOUNT = AccountFacts(1, "sarah@nova.example", "connected", None, "", None, "", None, None, "", 14, 86)
CAMPAIGN = CampaignFacts(7, "Achats", "active", "", None, 30, "turn", 30, NOW, "", 0, 100, 1)
IMPORT = ImportFacts(3, "salon.csv", "failed", "disk_full", 400, 1_000, EARLIER)


def test_an_account_that_sends_is_no_finding():
    assert account_finding(ACCOUNT, NOW) is None


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        ("auth_failed", "reconnect"),
        ("app_password_required", "reconnect"),
        ("dns_failure", "edit_servers"),
        ("blocked_by_policy", "ask_provider"),
        ("something_unheard_of", "retry"),
    ],
)
def test_an_account_in_error_says_since_when_and_how_many_messages_wait(code: str, remedy: str):
    facts = replace(ACCOUNT, status="error", error_code=code, error_message="535 5.7.8", error_since=EARLIER)
    found = account_finding(facts, NOW)
    assert found is not None
    assert (found.code, found.severity, found.since, found.remedies) == ("account_error", "broken", EARLIER, (remedy,))
    assert found.params["waiting"] == 14
    assert found.params["serverWords"] == "535 5.7.8"
    assert found.subject == Subject("account", 1, "sarah@nova.example")


def test_a_quota_pause_says_when_it_ends_and_is_over_when_its_time_has_come():
    facts = replace(ACCOUNT, status="paused", pause_reason="quota", paused_until=LATER)
    found = account_finding(facts, NOW)
    assert found is not None
    assert (found.code, found.severity, found.resumes_at) == ("account_quota", "slowed", LATER)
    assert found.remedies == ("add_account",)
    assert found.params["sent"] == 86
    assert account_finding(facts, LATER) is None


def test_a_pause_by_hand_is_told_only_while_messages_wait_for_it():
    facts = replace(ACCOUNT, status="paused", pause_reason="user")
    found = account_finding(facts, NOW)
    assert found is not None
    assert (found.code, found.remedies) == ("account_paused", ("resume",))
    assert account_finding(replace(facts, waiting=0), NOW) is None


def test_a_back_off_waits_by_itself_until_its_end():
    facts = replace(ACCOUNT, backoff_until=LATER, backoff_reason="rate_limited")
    found = account_finding(facts, NOW)
    assert found is not None
    assert (found.severity, found.remedies, found.resumes_at) == ("waits", (), LATER)
    assert account_finding(facts, LATER) is None


def test_a_campaign_whose_contacts_only_wait_for_their_turn_is_no_finding():
    assert campaign_findings(CAMPAIGN, NOW) == []


@pytest.mark.parametrize(
    ("waiting", "remedy"),
    [("no_account", "choose_accounts"), ("account_removed", "choose_accounts"), ("window_never_opens", "edit_window")],
)
def test_a_campaign_that_somebody_must_mend_is_broken(waiting: str, remedy: str):
    (found,) = campaign_findings(replace(CAMPAIGN, waiting_code=waiting, resumes_at=None), NOW)
    assert (found.code, found.severity, found.remedies) == (f"campaign_{waiting}", "broken", (remedy,))
    assert found.params["contacts"] == 30


@pytest.mark.parametrize("waiting", ["outside_window", "daily_cap", "ramp_cap", "hourly_cap"])
def test_a_campaign_that_goes_on_by_itself_says_when_and_asks_for_nothing(waiting: str):
    (found,) = campaign_findings(replace(CAMPAIGN, waiting_code=waiting, resumes_at=LATER), NOW)
    assert (found.severity, found.remedies, found.resumes_at) == ("waits", (), LATER)
    assert campaign_findings(replace(CAMPAIGN, waiting_code=waiting, resumes_at=NOW), NOW) == []


@pytest.mark.parametrize("waiting", ["account_error", "account_paused", "account_backing_off", "held"])
def test_what_is_told_of_the_account_or_of_the_installation_is_not_told_again_of_each_campaign(waiting: str):
    assert campaign_findings(replace(CAMPAIGN, waiting_code=waiting, resumes_at=None), NOW) == []


def test_an_active_campaign_without_contacts_under_way_asks_for_some():
    (found,) = campaign_findings(replace(CAMPAIGN, walking=0, waiting_code=None), NOW)
    assert (found.code, found.remedies) == ("campaign_no_contacts", ("add_contacts",))


def test_a_pause_by_the_software_is_a_finding_and_one_by_hand_is_not():
    stopped = replace(CAMPAIGN, status="paused", pause_reason="complaints", paused_at=EARLIER, sent=151, bounced=11)
    (found,) = campaign_findings(stopped, NOW)
    assert (found.code, found.severity, found.since) == ("campaign_paused", "broken", EARLIER)
    assert found.remedies == ("see_campaign",)
    assert campaign_findings(replace(stopped, pause_reason=""), NOW) == []
    # The brake's is told together with where the bounces come from (test_bounces.py).
    assert campaign_findings(replace(stopped, pause_reason="bounce_brake"), NOW) == []


def test_uncertain_messages_are_told_beside_what_holds_the_campaign_up():
    found = campaign_findings(replace(CAMPAIGN, waiting_code="outside_window", resumes_at=LATER, uncertain=2), NOW)
    assert [each.code for each in found] == ["campaign_outside_window", "campaign_uncertain"]
    assert (found[1].params["messages"], found[1].remedies) == (2, ("decide",))


def test_a_held_installation_says_why_and_since_when():
    found = held_finding("restored", EARLIER, 9)
    assert (found.severity, found.since, found.remedies) == ("broken", EARLIER, ("release",))
    assert found.params == {"reason": "restored", "waiting": 9}


def test_only_an_import_that_failed_is_a_finding():
    found = import_finding(IMPORT)
    assert found is not None
    assert (found.subject.name, found.params["rowsDone"], found.remedies) == ("salon.csv", 400, ("see_import",))
    assert import_finding(replace(IMPORT, status="done")) is None
    assert import_finding(replace(IMPORT, status="cancelled")) is None


@pytest.mark.parametrize(
    ("address", "active", "told"), [("", 1, True), ("  \n", 2, True), ("", 0, False), ("x", 1, False)]
)
def test_a_missing_postal_address_is_advice_while_something_is_sent(address: str, active: int, told: bool):
    found = address_finding(address, active)
    assert (found is not None) is told
    assert found is None or found.severity == "advice"


def test_what_is_broken_comes_first_and_the_oldest_of_it_before_the_others():
    thing = Subject("campaign", 1, "x")
    waits = Finding("w", "waits", thing, resumes_at=LATER)
    advice = Finding("a", "advice", thing)
    young = Finding("y", "broken", thing, since=NOW)
    old = Finding("o", "broken", thing, since=EARLIER)
    undated = Finding("u", "broken", thing)
    slowed = Finding("s", "slowed", thing)
    assert in_order([waits, advice, undated, young, slowed, old]) == [old, young, undated, slowed, advice, waits]


def test_what_waits_for_the_same_reason_is_one_entry_and_what_must_be_mended_is_not():
    one, two = Subject("campaign", 1, "a"), Subject("campaign", 2, "b")
    closed = [Finding("campaign_outside_window", "waits", thing, resumes_at=LATER) for thing in (one, two)]
    stuck = [Finding("campaign_no_account", "broken", thing) for thing in (one, two)]
    assert merged([*stuck, *closed]) == [(stuck[0],), (stuck[1],), tuple(closed)]
