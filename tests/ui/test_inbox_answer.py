"""What the answer box's handlers promise, asked without a browser."""

from typing import Any

import pytest
from reflex.state import State
from sqlmodel import select

from fluenzr_app.db.ids import public_id
from fluenzr_app.inbox.models import Answer, AnswerDraft
from fluenzr_app.sending.models import Message
from fluenzr_app.ui.pages import inbox_answer
from fluenzr_app.ui.runtime import Runtime
from tests.inbox.seed import InboxSeed, Mail
from tests.people import People
from tests.ui.test_guard import carry, sign_in, tab

__all__ = ["sign_in", "tab"]

# Pages are written in Reflex's own dialect, which no checker knows.
AnswerState: Any = inbox_answer.AnswerState


@pytest.fixture
def conversation(installed: Runtime, people: People) -> int:
    with installed.database.transaction() as session:
        seed = InboxSeed(session, installed.keyring, people.workspace_id, installed.clock.now()).prepare()
        return seed.conversation("Léa Martin", [Mail("Bonjour")])


async def box(tab: State, token: str, conversation: int) -> Any:
    """The answer box of the open conversation."""
    carry(tab, token)
    path = f"/inbox/{public_id('cnv', conversation)}"
    tab.router_data = tab.router_data | {"pathname": path, "asPath": path}
    tab._update_router_vars(tab.router_data, {})
    state = await tab.get_state(AnswerState)
    await AnswerState.load.fn(state)
    return state


def written(conversation: int, **more: Any) -> dict[str, Any]:
    return {"conversation": public_id("cnv", conversation), "html": "<p>Bonjour Léa</p>", "seq": 1, "token": "a"} | more


def stored(installed: Runtime, kind: Any) -> list[Any]:
    with installed.database.read() as session:
        return list(session.exec(select(kind)).all())


async def test_an_answer_that_is_said_twice_is_queued_once(
    installed: Runtime, people: People, tab: State, sign_in: Any, conversation: int
):
    state = await box(tab, sign_in(people.owner), conversation)
    for _ in range(2):
        await AnswerState.send.fn(state, written(conversation))
        assert state.ack["state"] == "sent"
    assert len(stored(installed, Answer)) == 1
    await AnswerState.send.fn(state, written(conversation, token="b"))
    assert len(stored(installed, Answer)) == 2


async def test_an_answer_that_is_taken_back_is_the_draft_again_and_can_be_sent_again(
    installed: Runtime, people: People, tab: State, sign_in: Any, conversation: int
):
    state = await box(tab, sign_in(people.owner), conversation)
    await AnswerState.send.fn(state, written(conversation))
    message = stored(installed, Answer)[0].message_id
    await AnswerState.take_back.fn(state, public_id("msg", message))
    assert state.value["restored"]
    assert "Bonjour Léa" in state.value["html"]
    assert stored(installed, Answer) == []
    assert [draft.user_id for draft in stored(installed, AnswerDraft)] == [people.owner.user_id]
    await AnswerState.send.fn(state, written(conversation))
    assert [mail.status for mail in stored(installed, Message) if mail.kind == "answer"] == ["queued"]


@pytest.mark.parametrize("at", ["2020-01-01T09:00", "soon", "9999-12-31T23:59"])
async def test_a_time_that_cannot_be_is_refused_in_words_and_nothing_is_queued(
    installed: Runtime, people: People, tab: State, sign_in: Any, conversation: int, at: str
):
    state = await box(tab, sign_in(people.owner), conversation)
    await AnswerState.send.fn(state, written(conversation, at=at))
    assert state.ack["state"] == "refused"
    assert state.ack["why"] == "Choisissez un moment entre maintenant et dans un an."
    assert stored(installed, Answer) == []


async def test_a_draft_is_of_one_person_alone(
    installed: Runtime, people: People, tab: State, sign_in: Any, conversation: int
):
    state = await box(tab, sign_in(people.owner), conversation)
    await AnswerState.save.fn(state, written(conversation))
    assert state.ack["state"] == "saved"
    other = await box(tab, sign_in(people.teammate), conversation)
    assert other.value["html"] == ""


async def test_what_a_program_put_into_a_draft_does_not_run_in_the_page(
    installed: Runtime, people: People, tab: State, sign_in: Any, conversation: int
):
    state = await box(tab, sign_in(people.owner), conversation)
    await AnswerState.save.fn(state, written(conversation, html='<p onclick="x()">a</p><script>x()</script>'))
    state = await box(tab, sign_in(people.owner), conversation)
    assert "script" not in state.value["html"]
    assert "onclick" not in state.value["html"]
