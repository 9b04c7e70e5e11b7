"""A web-socket client can call any handler by its name: nothing answers unless its session is signed in."""

from collections.abc import Iterator
from time import monotonic
from typing import Any

import pytest
from reflex.istate.manager.memory import StateManagerMemory
from reflex.istate.proxy import StateProxy
from reflex.state import State
from reflex_base.event import Event
from reflex_base.event.context import EventContext
from reflex_base.registry import RegistrationContext
from reflex_base.utils.format import json_dumps

from fluenzr_app.crypto import token_hash
from fluenzr_app.fluenzr_app import app
from fluenzr_app.gate import SESSION_COOKIE
from fluenzr_app.ui.guard import PUBLIC, Binding, Guard, SignedOut, acting, reader_language
from fluenzr_app.ui.runtime import Runtime
from fluenzr_app.ui.shell import ShellState
from fluenzr_app.workspaces import service as workspaces
from fluenzr_app.workspaces.errors import NotAllowed
from tests.people import People, Person

NONCE = "nonce-of-this-browser"


@pytest.fixture
def tab() -> Iterator[State]:
    """The state behind one browser tab, as Reflex keeps it."""
    with app.set_contexts():
        state = State(_reflex_internal_init=True)  # type: ignore[call-arg]
        yield state


@pytest.fixture
def sign_in(installed: Runtime) -> Any:
    """Begin a session for a person and give the cookie's token."""

    def begin(person: Person) -> str:
        now = installed.clock.now()
        with installed.database.transaction() as session:
            ticket = workspaces.issue_ticket(
                session, user_id=person.user_id, workspace_id=person.workspace_id, nonce=NONCE, now=now
            )
            return workspaces.redeem_ticket(session, ticket=ticket, nonce=NONCE, browser="test", now=now).token

    return begin


def carry(tab: State, token: str = "", **headers: str) -> None:
    """Connect the tab with this session cookie."""
    cookies = f"other=1; {SESSION_COOKIE}={token}" if token else "other=1"
    connection = {
        "headers": {"cookie": cookies, **headers},
        "ip": "192.0.2.7",
        "pathname": "/contacts",
        "asPath": "/contacts",
    }
    tab._update_router_vars(connection, tab.router_data)
    tab.router_data = connection


def all_handlers() -> list[str]:
    return sorted(RegistrationContext.get().event_handlers)


async def ask(tab: State, name: str) -> Any:
    return await Guard().preprocess(app, tab, Event(name=name))


async def an_event(tab: State) -> Any:
    """Let an event of its own come by the guard, as each one does in a task of its own."""
    kept_in: Any = StateManagerMemory
    EventContext.set(EventContext(token="tab", state_manager=kept_in(), enqueue_impl=_enqueue_nothing))
    return await ask(tab, "reflex___state____state.fluenzr_app___ui___shell____shell_state.enter")


async def _enqueue_nothing(token: str, *events: Event) -> None:
    raise AssertionError("nothing is enqueued here")


def end(installed: Runtime, token: str) -> None:
    """Sign the session out, as from another window."""
    with installed.database.transaction() as session:
        workspaces.sign_out(session, token, installed.clock.now())


