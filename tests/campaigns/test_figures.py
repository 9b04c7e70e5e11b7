"""The figures of a campaign, of its mails and of their links, and why some are not asked after."""

import random
from collections import Counter
from datetime import timedelta

import pytest
from sqlmodel import Session

from fluenzr_app.campaigns import service
from fluenzr_app.campaigns.counts import workspace_counts
from fluenzr_app.campaigns.errors import CampaignNotFound
from fluenzr_app.campaigns.figures import LinkStats, campaign_stats, link_stats, mail_stats
from fluenzr_app.campaigns.nodes import EmailNode
from fluenzr_app.campaigns.rates import judge, judge_of, rate
from fluenzr_app.campaigns.steps import linear_workflow
from fluenzr_app.campaigns.workflow_store import node_ids
from fluenzr_app.clock import ManualClock
from fluenzr_app.db.engine import Database
from fluenzr_app.events.figures import verify
from fluenzr_app.workspaces.service import get_workspace
from tests.campaigns.planted import Mail, bounced, clicked, opened, sent
from tests.people import People

LINKS = ("https://rivage.example/prix", "https://rivage.example/{{company}}", "https://rivage.example/é?a=1&b=2")


def a_campaign(session: Session, people: People, clock: ManualClock, *mails: EmailNode, **settings: bool) -> int:
    """A campaign with these mails, or with two; gives its key."""
    steps = mails or (EmailNode("n1", "First", "Hello", "<p>Hi</p>"), EmailNode("n2", "Second", "", "<p>Hi again</p>"))
    made = service.create_campaign(
        session, people.workspace_id, "Spring", clock.now(), workflow=linear_workflow(steps), settings=settings
    )
    return made.id


def test_figures_count_each_mail_once_leave_machines_beside_and_equal_a_recount(
    database: Database, people: People, clock: ManualClock, rng: random.Random
):
    now, told = clock.now(), Counter[str]()
    by_link: Counter[tuple[str, str, bool]] = Counter()
    with database.transaction() as session:
        campaign = a_campaign(session, people, clock)
        nodes = node_ids(session, campaign)
        mails = [
            Mail(people.workspace_id, 100 + n, n % 40, campaign, nodes["n1" if n < 40 else "n2"]) for n in range(60)
        ]
        sent(session, mails, now)
        for mail in mails:
            key = "n1" if mail.node_id == nodes["n1"] else "n2"
            at = now + timedelta(minutes=rng.randrange(1, 5000))
            chance = rng.random()
            if chance < 0.1:
                bounced(session, mail, at)
                told[f"bounced {key}"] += 1
                continue
            if chance < 0.6:
                told[f"opened {key}"] += 1
                assert opened(session, mail, at, rng.choice(["person", "proxy_gmail"])) == 1
                # The same mail opened again, and the same hit judged again: neither counts.
                assert opened(session, mail, at + timedelta(hours=3)) == 0
            if chance < 0.3:
                some = rng.sample(LINKS, rng.randrange(1, 4))
                clicked(session, mail, at, some)
                told[f"clicked {key}"] += 1
                by_link.update((key, link, False) for link in some)
            if rng.random() < 0.4:
                opened(session, mail, now + timedelta(seconds=2), "scanner", machine=True)
                clicked(session, mail, now + timedelta(seconds=2), LINKS, "all_links", machine=True)
                told[f"machine {key}"] += 1
                by_link.update((key, link, True) for link in LINKS)
    with database.read() as session:
        whole = campaign_stats(session, people.workspace_id, campaign)
        first, second = mail_stats(session, people.workspace_id, campaign)
        assert verify(session) == []
        for key, number, stats in (("n1", 40, first), ("n2", 20, second)):
            assert (stats.node_id, stats.sent, stats.bounced) == (key, number, told[f"bounced {key}"])
            assert (stats.opened, stats.clicked) == (told[f"opened {key}"], told[f"clicked {key}"])
            assert (stats.machine_opened, stats.machine_clicked) == (told[f"machine {key}"],) * 2
            assert stats.open_rate == round(100 * told[f"opened {key}"] / (number - told[f"bounced {key}"]), 1)
        for name in ("sent", "delivered", "opened", "clicked", "machine_opened", "machine_clicked"):
            assert getattr(whole, name) == getattr(first, name) + getattr(second, name), name
        assert whole.opened > whole.clicked > 0 < whole.machine_opened
        overall = workspace_counts(session, people.workspace_id, now - timedelta(days=1))
        assert (overall.opened, overall.machine_clicked) == (whole.opened, whole.machine_clicked)
        assert workspace_counts(session, people.workspace_id, now + timedelta(days=9)).opened == 0
        links = link_stats(session, people.workspace_id, campaign)
        assert (
            Counter(
                {(each.node_id, each.link, True): each.machine_clicked for each in links}
                | {(each.node_id, each.link, False): each.clicked for each in links}
            )
            == by_link
        )
        assert [each.node_id for each in links] == sorted(each.node_id for each in links)
        line = service.list_campaigns(session, people.workspace_id).lines[0]
        assert (line.counts.opened, line.counts.machine_opened) == (whole.opened, whole.machine_opened)
        assert line.counts.click_rate == whole.click_rate


