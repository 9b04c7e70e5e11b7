"""Whoever has answered, bounced or said no gets nothing more, whatever is under way; nobody else is stopped for it."""

from email import message_from_bytes
from email.message import EmailMessage

import pytest

from fluenzr_app.campaigns import lifecycle
from fluenzr_app.inbox import stops
from fluenzr_app.inbox.returns import wait_until_return
from fluenzr_app.sending.settle import settle
from fluenzr_app.sending.values import Outcome, OutcomeKind
from tests.engine_world import ONE_MAIL, TWO_MAILS, Taken
from tests.inbox.world import InboxWorld

P0, P1 = "p0@firm0.example", "p1@firm1.example"


async def test_a_soft_report_revives_no_completed_walk_of_somebody_who_answered_elsewhere(inbox: InboxWorld) -> None:
    account, people = inbox.account(), inbox.people(2)
    inbox.campaign([account], people, ONE_MAIL)
    inbox.campaign([account], people, TWO_MAILS)
    await inbox.tick()
    short, long = inbox.office.mails_to(P0)
    inbox.answer(long)
    await inbox.tick()
    # As when somebody else is still under way in it: a completed campaign sends nothing again anyway.
    inbox.execute("UPDATE campaign SET status = 'active' WHERE id = (SELECT min(id) FROM campaign)")
    inbox.report(short, "4.2.2", "mailbox is full")
    await inbox.run_for(days=5)
    assert len(inbox.office.mails_to(P0)) == 2
    inbox.check_books()


async def test_somebody_who_answered_while_being_added_elsewhere_gets_no_first_mail(inbox: InboxWorld) -> None:
    account, people = inbox.account(), inbox.people(1)
    inbox.campaign([account], people, TWO_MAILS)
    await inbox.tick()
    inbox.answer(inbox.office.mails_to(P0)[0])
    second = inbox.campaign([account], people, TWO_MAILS)
    # As it looks when the answer was stored after the contact's state was read and before the enrolment was committed.
    inbox.execute("UPDATE contact SET status = 'replied'")
    inbox.watch.read_now(only=())
    await super(InboxWorld, inbox).tick()
    assert len(inbox.office.mails_to(P0)) == 1
    assert inbox.walks(second) == {"removed": 1}
    inbox.check_books()


async def test_an_answer_to_a_mail_that_is_just_claimed_for_another_try_is_no_stranger(inbox: InboxWorld) -> None:
    account = inbox.account()
    inbox.campaign([account], inbox.people(1), TWO_MAILS)
    await inbox.tick()
    first = inbox.office.mails_to(P0)[0]
    inbox.report(first, "4.2.2", "mailbox is full")
    inbox.read()
    inbox.clock.set(inbox.moment("SELECT due_at FROM message") or inbox.clock.now())
    inbox.read()
    claimed = inbox.claim(account).claimed
    assert len(claimed) == 1
    inbox.answer(first)
    inbox.read()
    assert inbox.walks() == {"replied": 1}
    assert [type(each).__name__ for each in inbox.mark(claimed).values()] == ["NotMarked"]
    await inbox.run_for(days=4)
    assert len(inbox.office.mails_to(P0)) == 1
    inbox.check_books()


async def test_an_answer_before_our_own_settlement_stops_what_would_follow(inbox: InboxWorld) -> None:
    account = inbox.account()
    inbox.campaign([account], inbox.people(1), TWO_MAILS)
    if not inbox.engine.worker_id:
        await inbox.engine.start()
    claimed = inbox.claim(account).claimed
    inbox.mark(claimed)
    message = claimed[0].message
    mail = inbox.mail_from(P0, account, "Re: About", "Oui.", In_Reply_To=message.rfc_id)
    inbox.deliver(account, mail)
    inbox.read()
    assert inbox.walks() == {"replied": 1}
    outcome = Outcome(message, 1, OutcomeKind.SOFT_BOUNCE, inbox.clock.now(), "About", 452, "full")
    inbox.db.transact(settle, inbox.origins, [outcome], inbox.clock.now())
    assert inbox.rows("SELECT wait_code FROM enrollment") == [("",)]
    await inbox.run_for(days=5)
    assert inbox.office.mails_to(P0) == []
    assert inbox.walks() == {"replied": 1}
    assert inbox.messages() == {"cancelled": 1}
    inbox.check_books()