@pytest.fixture
def lookups(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tokens that the store was asked about."""
    asked: list[str] = []
    who_is = workspaces.who_is

    def noting(database: Any, token: str, now: Any) -> Any:
        asked.append(token)
        return who_is(database, token, now)

    monkeypatch.setattr(workspaces, "who_is", noting)
    return asked


def test_every_public_handler_is_there():
    with app.set_contexts():
        assert set(all_handlers()) >= PUBLIC


async def test_without_a_session_every_handler_but_the_public_ones_leads_to_the_sign_in(installed: Runtime, tab: State):
    carry(tab)
    for name in all_handlers():
        answer = await ask(tab, name)
        if name in PUBLIC:
            assert answer is None, name
        else:
            assert answer is not None, name
            assert not answer.delta, name
            assert name.endswith(".setvar") or "sign-in?next=%2Fcontacts" in str(answer.events[0].payload), name


async def test_a_made_up_cookie_opens_nothing(installed: Runtime, tab: State):
    carry(tab, "x" * 43)
    assert await ask(tab, "reflex___state____state.fluenzr_app___ui___shell____shell_state.sign_out") is not None


async def test_a_signed_in_session_may_call_every_handler_but_the_general_setter(
    installed: Runtime, people: People, tab: State, sign_in: Any
):
    carry(tab, sign_in(people.owner))
    for name in all_handlers():
        assert (await ask(tab, name) is not None) == name.endswith(".setvar"), name


async def test_a_revoked_session_stops_at_its_next_event_although_the_socket_still_carries_its_cookie(
    installed: Runtime, people: People, tab: State, sign_in: Any
):
    token = sign_in(people.owner)
    carry(tab, token)
    name = "reflex___state____state.fluenzr_app___ui___shell____shell_state.enter"
    assert await ask(tab, name) is None
    with installed.database.transaction() as session:
        workspaces.sign_out(session, token, installed.clock.now())
    assert await ask(tab, name) is not None
    with pytest.raises(SignedOut):
        await acting(tab)


async def test_what_one_session_saw_is_gone_when_another_one_comes_with_the_same_token(
    installed: Runtime, people: People, tab: State, sign_in: Any
):
    hydrate = "reflex___state____state.hydrate_and_load"
    owner = sign_in(people.owner)
    carry(tab, owner)
    await ask(tab, hydrate)
    shell = await tab.get_state(ShellState)
    shell.workspace = "Atelier Rivage"
    await ask(tab, hydrate)
    assert shell.workspace == "Atelier Rivage"
    carry(tab, sign_in(people.stranger))
    await ask(tab, hydrate)
    assert shell.workspace == ""
    shell.workspace = "Studio Lointain"
    carry(tab)
    await ask(tab, hydrate)
    assert shell.workspace == ""
    binding = await tab.get_state(Binding)
    assert binding._session == ""


async def test_the_binding_keeps_a_hash_and_never_reaches_the_browser(
    installed: Runtime, people: People, tab: State, sign_in: Any
):
    token = sign_in(people.owner)
    carry(tab, token)
    await ask(tab, "reflex___state____state.hydrate")
    binding = await tab.get_state(Binding)
    assert binding._session == f"{token_hash(token)}:{people.workspace_id}"
    sent = json_dumps(tab.dict())
    assert SESSION_COOKIE not in sent
    assert token not in sent
    assert token_hash(token) not in sent


async def test_acting_gives_the_workspace_of_the_session_and_refuses_a_member_what_is_an_admins(
    installed: Runtime, people: People, tab: State, sign_in: Any
):
    carry(tab, sign_in(people.teammate))
    me = await acting(tab)
    assert (me.workspace_id, me.is_admin, me.now) == (people.workspace_id, False, installed.clock.now())
    assert (await me.read(workspaces.get_workspace, me.workspace_id)).name == "Atelier Rivage"
    with pytest.raises(NotAllowed):
        await acting(tab, admin=True)


async def test_an_events_own_handler_goes_once_by_what_the_guard_has_just_found(
    installed: Runtime, people: People, tab: State, sign_in: Any, lookups: list[str]
):
    carry(tab, sign_in(people.owner))
    await an_event(tab)
    assert len(lookups) == 1
    assert (await acting(tab)).identity.user_id == people.owner.user_id
    assert len(lookups) == 1
    await acting(tab)
    assert len(lookups) == 2


async def test_a_session_that_ended_while_its_handler_ran_is_refused_when_that_asks_again(
    installed: Runtime, people: People, tab: State, sign_in: Any
):
    token = sign_in(people.owner)
    carry(tab, token)
    await an_event(tab)
    await acting(tab)
    end(installed, token)
    with pytest.raises(SignedOut):
        await acting(tab)
    assert await an_event(tab) is not None
    with pytest.raises(SignedOut):
        await acting(tab)


@pytest.mark.parametrize("who", ["another event", "another session", "a background handler", "somebody late"])
async def test_nobody_else_goes_by_what_the_guard_has_found_for_an_event(
    installed: Runtime, people: People, tab: State, sign_in: Any, monkeypatch: pytest.MonkeyPatch, who: str
):
    token = sign_in(people.owner)
    carry(tab, token)
    await an_event(tab)
    asks: Any = tab
    if who == "another event":
        EventContext.set(EventContext.get().fork())
    elif who == "another session":
        carry(tab, sign_in(people.stranger))
        assert (await acting(tab)).workspace_id == people.other_workspace_id
        return
    elif who == "a background handler":
        asks = StateProxy(tab)
    else:
        later = monotonic() + 1
        monkeypatch.setattr("fluenzr_app.ui.guard.monotonic", lambda: later)
    end(installed, token)
    with pytest.raises(SignedOut):
        await acting(asks)


async def test_a_write_is_committed_and_a_failed_one_leaves_nothing(
    installed: Runtime, people: People, tab: State, sign_in: Any
):
    carry(tab, sign_in(people.owner))
    me = await acting(tab)
    await me.write(workspaces.set_language, me.identity.user_id, "en")
    assert (await acting(tab)).lang == "en"

    def half(session: Any) -> None:
        workspaces.set_language(session, me.identity.user_id, "fr")
        raise RuntimeError("halfway")

    with pytest.raises(RuntimeError):
        await me.write(half)
    assert (await acting(tab)).lang == "en"


def test_before_the_sign_in_the_language_is_the_browsers(tab: State):
    carry(tab, **{"accept-language": "de-DE,en-GB;q=0.8,fr;q=0.5"})
    assert reader_language(tab, None) == "en"
    carry(tab, **{"accept-language": "de"})
    assert reader_language(tab, None) == "fr"


async def test_characters_that_no_database_keeps_never_reach_a_handler(
    installed: Runtime, people: People, tab: State, sign_in: Any
):
    carry(tab, sign_in(people.owner))
    sent = {"text": "a\0b", "given": {"na\0me": ["\ud800x", 3, None]}, "n": 1.5}
    event = Event(name="reflex___state____state.fluenzr_app___ui___shell____shell_state.enter", payload=sent)
    assert await Guard().preprocess(app, tab, event) is None
    assert event.payload == {"text": "ab", "given": {"name": ["x", 3, None]}, "n": 1.5}