def test_links_are_those_of_the_campaign_and_of_mails_that_are_still_in_it(
    database: Database, people: People, clock: ManualClock
):
    now = clock.now()
    with database.transaction() as session:
        campaign, other = a_campaign(session, people, clock), a_campaign(session, people, clock)
        node, gone = node_ids(session, campaign)["n1"], 99_999
        clicked(session, Mail(people.workspace_id, 1, 1, campaign, node), now, ["https://a.example/"])
        clicked(session, Mail(people.workspace_id, 2, 2, campaign, node), now, ["https://b.example/"])
        clicked(session, Mail(people.workspace_id, 3, 3, campaign, node), now, ["https://b.example/"])
        clicked(session, Mail(people.workspace_id, 4, 4, campaign, node), now, [], "trap", machine=True)
        clicked(session, Mail(people.workspace_id, 5, 5, campaign, gone), now, ["https://c.example/"])
        other_node = node_ids(session, other)["n1"]
        clicked(session, Mail(people.workspace_id, 6, 6, other, other_node), now, ["https://d.example/"])
        assert link_stats(session, people.workspace_id, campaign) == [
            LinkStats("n1", "https://b.example/", 2, 0),
            LinkStats("n1", "https://a.example/", 1, 0),
        ]
        with pytest.raises(CampaignNotFound):
            link_stats(session, people.other_workspace_id, campaign)


@pytest.mark.parametrize(
    ("workspace", "settings", "mails", "whole", "each"),
    [
        ({}, {}, [(True, True), (True, True)], ("", ""), [("", ""), ("", "")]),
        ({"track_opens": False}, {"trackOpens": False}, [(False, True), (True, True)], ("workspace", ""),
         [("workspace", ""), ("workspace", "")]),
        ({}, {"trackClicks": False}, [(True, False), (True, True)], ("", "campaign"), [("", "campaign")] * 2),
        ({}, {}, [(False, True), (True, False)], ("", ""), [("mail", ""), ("", "mail")]),
        ({}, {}, [(False, False), (False, True)], ("mails", ""), [("mail", "mail"), ("mail", "")]),
        ({}, {"firstMailPlain": True}, [(True, True)], ("plain_text", "plain_text"), [("plain_text", "plain_text")]),
        ({}, {"firstMailPlain": True}, [(True, True), (False, True)], ("mails", ""),
         [("plain_text", "plain_text"), ("mail", "")]),
    ],
)  # fmt: skip
def test_what_is_not_asked_after_says_by_which_switch_and_has_no_rate(
    database: Database, people: People, clock: ManualClock, workspace, settings, mails, whole, each
):
    with database.transaction() as session:
        for switch, on in workspace.items():
            setattr(get_workspace(session, people.workspace_id), switch, on)
        nodes = [
            EmailNode(f"n{place}", "Mail", "Hello", "<p>Hi</p>", track_opens=opens, track_clicks=clicks)
            for place, (opens, clicks) in enumerate(mails)
        ]
        campaign = a_campaign(session, people, clock, *nodes, **settings)
        some = [
            Mail(people.workspace_id, place, place, campaign, node_ids(session, campaign)[node.id])
            for place, node in enumerate(nodes)
        ]
        sent(session, some, clock.now())
        for mail in some:
            opened(session, mail, clock.now())
            clicked(session, mail, clock.now(), LINKS)
    with database.read() as session:
        stats = campaign_stats(session, people.workspace_id, campaign)
        assert (stats.opens_off, stats.clicks_off) == whole
        assert (stats.open_rate, stats.click_rate) == tuple(None if off else 100.0 for off in whole)
        # What was counted before a switch went off stays counted.
        assert stats.opened == stats.clicked == len(mails)
        found = mail_stats(session, people.workspace_id, campaign)
        assert [(mail.opens_off, mail.clicks_off) for mail in found] == each
        assert [mail.click_rate is None for mail in found] == [off != "" for _, off in each]
        line = service.list_campaigns(session, people.workspace_id).lines[0]
        assert (line.counts.opens_off, line.counts.clicks_off) == whole


def test_a_campaign_from_which_nothing_left_has_no_rates(database: Database, people: People, clock: ManualClock):
    with database.transaction() as session:
        stats = campaign_stats(session, people.workspace_id, a_campaign(session, people, clock))
        assert (stats.opens_off, stats.opened) == ("", 0)
        assert (stats.open_rate, stats.click_rate, stats.reply_rate, stats.bounce_rate) == (None, None, None, None)


@pytest.mark.parametrize(
    ("kind", "percent", "worth"),
    [
        ("open", 40.1, "excellent"), ("open", 40.0, "good"), ("open", 25.0, "good"), ("open", 24.9, "average"),
        ("open", 15.0, "average"), ("open", 14.9, "low"), ("open", 0.0, "low"), ("open", None, ""),
        ("click", 5.1, "excellent"), ("click", 5.0, "good"), ("click", 2.0, "good"), ("click", 1.9, "average"),
        ("click", 1.0, "average"), ("click", 0.9, "low"), ("reply", 5.0, "good"), ("reply", None, ""),
    ],
)  # fmt: skip
def test_a_rate_has_the_class_of_the_table(kind, percent, worth):
    assert judge(kind, percent) == worth


def test_a_rate_of_a_few_mails_is_too_early_to_judge():
    assert (judge_of("open", 50.0, 19), judge_of("open", 50.0, 20)) == ("early", "excellent")
    assert (judge_of("click", 1.0, 99), judge_of("click", 1.0, 100)) == ("early", "average")
    assert judge_of("open", None, 0) == ""
    assert (rate(1, 3), rate(0, 5), rate(1, 0)) == (33.3, 0.0, None)
