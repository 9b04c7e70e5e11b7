"""The sequence stops when somebody answers, bounces or says no; it goes on when a machine answers."""

from datetime import UTC, datetime, timedelta

from fluenzr_app.inbox import stops
from fluenzr_app.inbox.returns import wait_until_return
from tests.engine_world import ON_SQLITE, THREE_MAILS, TWO_MAILS
from tests.inbox.world import InboxWorld

P0, P1 = "p0@firm0.example", "p1@firm1.example"


async def test_a_reply_stops_every_sequence_of_the_contact_and_opens_a_conversation(inbox: InboxWorld) -> None:
    account, people = inbox.account(), inbox.people(2)
    one, two = inbox.campaign([account], people, TWO_MAILS), inbox.campaign([account], people, TWO_MAILS)
    await inbox.tick()
    inbox.answer(inbox.office.mails_to(P0)[0], "Oui, volontiers. Jeudi ?")
    await inbox.run_for(days=8)
    assert len(inbox.office.mails_to(P0)) == 2, "one first mail of each campaign, and nothing after the answer"
    assert len(inbox.office.mails_to(P1)) == 4
    assert inbox.rows("SELECT status, end_reason FROM enrollment WHERE contact_id = :id ORDER BY id", id=people[0]) == [
        ("replied", "replied"),
        ("removed", "replied_elsewhere"),
    ]
    assert inbox.one("SELECT status FROM contact WHERE id = :id", id=people[0]) == "replied"
    assert inbox.kinds() == ["reply"]
    found = inbox.conversation(people[0])
    assert (found.status, found.preview, found.campaign_id) == ("unread", "Oui, volontiers. Jeudi ?", one)
    assert inbox.events().count("email.replied") == 1
    assert inbox.status_of(one) == inbox.status_of(two) == "completed"
    inbox.check_books()


async def test_an_automatic_answer_is_shown_and_stops_nothing(inbox: InboxWorld) -> None:
    account, people = inbox.account(), inbox.people(1)
    inbox.campaign([account], people, TWO_MAILS)
    await inbox.tick()
    first = inbox.office.mails_to(P0)[0]
    inbox.answer(first, "Je suis absente jusqu’au 9 mars 2026 inclus.", Auto_Submitted="auto-replied")
    await inbox.run_for(days=5)
    assert len(inbox.office.mails_to(P0)) == 2
    assert inbox.kinds() == ["automatic"]
    found = inbox.conversation(people[0])
    assert (found.status, found.last_kind, str(found.returns_on)) == ("unread", "automatic", "2026-03-10")
    assert inbox.one("SELECT status FROM contact") == "active"
    assert inbox.events().count("email.replied") == 0
    inbox.check_books()


@ON_SQLITE
async def test_the_next_mails_wait_for_the_return_when_somebody_asks_for_it(inbox: InboxWorld) -> None:
    account, people = inbox.account(), inbox.people(1)
    inbox.campaign([account], people, TWO_MAILS)
    await inbox.tick()
    inbox.answer(inbox.office.mails_to(P0)[0], "Absente, retour le 16 mars 2026.", Auto_Submitted="auto-replied")
    await inbox.tick()
    with inbox.db.transaction() as session:
        conversation_id = inbox.conversation(people[0]).id
        until = wait_until_return(session, inbox.workspace_id, conversation_id, inbox.clock.now())
    assert until == datetime(2026, 3, 16, 8, tzinfo=UTC)
    await inbox.run_until(until - timedelta(minutes=1))
    assert len(inbox.office.mails_to(P0)) == 1
    await inbox.run_for(hours=2)
    assert len(inbox.office.mails_to(P0)) == 2
    inbox.check_books()


@ON_SQLITE
async def test_an_answer_whose_thread_was_lost_is_known_by_sender_and_subject(inbox: InboxWorld) -> None:
    account, people = inbox.account(), inbox.people(2, company="Alpha")
    inbox.campaign([account], people, TWO_MAILS)
    await inbox.tick()
    inbox.deliver(account, inbox.mail_from(P0, account, "RE : About Alpha", "D’accord."))
    inbox.deliver(account, inbox.mail_from(P1, account, "Quite another matter", "Hello."))
    inbox.deliver(account, inbox.mail_from("newsletter@elsewhere.example", account, "About Alpha", "Buy."))
    await inbox.run_for(days=5)
    assert inbox.kinds() == ["reply"]
    assert len(inbox.office.mails_to(P0)) == 1
    assert len(inbox.office.mails_to(P1)) == 2
    inbox.check_books()


