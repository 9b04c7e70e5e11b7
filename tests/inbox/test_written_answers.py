"""Answers written by hand: through the one queue, in the thread, with files, and taken back in time."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session

from fluenzr_app.contacts.suppression import suppress_contact
from fluenzr_app.inbox import answers, conversations, saved_answers
from fluenzr_app.inbox.errors import AnswerRefused, ConversationNotFound, SavedAnswerRefused
from fluenzr_app.inbox.thread import incoming_file, shown_html, thread
from fluenzr_app.mail.transport import SendFailure
from fluenzr_app.tracking.own_links import own_links
from tests.engine_world import ON_SQLITE, PUBLIC_URL, TWO_MAILS
from tests.inbox.world import InboxWorld
from tests.people import make_person

P0 = "p0@firm0.example"
HARD = SendFailure("recipient", "5.1.1 unknown", permanent=True, code=550)
LOST = SendFailure("connection", "gone", certain=False)


class Desk:
    """A conversation that somebody sits in front of."""

    def __init__(self, inbox: InboxWorld) -> None:
        self.inbox = inbox
        self.rng = random.Random(3)
        self.user_id = 0
        self.conversation_id = 0

    async def open(self, text: str = "Oui, volontiers.") -> "Desk":
        inbox = self.inbox
        self.account = inbox.account()
        inbox.campaign([self.account], inbox.people(1, company="Alpha"), TWO_MAILS)
        await inbox.tick()
        inbox.answer(inbox.office.mails_to(P0)[0], text)
        inbox.read()
        with inbox.db.transaction() as session:
            self.user_id = make_person(
                session, inbox.workspace_id, "camille@rivage.example", "admin", inbox.clock.now()
            ).user_id
        self.conversation_id = int(inbox.one("SELECT id FROM conversation"))
        return self

    def do(self, act: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        with self.inbox.db.transaction() as session:
            return act(session, self.inbox.workspace_id, *arguments, **named)

    def send(self, html: str = "<p>Jeudi à 9 h 30, c’est parfait.</p>", **named: Any) -> int:
        now = self.inbox.clock.now()
        return int(
            self.do(answers.send_answer, self.conversation_id, html, now, self.rng, user_id=self.user_id, **named)
        )

    def status(self) -> str:
        return str(self.inbox.one("SELECT status FROM conversation"))


async def test_an_answer_leaves_after_ten_seconds_from_the_same_account_in_the_thread(inbox: InboxWorld) -> None:
    desk = await Desk(inbox).open()
    desk.do(answers.save_draft, desk.conversation_id, desk.user_id, "<p>Jeu", inbox.clock.now())
    desk.do(
        answers.add_file, desk.conversation_id, desk.user_id, "C:\\tmp\\rapport é.pdf", "application/pdf", b"%PDF",
        inbox.clock.now(),
    )  # fmt: skip
    desk.send()
    assert desk.status() == "replied"
    assert inbox.one("SELECT count(*) FROM answer_draft") == 0
    await inbox.tick()
    assert len(inbox.office.mails_to(P0)) == 1, "it can still be taken back"
    inbox.clock.set(inbox.clock.now() + timedelta(seconds=11))
    await inbox.tick()
    first, answer = inbox.office.mails_to(P0)
    theirs = inbox.one("SELECT rfc_id FROM inbound")
    assert answer.account_id == first.account_id
    assert answer.mail["In-Reply-To"] == theirs
    assert answer.mail["References"].split() == [first.rfc_id, theirs]
    assert answer.mail["Subject"] == "Re: About Alpha"
    assert answer.mail["List-Unsubscribe"] is None
    parts = {part.get_content_type(): part for part in answer.mail.walk()}
    assert parts["application/pdf"].get_filename() == "rapport é.pdf"
    assert "> Oui, volontiers." in parts["text/plain"].get_payload(decode=True).decode()  # type: ignore[union-attr]
    assert inbox.events().count("email.answered") == 1
    with inbox.db.read() as session:
        items = thread(session, inbox.workspace_id, desk.conversation_id)
    assert [(item.kind, item.status) for item in items] == [("mail", "sent"), ("reply", ""), ("answer", "sent")]
    assert [file.filename for file in items[2].files] == ["rapport é.pdf"]
    inbox.check_books()


@ON_SQLITE
async def test_an_answer_waits_for_no_gap_window_or_pause_and_counts_towards_the_caps(inbox: InboxWorld) -> None:
    desk = await Desk(inbox).open()
    inbox.execute("UPDATE email_account SET min_gap_seconds = 3600, next_send_at = NULL, daily_limit = 2")
    desk.send()
    desk.send("<p>Et encore une chose.</p>")
    inbox.clock.set(inbox.clock.now() + timedelta(seconds=11))
    await inbox.tick()
    assert len(inbox.office.mails_to(P0)) == 2, "the cap of the account holds for all mail"
    assert inbox.messages() == {"sent": 2, "queued": 1}


@ON_SQLITE
async def test_an_answer_taken_back_is_a_draft_again_with_its_files(inbox: InboxWorld) -> None:
    desk = await Desk(inbox).open()
    desk.do(answers.add_file, desk.conversation_id, desk.user_id, "a.txt", "text/plain", b"x", inbox.clock.now())
    message_id = desk.send("<p>Trop vite</p>")
    desk.do(answers.save_draft, desk.conversation_id, desk.user_id, "<p>Suite</p>", inbox.clock.now())
    desk.do(answers.take_back, message_id, desk.user_id, inbox.clock.now())
    draft = desk.do(answers.draft_of, desk.conversation_id, desk.user_id)
    assert "Trop vite" in draft.html
    assert "Suite" in draft.html
    assert [file.filename for file in draft.files] == ["a.txt"]
    assert desk.status() == "read"
    await inbox.run_for(hours=1)
    assert len(inbox.office.mails_to(P0)) == 1
    late = desk.send("<p>Bien réfléchi</p>")
    inbox.clock.set(inbox.clock.now() + timedelta(seconds=11))
    await inbox.tick()
    with pytest.raises(AnswerRefused) as refused:
        desk.do(answers.take_back, late, desk.user_id, inbox.clock.now())
    assert refused.value.code == "too_late"


@ON_SQLITE
async def test_an_answer_is_sent_later_when_asked_for(inbox: InboxWorld) -> None:
    desk = await Desk(inbox).open()
    desk.send(at=inbox.clock.now() + timedelta(days=2))
    await inbox.run_for(days=1)
    assert len(inbox.office.mails_to(P0)) == 1
    await inbox.run_for(days=2)
    assert len(inbox.office.mails_to(P0)) == 2
    with pytest.raises(AnswerRefused) as refused:
        desk.send(at=inbox.clock.now() - timedelta(days=1))
    assert refused.value.code == "bad_time"


@ON_SQLITE
async def test_nobody_is_answered_after_they_said_no(inbox: InboxWorld) -> None:
    desk = await Desk(inbox).open()
    desk.send()
    contact_id = int(inbox.one("SELECT contact_id FROM conversation"))
    desk.do(suppress_contact, contact_id, "manual", inbox.clock.now())
    await inbox.run_for(hours=1)
    assert len(inbox.office.mails_to(P0)) == 1, "the queue asks again"
    assert inbox.messages() == {"sent": 1, "cancelled": 1}
    assert desk.status() == "unread", "its writer is told"
    with pytest.raises(AnswerRefused) as refused:
        desk.send()
    assert refused.value.code == "blocked"


@ON_SQLITE
@pytest.mark.parametrize(("failure", "status"), [(HARD, "failed"), (LOST, "uncertain")])
async def test_an_answer_that_did_not_arrive_comes_back_to_its_writer(
    inbox: InboxWorld, failure: SendFailure, status: str
) -> None:
    desk = await Desk(inbox).open()
    desk.send()
    inbox.office.script[P0].append(failure)
    await inbox.run_for(hours=1)
    assert desk.status() == "unread"
    with inbox.db.read() as session:
        item = thread(session, inbox.workspace_id, desk.conversation_id)[-1]
    assert (item.kind, item.status) == ("answer", status)


@ON_SQLITE
@pytest.mark.parametrize("late", [True, False])
async def test_an_address_that_refuses_an_answer_for_good_is_written_to_no_more(inbox: InboxWorld, late: bool) -> None:
    desk = await Desk(inbox).open()
    if not late:
        inbox.office.script[P0].append(HARD)
    desk.send()
    await inbox.run_for(hours=1)
    if late:
        inbox.report(inbox.office.mails_to(P0)[1], "5.1.1", "User unknown")
        await inbox.tick()
    assert desk.status() == "unread", "its writer is told"
    assert inbox.rows("SELECT status FROM contact") == [("bounced",)]
    assert inbox.one("SELECT count(*) FROM suppression") == 1
    with pytest.raises(AnswerRefused):
        desk.send()
    inbox.check_books()


@ON_SQLITE
async def test_a_colleague_whose_address_refuses_an_answer_bounces_no_contact(inbox: InboxWorld) -> None:
    desk = await Desk(inbox).open()
    inbox.answer(inbox.office.mails_to(P0)[0], "I take over.", sender="ada@firm0.example")
    inbox.clock.set(inbox.clock.now() + timedelta(minutes=2))
    inbox.read()
    desk.send()
    await inbox.run_for(hours=1)
    (answer,) = inbox.office.mails_to("ada@firm0.example")
    inbox.report(answer, "5.1.1", "User unknown")
    await inbox.tick()
    assert desk.status() == "unread"
    assert inbox.rows("SELECT status FROM contact") == [("replied",)]
    assert inbox.one("SELECT count(*) FROM suppression") == 0


@ON_SQLITE
async def test_an_answer_goes_to_whoever_wrote_unless_they_said_no_or_named_no_address(inbox: InboxWorld) -> None:
    desk = await Desk(inbox).open()
    (ada,) = inbox.people(1, "ada")
    inbox.answer(inbox.office.mails_to(P0)[0], "I take over.", sender="ada0@firm0.example")
    inbox.clock.set(inbox.clock.now() + timedelta(minutes=2))
    inbox.read()
    desk.do(suppress_contact, ada, "manual", inbox.clock.now())
    with pytest.raises(AnswerRefused) as refused:
        desk.send()
    assert refused.value.code == "blocked"
    inbox.answer(inbox.office.mails_to(P0)[0], "To my other address.", Reply_To="me@-nowhere..")
    inbox.clock.set(inbox.clock.now() + timedelta(minutes=2))
    inbox.read()
    desk.send()
    await inbox.run_for(hours=1)
    assert len(inbox.office.mails_to(P0)) == 2


@ON_SQLITE
async def test_an_answer_to_an_answer_joins_the_same_conversation(inbox: InboxWorld) -> None:
    desk = await Desk(inbox).open()
    desk.send()
    await inbox.run_for(hours=1)
    inbox.answer(inbox.office.mails_to(P0)[1], "Parfait, à jeudi.")
    inbox.read()
    assert inbox.one("SELECT count(*) FROM conversation") == 1
    assert inbox.conversation(int(inbox.one("SELECT id FROM contact"))).preview == "Parfait, à jeudi."
    assert inbox.events().count("email.replied") == 2
    assert inbox.one("SELECT sum(n) FROM rollup WHERE scope = 'campaign' AND metric = 'email.replied'") == 1
    inbox.check_books()


async def test_strangers_see_and_change_nothing(inbox: InboxWorld) -> None:
    desk = await Desk(inbox).open()
    other = inbox.workspace_id + 1000
    now = inbox.clock.now()
    inbound = int(inbox.one("SELECT id FROM inbound"))
    acts: list[Callable[[Session], Any]] = [
        lambda s: conversations.get_conversation(s, other, desk.conversation_id),
        lambda s: thread(s, other, desk.conversation_id),
        lambda s: answers.send_answer(s, other, desk.conversation_id, "<p>x</p>", now, desk.rng),
        lambda s: answers.save_draft(s, other, desk.conversation_id, desk.user_id, "x", now),
        lambda s: answers.add_file(s, other, desk.conversation_id, desk.user_id, "x", "text/plain", b"x", now),
        lambda s: shown_html(s, own_links(s, inbox.keyring, PUBLIC_URL), other, inbound, remote_images=False),
        lambda s: incoming_file(s, other, inbound, 0),
    ]
    for act in acts:
        with pytest.raises(ConversationNotFound), inbox.db.transaction() as session:
            act(session)
    with inbox.db.transaction() as session:
        assert conversations.set_status(session, other, [desk.conversation_id], "archived", now) == 0
        assert conversations.set_label(session, other, [desk.conversation_id], "later", now) == 0
        assert conversations.list_conversations(session, other, conversations.Filters(query="oui")).lines == ()
    assert desk.status() == "unread"


@ON_SQLITE
async def test_what_would_not_travel_is_refused_and_nothing_is_lost(inbox: InboxWorld) -> None:
    desk = await Desk(inbox).open()
    now = inbox.clock.now()
    for html, code in (("<p> </p>", "empty"), ("x" * 300_000, "too_long")):
        with pytest.raises(AnswerRefused) as refused:
            desk.send(html)
        assert refused.value.code == code
    for name, content, code in (
        ("a", b"", "bad_file"),
        ("..", b"x", "bad_file"),
        ("a", b"x" * 19_000_000, "file_too_large"),
    ):
        with pytest.raises(AnswerRefused) as refused:
            desk.do(answers.add_file, desk.conversation_id, desk.user_id, name, "text/plain", content, now)
        assert refused.value.code == code
    desk.send('<p onclick="x()">Bonjour<script>alert(1)</script></p>')
    assert inbox.one("SELECT html FROM answer") == "<p>Bonjour</p>"


@ON_SQLITE
async def test_saved_answers_fill_in_the_contacts_values(inbox: InboxWorld) -> None:
    desk = await Desk(inbox).open()
    now = inbox.clock.now()
    saved = desk.do(saved_answers.save, "Tarifs", "<p>Bonjour {{firstName|à vous}}, un mot pour {{company}}.</p>", now)
    assert desk.do(saved_answers.filled_in, desk.conversation_id, saved.id, now) == (
        "<p>Bonjour P0, un mot pour Alpha.</p>"
    )
    with pytest.raises(SavedAnswerRefused) as refused:
        desk.do(saved_answers.save, "tarifs", "<p>x</p>", now)
    assert refused.value.code == "taken"
    desk.do(saved_answers.save, "Tarifs 2026", "<p>y</p>", now, saved_id=saved.id)
    assert [each.name for each in desk.do(saved_answers.list_saved)] == ["Tarifs 2026"]
    desk.do(saved_answers.delete_saved, saved.id)
    assert desk.do(saved_answers.list_saved) == ()
