"""Copies in the Sent folder, once each; and what lies there proves that an uncertain mail had left."""

from datetime import timedelta

from fluenzr_app.mail.incoming import parse
from fluenzr_app.mail.mailbox import Folder, MailboxFailure
from fluenzr_app.mail.transport import SendFailure
from tests.engine_world import ON_SQLITE, TWO_MAILS
from tests.inbox.test_reading import Wrapped
from tests.inbox.world import InboxWorld

P0 = "p0@firm0.example"
LOST = SendFailure("connection", "no answer after the final dot", certain=False)


def in_sent(inbox: InboxWorld, name: str = "lea") -> list[str]:
    mails, _ = inbox.mailboxes.kept(f"{name}@rivage.example", "Sent")
    return [parse(kept.raw).rfc_id for kept in mails]


async def test_what_left_is_copied_to_sent_once(inbox: InboxWorld) -> None:
    inbox.campaign([inbox.account()], inbox.people(3), TWO_MAILS)
    await inbox.tick()
    assert in_sent(inbox) == [], "many providers do it themselves within moments"
    await inbox.run_for(minutes=5)
    inbox.read()
    inbox.read()
    assert sorted(in_sent(inbox)) == sorted(taken.rfc_id for taken in inbox.office.taken)
    assert inbox.one("SELECT count(*) FROM sent_mail WHERE copy_due_at IS NOT NULL") == 0


@ON_SQLITE
async def test_a_copy_that_the_provider_made_is_not_made_again(inbox: InboxWorld) -> None:
    account = inbox.account()
    inbox.campaign([account], inbox.people(1), TWO_MAILS)
    await inbox.tick()
    inbox.deliver(account, inbox.office.taken[0].raw, "Sent")
    await inbox.run_for(minutes=5)
    inbox.read()
    assert in_sent(inbox) == [inbox.office.taken[0].rfc_id]


@ON_SQLITE
async def test_no_copy_is_made_where_the_user_wants_none(inbox: InboxWorld) -> None:
    inbox.account()
    inbox.execute("UPDATE email_account SET copy_to_sent = 0")
    inbox.campaign([1], inbox.people(1), TWO_MAILS)
    await inbox.run_for(minutes=5)
    inbox.read()
    assert in_sent(inbox) == []
    assert inbox.one("SELECT count(*) FROM sent_mail") == 1, "the conversation still shows it"


@ON_SQLITE
async def test_a_folder_that_takes_no_copy_is_tried_four_times_more_and_holds_up_nothing(inbox: InboxWorld) -> None:
    account = inbox.account()
    tries: list[str] = []

    class Full(Wrapped):
        def append_sent(self, folder: str, raw: bytes, at: object) -> None:
            tries.append(folder)
            raise MailboxFailure("refused", "NO over quota", stage="append")

    inbox.opened = lambda account_id: Full(found) if (found := inbox.open(account_id)) is not None else None
    inbox.campaign([account], inbox.people(1), TWO_MAILS)
    await inbox.tick()
    inbox.answer(inbox.office.taken[0])
    await inbox.run_until(inbox.clock.now() + timedelta(hours=6), longest=timedelta(minutes=10))
    assert len(tries) == 5
    assert inbox.walks() == {"replied": 1}


@ON_SQLITE
async def test_a_mailbox_without_a_sent_folder_is_no_fault(inbox: InboxWorld) -> None:
    account = inbox.account()

    class Bare(Wrapped):
        def folders(self) -> tuple[Folder, ...]:
            return tuple(folder for folder in super().folders() if folder.role == "inbox")

    inbox.opened = lambda account_id: Bare(found) if (found := inbox.open(account_id)) is not None else None
    inbox.campaign([account], inbox.people(1), TWO_MAILS)
    await inbox.run_for(minutes=5)
    inbox.read()
    assert in_sent(inbox) == []
    assert inbox.one("SELECT count(*) FROM sent_mail WHERE copy_due_at IS NOT NULL") == 0
    assert inbox.one("SELECT count(*) FROM mailbox_reading WHERE failed_since IS NOT NULL") == 0


async def test_an_uncertain_mail_that_lies_in_sent_was_sent_and_one_that_does_not_stays_uncertain(
    inbox: InboxWorld,
) -> None:
    account = inbox.account()
    for recipient in (P0, "p1@firm1.example"):
        inbox.office.script[recipient].append(LOST)
    inbox.campaign([account], inbox.people(2), TWO_MAILS)
    await inbox.run_for(minutes=5)
    assert inbox.messages() == {"uncertain": 2}
    offered = dict(inbox.office.offered)
    there = inbox.mail_from("lea@rivage.example", account, "About your company", "Hello")
    del there["Message-ID"]
    there["Message-ID"] = offered[P0]
    inbox.deliver(account, there, "Sent")
    inbox.read()
    assert inbox.messages() == {"sent": 1, "uncertain": 1}
    await inbox.run_for(days=4)
    assert len(inbox.office.mails_to(P0)) == 1, "its follow-up, and never the same mail again"
    assert inbox.walks() == {"completed": 1, "pending": 1}
    assert inbox.rows("SELECT wait_code FROM enrollment WHERE status = 'pending'") == [("uncertain",)]
    inbox.check_books()


async def test_an_answer_to_an_uncertain_mail_proves_that_it_arrived(inbox: InboxWorld) -> None:
    account = inbox.account()
    inbox.office.script[P0].append(LOST)
    inbox.campaign([account], inbox.people(1), TWO_MAILS)
    await inbox.tick()
    rfc_id = dict(inbox.office.offered)[P0]
    inbox.deliver(account, inbox.mail_from(P0, account, "Re: x", "Oui.", In_Reply_To=rfc_id))
    await inbox.run_for(days=4)
    assert inbox.messages() == {"sent": 1}
    assert inbox.walks() == {"replied": 1}
    assert inbox.events().count("email.sent") == inbox.events().count("email.replied") == 1
    inbox.check_books()