@ON_SQLITE
async def test_an_answer_from_a_colleague_in_the_thread_counts_for_the_contact(inbox: InboxWorld) -> None:
    account, people = inbox.account(), inbox.people(1)
    inbox.campaign([account], people, TWO_MAILS)
    await inbox.tick()
    inbox.answer(inbox.office.mails_to(P0)[0], "I take over.", sender="Ada <ada@firm0.example>")
    await inbox.run_for(days=5)
    assert inbox.walks() == {"replied": 1}
    assert inbox.rows("SELECT from_name, from_address FROM inbound") == [("Ada", "ada@firm0.example")]


async def test_a_whole_answer_that_says_stop_is_shown_and_counts_after_a_day(inbox: InboxWorld) -> None:
    account, people = inbox.account(), inbox.people(2)
    inbox.campaign([account], people, TWO_MAILS)
    await inbox.tick()
    for recipient in (P0, P1):
        inbox.answer(inbox.office.mails_to(recipient)[0], "STOP")
    await inbox.tick()
    assert inbox.walks() == {"replied": 2}
    assert inbox.one("SELECT count(*) FROM conversation WHERE stop_asked_at IS NOT NULL") == 2
    with inbox.db.transaction() as session:
        stops.dismiss_stop(session, inbox.workspace_id, inbox.conversation(people[1]).id, inbox.clock.now())
    assert inbox.one("SELECT count(*) FROM suppression") == 0
    await inbox.run_for(hours=25)
    assert inbox.rows("SELECT status FROM contact ORDER BY id") == [("unsubscribed",), ("replied",)]
    assert inbox.one("SELECT count(*) FROM suppression") == 1
    assert inbox.events().count("email.unsubscribed") == 1
    inbox.check_books()


async def test_the_mail_that_a_mailbox_sends_to_unsubscribe_counts_at_once(inbox: InboxWorld) -> None:
    account, people = inbox.account(), inbox.people(2)
    inbox.campaign([account], people, TWO_MAILS)
    await inbox.tick()
    header = "".join(str(inbox.office.mails_to(P0)[0].mail["List-Unsubscribe"]).split())
    address, _, subject = header.partition("mailto:")[2].rstrip(">").partition("?subject=")
    assert address == inbox.address(account)
    mail = inbox.mail_from("someone@elsewhere.example", account, subject.replace("%20", " "), "")
    inbox.deliver(account, mail)
    forged = inbox.mail_from(P1, account, subject.replace("%20", " ")[:-2] + "xx", "")
    inbox.deliver(account, forged)
    await inbox.run_for(days=5)
    assert inbox.walks() == {"unsubscribed": 1, "completed": 1}
    assert inbox.rows("SELECT status FROM contact ORDER BY id") == [("unsubscribed",), ("active",)]
    assert len(inbox.office.mails_to(P0)) == 1
    inbox.check_books()


async def test_a_hard_report_ends_the_contact_everywhere_and_says_why(inbox: InboxWorld) -> None:
    account, people = inbox.account(), inbox.people(2)
    one, two = inbox.campaign([account], people, TWO_MAILS), inbox.campaign([account], people, TWO_MAILS)
    await inbox.tick()
    inbox.report(inbox.office.mails_to(P0)[0], "5.1.1", "User unknown")
    await inbox.run_for(days=5)
    assert inbox.kinds() == ["bounce"]
    assert inbox.walks(one) == inbox.walks(two) == {"bounced": 1, "completed": 1}
    assert inbox.one("SELECT status FROM contact WHERE id = :id", id=people[0]) == "bounced"
    assert inbox.one("SELECT count(*) FROM suppression") == 1
    assert "User unknown" in inbox.one("SELECT detail FROM message WHERE status = 'failed'")
    assert inbox.events().count("email.bounced") == 1
    inbox.check_books()


async def test_soft_reports_climb_the_ladder_and_end_hard(inbox: InboxWorld) -> None:
    account = inbox.account()
    inbox.campaign([account], inbox.people(1), TWO_MAILS)
    await inbox.tick()
    for attempt, hours in enumerate((1, 4, 24, 48), start=1):
        inbox.report(inbox.office.mails_to(P0)[-1], "4.2.2", "mailbox is full")
        await inbox.tick()
        due = inbox.moment("SELECT due_at FROM message")
        assert due == inbox.clock.now() + timedelta(hours=hours)
        assert inbox.one("SELECT soft_bounces FROM message") == attempt
        await inbox.run_until(due)
        assert len(inbox.office.mails_to(P0)) == attempt + 1
    inbox.report(inbox.office.mails_to(P0)[-1], "4.2.2", "mailbox is full")
    await inbox.run_for(days=5)
    mails = inbox.office.mails_to(P0)
    assert len(mails) == 5, "five attempts in all"
    assert len({mail.rfc_id for mail in mails}) == 1, "the same message each time"
    assert inbox.walks() == {"bounced": 1}
    assert inbox.one("SELECT status FROM contact") == "bounced"
    assert inbox.events().count("email.deferred") == 4
    inbox.check_books()


