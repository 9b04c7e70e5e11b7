"""Two who change the same walk or conversation in one moment: it changes once, and the counts say so."""

import threading
from collections.abc import Callable
from typing import Any

from sqlmodel import Session

from fluenzr_app.campaigns import audience, outcomes
from fluenzr_app.campaigns.replies import stop_on_reply
from fluenzr_app.contacts.service import delete_contacts
from fluenzr_app.inbox import conversations
from fluenzr_app.sending.rows import as_messages, select_messages
from tests.engine_world import ON_POSTGRESQL, TWO_MAILS
from tests.inbox.world import InboxWorld

P0 = "p0@firm0.example"


def at_once(inbox: InboxWorld, first: Callable[[Session], Any], second: Callable[[Session], Any]) -> None:
    """Let `second` begin while `first` is done and not yet committed."""
    faults: list[BaseException] = []

    def run() -> None:
        try:
            inbox.db.transact(second)
        except BaseException as fault:
            faults.append(fault)

    thread = threading.Thread(target=run)
    with inbox.db.transaction() as session:
        first(session)
        thread.start()
        # Long enough for it to wait for the other one's rows; without that the test could only be too kind.
        thread.join(0.5)
    thread.join(20)
    assert faults == []


@ON_POSTGRESQL
async def test_a_walk_ended_by_an_answer_is_not_ended_again_by_whoever_came_second(inbox: InboxWorld) -> None:
    account, people = inbox.account(), inbox.people(2)
    campaign = inbox.campaign([account], people, TWO_MAILS)
    await inbox.tick()
    now = inbox.clock.now()
    walks = [row[0] for row in inbox.rows("SELECT id FROM enrollment ORDER BY id")]
    with inbox.db.read() as session:
        messages = as_messages(session.connection().execute(select_messages()).all())
    (message,) = [each for each in messages if each.enrollment_id == walks[0]]
    at_once(
        inbox,
        lambda session: stop_on_reply(session, inbox.workspace_id, people[0], walks[0], now),
        lambda session: outcomes.end_cancelled(session, {message: "blocked"}, now),
    )
    at_once(
        inbox,
        lambda session: stop_on_reply(session, inbox.workspace_id, people[1], walks[1], now),
        lambda session: audience.remove_contacts(session, inbox.workspace_id, campaign, people, now),
    )
    assert inbox.walks() == {"replied": 2}
    inbox.check_books()


@ON_POSTGRESQL
async def test_a_contact_deleted_while_their_conversation_is_read_leaves_no_count_behind(inbox: InboxWorld) -> None:
    account, people = inbox.account(), inbox.people(1)
    inbox.campaign([account], people, TWO_MAILS)
    await inbox.tick()
    inbox.answer(inbox.office.mails_to(P0)[0])
    inbox.read()
    now, conversation_id = inbox.clock.now(), inbox.conversation(people[0]).id
    before = (audience.contacts_deleted, conversations.contacts_deleted)
    at_once(
        inbox,
        lambda session: conversations.set_status(session, inbox.workspace_id, [conversation_id], "read", now),
        lambda session: delete_contacts(session, inbox.workspace_id, people, now, before=before),
    )
    assert inbox.one("SELECT count(*) FROM conversation") == 0
    assert inbox.one("SELECT count(*) FROM conversation_search") == 0
    inbox.check_books()