async def test_a_colleague_who_answers_and_is_a_contact_is_not_written_to_either(inbox: InboxWorld) -> None:
    account, people = inbox.account(), inbox.people(2)
    inbox.campaign([account], people, TWO_MAILS)
    await inbox.tick()
    inbox.answer(inbox.office.mails_to(P0)[0], "Ada passed it on to me.", sender=P1)
    await inbox.run_for(days=5)
    assert len(inbox.office.mails_to(P0)) == len(inbox.office.mails_to(P1)) == 1
    assert inbox.walks() == {"replied": 1, "removed": 1}
    assert inbox.rows("SELECT status FROM contact ORDER BY id") == [("replied",), ("replied",)]
    inbox.check_books()


async def test_mail_of_the_workspaces_own_accounts_is_nobodys_answer(inbox: InboxWorld) -> None:
    lea, tom = inbox.account(), inbox.account("tom")
    inbox.campaign([lea], inbox.people(1), TWO_MAILS)
    await inbox.tick()
    first = inbox.office.mails_to(P0)[0]
    # Léa passes the thread on to her colleague, in her own mail program.
    mail = inbox.mail_from("lea@rivage.example", tom, "Fwd: About", "What do you think?", References=first.rfc_id)
    inbox.deliver(tom, mail)
    # And a mail of ours comes back through a list, its sender rewritten.
    copy = message_from_bytes(first.raw)
    del copy["From"]
    copy["From"] = "list@rivage.example"
    copy["In-Reply-To"] = first.rfc_id
    inbox.deliver(tom, copy.as_bytes())
    await inbox.run_for(days=5)
    assert inbox.kinds() == []
    assert inbox.walks() == {"completed": 1}


async def test_a_campaign_to_an_own_second_account_stops_by_its_answer_and_not_by_our_own_mail(
    inbox: InboxWorld,
) -> None:
    lea = inbox.account()
    inbox.account("tom")
    people = inbox.people(1, "tom", domain="rivage.example")
    inbox.execute("UPDATE contact SET email = 'tom@rivage.example', email_key = 'tom@rivage.example'")
    tom = inbox.one("SELECT id FROM email_account WHERE email = 'tom@rivage.example'")
    inbox.campaign([lea], people, TWO_MAILS)
    await inbox.tick()
    (first,) = inbox.office.mails_to("tom@rivage.example")
    inbox.deliver(tom, first.raw)
    await inbox.run_for(days=4)
    first, second = inbox.office.mails_to("tom@rivage.example")
    inbox.deliver(tom, second.raw)
    inbox.read()
    assert inbox.kinds() == []
    inbox.answer(first)
    inbox.read()
    assert inbox.walks() == {"replied": 1}


def _returned(inbox: InboxWorld, about: EmailMessage, recipient: str, status: str, thread: str) -> bytes:
    """A report about a mail that the user wrote in their own mail program, in the thread of one of ours."""
    code = "550" if status.startswith("5") else "452"
    return (
        "From: MAILER-DAEMON@mx.example\r\nTo: lea@rivage.example\r\nSubject: Undelivered Mail\r\n"
        f"Message-ID: <r{next(inbox.numbers)}@mx.example>\r\nIn-Reply-To: {about['Message-ID']}\r\n"
        f"References: {thread} {about['Message-ID']}\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nIt did not arrive.\r\n\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        f"Final-Recipient: rfc822; {recipient}\r\nAction: failed\r\nStatus: {status}\r\n"
        f"Diagnostic-Code: smtp; {code} {status} {'User unknown' if code == '550' else 'mailbox is full'}\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {about['Message-ID']}\r\n"
        f"In-Reply-To: {thread}\r\nReferences: {thread}\r\nSubject: Re: About\r\n\r\n--b--\r\n"
    ).encode()


async def test_a_report_about_the_users_own_mail_in_the_thread_bounces_no_contact(inbox: InboxWorld) -> None:
    account = inbox.account()
    inbox.campaign([account], inbox.people(1), TWO_MAILS)
    await inbox.tick()
    first = inbox.office.mails_to(P0)[0]
    own = inbox.mail_from("lea@rivage.example", account, "Re: About", "And hello to your colleague.")
    inbox.deliver(account, _returned(inbox, own, "gone@firm0.example", "5.1.1", first.rfc_id))
    await inbox.run_for(days=5)
    assert inbox.walks() == {"completed": 1}
    assert inbox.one("SELECT status FROM contact") == "active"


async def test_a_soft_report_about_the_users_own_mail_sends_none_of_ours_again(inbox: InboxWorld) -> None:
    account = inbox.account()
    inbox.campaign([account], inbox.people(1), TWO_MAILS)
    await inbox.tick()
    first = inbox.office.mails_to(P0)[0]
    own = inbox.mail_from("lea@rivage.example", account, "Re: About", "With a large file.")
    for thread in (first.rfc_id, "<another@elsewhere.example>"):
        inbox.deliver(account, _returned(inbox, own, P0, "4.2.2", thread))
        inbox.read()
    await inbox.run_for(days=5)
    assert len(inbox.office.mails_to(P0)) == 2
    inbox.check_books()