@ON_SQLITE
async def test_after_a_soft_bounce_the_delay_counts_from_the_last_acceptance(inbox: InboxWorld) -> None:
    account = inbox.account()
    inbox.campaign([account], inbox.people(1), TWO_MAILS)
    await inbox.tick()
    inbox.report(inbox.office.mails_to(P0)[0], "4.2.2", "mailbox is full")
    await inbox.run_for(days=5)
    first, again, second = inbox.office.mails_to(P0)
    assert first.rfc_id == again.rfc_id != second.rfc_id
    assert second.at - again.at >= timedelta(days=3)
    assert inbox.walks() == {"completed": 1}
    inbox.check_books()


@ON_SQLITE
async def test_a_report_of_a_delay_retries_nothing(inbox: InboxWorld) -> None:
    account = inbox.account()
    inbox.campaign([account], inbox.people(1), TWO_MAILS)
    await inbox.tick()
    inbox.report(inbox.office.mails_to(P0)[0], "4.4.1", "still trying", action="delayed")
    await inbox.run_for(days=5)
    assert inbox.kinds() == ["delay"]
    assert len(inbox.office.mails_to(P0)) == 2
    assert inbox.walks() == {"completed": 1}


@ON_SQLITE
async def test_a_late_soft_report_never_sends_an_earlier_mail_after_a_later_one(inbox: InboxWorld) -> None:
    account = inbox.account()
    inbox.campaign([account], inbox.people(1), THREE_MAILS)
    await inbox.run_for(days=4)
    first, second = inbox.office.mails_to(P0)
    inbox.report(first, "4.2.2", "mailbox is full")
    await inbox.run_for(days=6)
    assert [mail.rfc_id for mail in inbox.office.mails_to(P0)][:2] == [first.rfc_id, second.rfc_id]
    assert len({mail.rfc_id for mail in inbox.office.mails_to(P0)}) == 3 == len(inbox.office.mails_to(P0))
    inbox.check_books()


async def test_the_campaign_pauses_itself_above_five_in_a_hundred(inbox: InboxWorld) -> None:
    account, people = inbox.account(), inbox.people(40)
    campaign = inbox.campaign([account], people, TWO_MAILS)
    await inbox.tick()
    for number in range(4):
        inbox.report(inbox.office.mails_to(f"p{number}@firm{number}.example")[0], "5.1.1", "User unknown")
    await inbox.tick()
    assert inbox.status_of(campaign) == "active", "four are no five"
    inbox.report(inbox.office.mails_to("p4@firm4.example")[0], "5.1.1", "User unknown")
    await inbox.tick()
    assert inbox.rows("SELECT status, pause_reason FROM campaign") == [("paused", "bounce_brake")]
    inbox.clock.set(inbox.clock.now() + timedelta(hours=2))
    inbox.resume(campaign)
    await inbox.run_for(days=5)
    assert inbox.status_of(campaign) == "completed", "what happened before the resume counts no more"
    inbox.check_books()


async def test_a_complaint_unsubscribes(inbox: InboxWorld) -> None:
    account, people = inbox.account(), inbox.people(2)
    inbox.campaign([account], people, TWO_MAILS)
    await inbox.tick()
    about = inbox.office.mails_to(P0)[0]
    raw = (
        (
            f"From: feedback@isp.example\r\nTo: {inbox.address(account)}\r\nSubject: complaint\r\n"
            "Message-ID: <arf@isp.example>\r\nMIME-Version: 1.0\r\n"
            'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\r\n\r\n'
            "--b\r\nContent-Type: text/plain\r\n\r\nThis is an email abuse report.\r\n\r\n"
            "--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nUser-Agent: isp/1\r\n"
            "Version: 1\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
        ).encode()
        + about.raw
        + b"\r\n--b--\r\n"
    )
    inbox.deliver(account, raw)
    await inbox.run_for(days=5)
    assert inbox.kinds() == ["abuse"]
    assert inbox.walks() == {"unsubscribed": 1, "completed": 1}
    assert inbox.rows("SELECT reason FROM suppression") == [("complaint",)]
    inbox.check_books()
