"""Openings and clicks as values of a page: rates, classes, where a switch is; and a line of a contact's history."""

from datetime import UTC, datetime

import pytest

from fluenzr_app.campaigns.counts import Counts
from fluenzr_app.campaigns.history import HistoryLine
from fluenzr_app.ui.pages.campaign_figures import clicks_of, opens_of
from fluenzr_app.ui.pages.contacts_card_history import history_row
from fluenzr_app.words.catalogue import catalogue

CAMPAIGN = "cmp_12345678"
RULES = (
    "head", "prefetch", "proxy_apple", "proxy_gmail", "proxy_yahoo", "proxy_other", "scanner", "link_preview",
    "network", "agent", "no_agent", "trap", "all_links", "too_soon", "burst", "by_click",
)  # fmt: skip


def test_a_rate_is_a_share_of_the_delivered_with_its_class():
    counts = Counts(sent=210, bounced=10, opened=90, clicked=2, machine_opened=7, machine_clicked=3)
    opens, clicks = opens_of(counts), clicks_of(counts)
    assert (opens.share, opens.judgement, opens.count, opens.delivered, opens.machines) == (
        0.45, "excellent", 90, 200, 7,
    )  # fmt: skip
    assert (clicks.share, clicks.judgement, clicks.machines, clicks.off, clicks.href) == (0.01, "average", 3, "", "")


@pytest.mark.parametrize(
    ("off", "href"),
    [
        ("workspace", "/settings?tab=privacy"),
        ("campaign", f"/campaigns/{CAMPAIGN}/timing"),
        ("plain_text", f"/campaigns/{CAMPAIGN}/timing"),
        ("mails", f"/campaigns/{CAMPAIGN}"),
        ("mail", f"/campaigns/{CAMPAIGN}"),
    ],
)
def test_what_is_off_has_no_rate_and_no_class_and_leads_to_its_switch(off: str, href: str):
    opens = opens_of(Counts(sent=100, opened=50, opens_off=off), CAMPAIGN)
    assert (opens.share, opens.judgement, opens.off, opens.href) == (None, "", off, href)
    assert f"figures.off_because.{off}" in catalogue()


def line(kind: str, *, machine: bool = False, **data: str) -> HistoryLine:
    return HistoryLine(1, kind, datetime(2026, 3, 2, tzinfo=UTC), "Bonjour", None, "", machine, data)


def test_a_line_of_the_history_tells_the_link_of_a_person_and_the_rule_of_a_machine():
    person = history_row(line("email.link_clicked", rule="person", link="https://a.example/"), {})
    assert (person.link, person.rule, person.machine) == ("https://a.example/", "person", False)
    machine = history_row(line("email.clicked", machine=True, rule="all_links", link="https://a.example/"), {})
    assert (machine.link, machine.rule, machine.machine) == ("", "all_links", True)
    bounced = history_row(line("email.bounced", rule="x", link="y", text="550 no"), {})
    assert (bounced.link, bounced.rule, bounced.detail) == ("", "", "550 no")


def test_every_rule_by_which_hits_are_judged_has_words():
    assert [rule for rule in RULES if f"figures.rule.{rule}" not in catalogue()] == []
