"""On a reply, by option, the sequence stops for the others of the same company too (campaigns.md, Settings)."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from fluenzr_app.campaigns import service
from fluenzr_app.campaigns.replies import stop_on_reply
from fluenzr_app.mail.transport import SendFailure
from tests.engine_world import ALWAYS, OFFICE_HOURS, ON_POSTGRESQL, TWO_MAILS
from tests.inbox.world import InboxWorld

FULL = SendFailure("recipient", "4.2.2 Mailbox full", code=452)
STOPS = {**ALWAYS, "stopCompanyOnReply": True}


def ends(inbox: InboxWorld, campaign_id: int) -> list[tuple[str, str]]:
    return [
        (row[0], row[1])
        for row in inbox.rows(
            "SELECT status, end_reason FROM enrollment WHERE campaign_id = :id ORDER BY contact_id", id=campaign_id
        )
    ]


async def test_a_reply_stops_the_colleagues_in_campaigns_that_ask_for_it_and_nobody_else(inbox: InboxWorld) -> None:
    account = inbox.account()
    colleagues, others = inbox.people(3, domain="chantier.example"), inbox.people(1, "o", domain="quai.example")
    asks = inbox.campaign([account], [*colleagues, *others], TWO_MAILS, STOPS)
    silent = inbox.campaign([account], colleagues, TWO_MAILS)
    await inbox.tick()
    inbox.answer(inbox.office.mails_to("p0@chantier.example")[0], "Oui, volontiers.")
    await inbox.run_for(days=8)
    assert ends(inbox, asks) == [
        ("replied", "replied"), ("removed", "company_replied"), ("removed", "company_replied"), ("completed", ""),
    ]  # fmt: skip
    assert ends(inbox, silent) == [("removed", "replied_elsewhere"), ("completed", ""), ("completed", "")]
    # Two first mails and the follow-up of the campaign that goes on.
    assert [inbox.office.counted()[f"p{n}@chantier.example"] for n in range(3)] == [2, 3, 3]
    assert inbox.rows("SELECT status FROM contact ORDER BY id") == [("replied",), ("active",), ("active",), ("active",)]
    assert inbox.events().count("email.replied") == 1
    inbox.check_books()


async def test_what_was_queued_for_colleagues_is_cancelled_in_the_same_moment(inbox: InboxWorld) -> None:
    account, colleagues = inbox.account(), inbox.people(3, domain="chantier.example")
    inbox.campaign([account], colleagues, TWO_MAILS, STOPS)
    for number in (1, 2):
        inbox.office.script[f"p{number}@chantier.example"].append(FULL)
    await inbox.tick()
    assert inbox.one("SELECT count(*) FROM message WHERE status = 'queued'") == 2
    inbox.answer(inbox.office.taken[0])
    inbox.read()
    assert inbox.rows(
        "SELECT status, reason, count(*) FROM message WHERE status <> 'sent' GROUP BY status, reason"
    ) == [("cancelled", "company_replied", 2)]
    await inbox.run_for(days=8)
    assert len(inbox.office.taken) == 1
    inbox.check_books()


@pytest.mark.parametrize("domain", ["gmail.com", "orange.fr"])
async def test_people_who_share_only_a_webmail_are_no_company(inbox: InboxWorld, domain: str) -> None:
    account, people = inbox.account(), inbox.people(2, domain=domain)
    campaign = inbox.campaign([account], people, TWO_MAILS, STOPS)
    await inbox.tick()
    inbox.answer(inbox.office.mails_to(f"p0@{domain}")[0])
    await inbox.run_for(days=8)
    assert ends(inbox, campaign) == [("replied", "replied"), ("completed", "")]


async def test_a_machine_s_answer_stops_no_colleague(inbox: InboxWorld) -> None:
    account, people = inbox.account(), inbox.people(2, domain="chantier.example")
    inbox.campaign([account], people, TWO_MAILS, STOPS)
    await inbox.tick()
    inbox.answer(inbox.office.mails_to("p0@chantier.example")[0], "Absent.", Auto_Submitted="auto-replied")
    await inbox.run_for(days=8)
    assert inbox.walks() == {"completed": 2}


async def test_a_reply_to_another_campaign_counts_and_those_who_are_through_stay_so(inbox: InboxWorld) -> None:
    account, people = inbox.account(), inbox.people(3, domain="chantier.example")
    through = inbox.campaign([account], people[:2], settings=STOPS)
    await inbox.tick(2)
    paused = inbox.campaign([account], people[1:], TWO_MAILS, {**OFFICE_HOURS, "stopCompanyOnReply": True})
    await inbox.tick()
    inbox.pause(paused)
    inbox.answer(inbox.office.mails_to("p0@chantier.example")[0])
    inbox.read()
    assert ends(inbox, through) == [("replied", "replied"), ("completed", "")]
    assert ends(inbox, paused) == [("removed", "company_replied")] * 2
    inbox.check_books()


def test_the_other_workspace_and_archived_campaigns_are_left_alone(inbox: InboxWorld) -> None:
    account, people = inbox.account(), inbox.people(2, domain="chantier.example")
    draft = inbox.campaign([account], people, TWO_MAILS, STOPS, start=False)
    archived = inbox.campaign([account], people, TWO_MAILS, STOPS, start=False)
    inbox.execute("UPDATE campaign SET status = 'archived' WHERE id = :id", id=archived)
    with inbox.db.transaction() as session:
        assert stop_on_reply(session, inbox.workspace_id + 1, people[0], None, inbox.clock.now()) == 0
        assert stop_on_reply(session, inbox.workspace_id, people[0], None, inbox.clock.now()) == 3
    assert ends(inbox, draft) == [("removed", "replied_elsewhere"), ("removed", "company_replied")]
    assert ends(inbox, archived) == [("removed", "replied_elsewhere"), ("pending", "")]
    inbox.check_books()


def test_a_company_of_thousands_stops_in_one_short_transaction(inbox: InboxWorld) -> None:
    account, people = inbox.account(), inbox.people(2_100, domain="groupe.example")
    inbox.campaign([account], people, TWO_MAILS, STOPS)
    with inbox.statements() as seen, inbox.db.transaction() as session:
        assert stop_on_reply(session, inbox.workspace_id, people[0], None, inbox.clock.now()) == 2_100
    assert seen[""] < 40, "not one for each of them"
    assert inbox.walks() == {"removed": 2_100}
    inbox.check_books()


@ON_POSTGRESQL
def test_colleagues_who_answer_at_the_same_moment_do_not_block_each_other(inbox: InboxWorld) -> None:
    account, people = inbox.account(), inbox.people(40, domain="chantier.example")
    inbox.campaign([account], people, TWO_MAILS, STOPS)
    inbox.campaign([account], people, TWO_MAILS, STOPS)

    def answer(contact_id: int) -> int:
        # Without the second try that `transact` gives after a deadlock.
        with inbox.db.transaction() as session:
            return stop_on_reply(session, inbox.workspace_id, contact_id, None, inbox.clock.now())

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(answer, people)) == 80
    assert inbox.walks() == {"removed": 80}
    inbox.check_books()


def test_the_option_is_off_until_it_is_switched_on_and_a_copy_keeps_it(inbox: InboxWorld) -> None:
    account = inbox.account()
    plain, asks = inbox.campaign([account], [], start=False), inbox.campaign([account], [], settings=STOPS, start=False)
    with inbox.db.transaction() as session:
        assert not service.get_campaign(session, inbox.workspace_id, plain).settings.stop_company_on_reply
        copy = service.duplicate_campaign(session, inbox.workspace_id, asks, "Été", inbox.clock.now())
    assert copy.settings.to_api()["stopCompanyOnReply"] is True