async def test_a_first_mail_put_off_until_the_return_is_still_a_first_mail(inbox: InboxWorld) -> None:
    account, people = inbox.account(), inbox.people(1)
    inbox.campaign([account], people, TWO_MAILS)
    await inbox.tick()
    inbox.answer(inbox.office.mails_to(P0)[0], "Absente, retour le 16 mars 2026.", Auto_Submitted="auto-replied")
    inbox.read()
    second = inbox.campaign([account], people, TWO_MAILS)
    if not inbox.engine.worker_id:
        await inbox.engine.start()
    claimed = inbox.claim(account).claimed
    assert len(claimed) == 1
    with inbox.db.transaction() as session:
        wait_until_return(session, inbox.workspace_id, inbox.conversation(people[0]).id, inbox.clock.now())
    assert inbox.rows("SELECT account_id, wait_code FROM enrollment WHERE campaign_id = :id", id=second) == [
        (None, "away")
    ]
    assert [type(each).__name__ for each in inbox.mark(claimed).values()] == ["NotMarked"]
    await inbox.run_for(days=15)
    assert len(inbox.office.mails_to(P0)) == 3
    assert inbox.one("SELECT count(*) FROM attempt WHERE first_mail") == 2
    inbox.check_books()


async def test_somebody_who_had_said_no_by_the_link_is_counted_once(inbox: InboxWorld) -> None:
    account, people = inbox.account(), inbox.people(1)
    inbox.campaign([account], people, TWO_MAILS)
    await inbox.tick()
    first: Taken = inbox.office.mails_to(P0)[0]
    inbox.answer(first, "STOP")
    inbox.read()
    header = "".join(str(first.mail["List-Unsubscribe"]).split())
    subject = header.partition("?subject=")[2].partition(">")[0].replace("%20", " ")
    inbox.deliver(account, inbox.mail_from(P0, account, subject, ""))
    inbox.read()
    await inbox.run_for(hours=26)
    with inbox.db.transaction() as session:
        stops.confirm_stop(session, inbox.workspace_id, inbox.conversation(people[0]).id, inbox.clock.now())
    assert inbox.events().count("email.unsubscribed") == 1
    inbox.check_books()


async def test_an_answer_to_a_mail_that_a_restored_backup_has_not_sent_stops_it(inbox: InboxWorld) -> None:
    account = inbox.account()
    inbox.campaign([account], inbox.people(1), TWO_MAILS)
    await inbox.tick()
    first = inbox.office.mails_to(P0)[0]
    # As in a copy made a moment before it left.
    inbox.execute("DELETE FROM attempt")
    inbox.execute("UPDATE message SET status = 'queued', attempts = 0, sent_at = NULL")
    inbox.execute("UPDATE enrollment SET status = 'pending', due_at = NULL, wait_code = 'queued'")
    inbox.execute("UPDATE enrollment_count SET n = CASE status WHEN 'pending' THEN 1 ELSE 0 END")
    inbox.answer(first)
    inbox.read()
    await inbox.run_for(days=5)
    assert inbox.office.mails_to(P0) == [first]
    assert inbox.walks() == {"replied": 1}


@pytest.mark.parametrize("status", ["5.1.1", "4.2.2"])
@pytest.mark.parametrize("state", ["paused", "completed", "archived"])
async def test_a_report_counts_whatever_has_become_of_the_campaign(inbox: InboxWorld, state: str, status: str) -> None:
    account = inbox.account()
    campaign = inbox.campaign([account], inbox.people(1), ONE_MAIL if state == "completed" else TWO_MAILS)
    await inbox.tick(2)
    if state != "completed":
        inbox.pause(campaign)
    if state == "archived":
        with inbox.db.transaction() as session:
            lifecycle.archive(session, inbox.workspace_id, campaign, inbox.clock.now())
    assert inbox.status_of(campaign) == state
    inbox.report(inbox.office.mails_to(P0)[0], status, "mailbox is full" if status == "4.2.2" else "User unknown")
    inbox.read()
    await inbox.run_for(days=5)
    assert len(inbox.office.mails_to(P0)) == 1
    hard = status == "5.1.1"
    assert inbox.rows("SELECT status FROM contact") == [("bounced" if hard else "active",)]
    assert inbox.events().count("email.bounced") == int(hard)
    if hard:
        assert inbox.walks() == {"bounced": 1}
    inbox.check_books()
