"""What is done with a conversation and its contact, asked of the handlers without a browser."""

from datetime import timedelta
from typing import Any

import pytest
from reflex.state import State
from sqlmodel import select

from fluenzr_app.campaigns.models import Enrollment
from fluenzr_app.campaigns.service import create_campaign
from fluenzr_app.contacts.models import Contact
from fluenzr_app.db.ids import public_id
from fluenzr_app.inbox.models import Conversation
from fluenzr_app.sending.models import Message
from fluenzr_app.ui.pages import inbox_conversation, inbox_list, inbox_person
from fluenzr_app.ui.runtime import Runtime
from tests.inbox.seed import InboxSeed, Mail
from tests.people import People
from tests.ui.test_guard import carry, sign_in, tab

__all__ = ["sign_in", "tab"]

# Pages are written in Reflex's own dialect, which no checker knows.
ConversationState: Any = inbox_conversation.ConversationState
InboxState: Any = inbox_list.InboxState
PersonState: Any = inbox_person.PersonState


@pytest.fixture
def conversation(installed: Runtime, people: People) -> int:
    with installed.database.transaction() as session:
        seed = InboxSeed(session, installed.keyring, people.workspace_id, installed.clock.now()).prepare()
        return seed.conversation("Léa Martin", [Mail("Bonjour, parlons-en.")])


async def on_page(tab: State, token: str, conversation: int | None, query: str = "") -> None:
    """Stand in the inbox, with the conversation open, and let the page be filled."""
    carry(tab, token)
    path = "/inbox" if conversation is None else f"/inbox/{public_id('cnv', conversation)}"
    tab.router_data = tab.router_data | {"pathname": path, "asPath": f"{path}?{query}"}
    tab._update_router_vars(tab.router_data, {})
    for each in (InboxState, ConversationState, PersonState):
        await each.load.fn(await tab.get_state(each))


def the(installed: Runtime, kind: Any, **wanted: Any) -> Any:
    with installed.database.read() as session:
        return session.exec(select(kind).filter_by(**wanted)).one()


async def test_an_opened_conversation_stays_among_the_unread_until_it_is_left(
    installed: Runtime, people: People, tab: State, sign_in: Any, conversation: int
):
    token = sign_in(people.owner)
    await on_page(tab, token, conversation)
    state = await tab.get_state(InboxState)
    assert the(installed, Conversation).status == "read"
    assert ([row.status for row in state.rows], state.unread) == (["read"], 0)
    await on_page(tab, token, None)
    assert state.rows == []


async def test_what_comes_while_somebody_looks_is_read_and_what_they_marked_unread_is_not(
    installed: Runtime, people: People, tab: State, sign_in: Any, conversation: int
):
    await on_page(tab, sign_in(people.owner), conversation)
    state = await tab.get_state(ConversationState)
    with installed.database.transaction() as session:
        row = session.get_one(Conversation, conversation)
        row.status, row.last_inbound_at = "unread", row.last_inbound_at + timedelta(minutes=30)
        session.add(row)
    await ConversationState.refresh.fn(state)
    assert the(installed, Conversation).status == "read"
    await ConversationState.mark.fn(state, "unread")
    await ConversationState.refresh.fn(state)
    assert the(installed, Conversation).status == "unread"


@pytest.mark.parametrize(("decision", "status"), [("sent", "sent"), ("again", "queued")])
async def test_an_answer_that_may_have_left_is_decided_by_a_person(
    installed: Runtime, people: People, tab: State, sign_in: Any, conversation: int, decision: str, status: str
):
    with installed.database.transaction() as session:
        seed = InboxSeed(session, installed.keyring, people.workspace_id, installed.clock.now())
        seed.account_id = session.get_one(Conversation, conversation).account_id
        message = seed.answered(conversation, "Bonjour", status="uncertain", detail="connection lost")
    await on_page(tab, sign_in(people.owner), conversation)
    assert (await tab.get_state(InboxState)).rows[0].not_sent == "uncertain"
    state = await tab.get_state(ConversationState)
    await ConversationState.decide_uncertain.fn(state, public_id("msg", message), decision)
    assert the(installed, Message, id=message).status == status
    await ConversationState.decide_uncertain.fn(state, public_id("msg", message), decision)
    assert the(installed, Message, id=message).status == status


async def test_a_contact_that_answered_can_be_taken_up_again_by_a_campaign(
    installed: Runtime, people: People, tab: State, sign_in: Any, conversation: int
):
    with installed.database.transaction() as session:
        other = create_campaign(session, people.workspace_id, "Printemps", installed.clock.now())
        first = session.get_one(Conversation, conversation).campaign_id
    await on_page(tab, sign_in(people.owner), conversation)
    state = await tab.get_state(PersonState)
    await PersonState.ask.fn(state, "campaign")
    assert [choice.name for choice in state.campaigns] == ["Directeurs achats, industrie Ouest", "Printemps"]
    assert state.answered_at != ""
    await PersonState.add_to_campaign.fn(state, {"campaign": public_id("cmp", first or 0)})
    # It is in that one already: nothing has changed, its status neither.
    assert state.wrong != ""
    assert the(installed, Contact).status == "replied"
    await PersonState.add_to_campaign.fn(state, {"campaign": public_id("cmp", other.id)})
    assert (state.wrong, state.adding) == ("", False)
    assert the(installed, Contact).status == "active"
    assert the(installed, Enrollment, campaign_id=other.id).status == "pending"


async def test_a_snooze_takes_a_day_to_come_and_nothing_else(
    installed: Runtime, people: People, tab: State, sign_in: Any, conversation: int
):
    await on_page(tab, sign_in(people.owner), conversation)
    state = await tab.get_state(ConversationState)
    for wrong in ("2020-01-01", "9999-12-31", "soon", ""):
        await ConversationState.snooze.fn(state, wrong)
        assert state.snooze_wrong == "Choisissez un jour à venir."
    assert the(installed, Conversation).snoozed_until is None
    await ConversationState.snooze.fn(state, "monday")
    until = the(installed, Conversation).snoozed_until
    assert until.weekday() == 0
    assert timedelta(0) < until - installed.clock.now() <= timedelta(days=8)


async def test_a_conversation_of_another_workspace_is_simply_not_there(
    installed: Runtime, people: People, tab: State, sign_in: Any, conversation: int
):
    await on_page(tab, sign_in(people.stranger), conversation)
    state = await tab.get_state(ConversationState)
    assert state.missing
    assert state.items == []
    assert the(installed, Conversation).status == "unread"
    assert (await tab.get_state(PersonState)).id == ""


async def test_an_automatic_answer_offers_to_wait_until_the_day_it_names(
    installed: Runtime, people: People, tab: State, sign_in: Any
):
    now = installed.clock.now()
    with installed.database.transaction() as session:
        seed = InboxSeed(session, installed.keyring, people.workspace_id, now).prepare()
        back = (now + timedelta(days=6)).date()
        away = seed.conversation("Odile Pasquier", [Mail("Absente.", kind="automatic", returns_on=back)])
        over = seed.conversation("Paul Roux", [Mail("Absent.", kind="automatic", returns_on=now.date())])
    await on_page(tab, sign_in(people.owner), over)
    state = await tab.get_state(ConversationState)
    assert state.returns_day == ""
    await on_page(tab, sign_in(people.owner), away)
    assert state.returns_day == back.isoformat()
    await ConversationState.wait_for_return.fn(state, public_id("cnv", away))
    await ConversationState.refresh.fn(state)
    assert state.returns_day == ""
