"""Calls every handler of every State as nobody and as a stranger who names our things: nothing changes or is told.

A web-socket client may call any handler with any arguments, and set any variable before. A new handler is called by
itself; what a State holds and what a client sends must never lead into another workspace.
"""

import ast
import asyncio
import functools
import inspect
import random
import re
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, get_type_hints

import pytest
import wrapt
from reflex.state import BaseState, State
from reflex_base.event import Event
from reflex_base.registry import RegistrationContext
from reflex_base.utils.format import json_dumps
from sqlalchemy.event import listen

from fluenzr_app.campaigns import audience
from fluenzr_app.campaigns import service as campaigns
from fluenzr_app.contacts import imports, labels, stages
from fluenzr_app.db.ids import public_id
from fluenzr_app.fluenzr_app import app
from fluenzr_app.gate import SESSION_COOKIE
from fluenzr_app.inbox import answers, saved_answers
from fluenzr_app.ui.guard import PUBLIC, Guard
from fluenzr_app.ui.runtime import Runtime
from fluenzr_app.workspaces import api_keys
from fluenzr_app.workspaces import service as workspaces
from tests.api.test_every_route_denies import NOTED, SECRETS, assert_ours_untouched, dump
from tests.inbox.seed import InboxSeed, Mail
from tests.people import People, make_account, make_contact
from tests.ui.test_guard import carry, sign_in, tab

__all__ = ["sign_in", "tab"]

# Ends the caller's own session, after which nothing else would be reached.
_ENDS_THE_SESSION = ("sign_out",)
_LONGEST_S = 10.0


class InHand(wrapt.ObjectProxy):
    """A state as a background handler gets it: to be entered before it is changed."""

    async def __aenter__(self) -> "InHand":
        return self

    async def __aexit__(self, *_error: object) -> None:
        return None


@pytest.fixture
def ours(installed: Runtime, people: People) -> dict[str, int]:
    """One of each thing in the owner's workspace: its key by its prefix."""
    now, workspace, place = installed.clock.now(), people.workspace_id, installed
    place.settings.data_dir.mkdir(exist_ok=True)
    draft = imports.begin(
        place.database, place.settings.data_dir, workspace, "zebulon.csv",
        [b"email,name\nzebulon@quincaillerie.example,Zebulon\n"], now,
    )  # fmt: skip
    with place.database.transaction() as session:
        contact = make_contact(
            session, place.keyring, workspace, "zebulon@quincaillerie.example", now, first_name="Zebulon"
        )
        account = make_account(session, workspace, "camille@rivage.example", now)
        group = labels.create_group(session, workspace, "Quincaillerie", now)
        stage = stages.make_stages(session, workspace, now)[-1]
        campaign = campaigns.create_campaign(session, workspace, "Zebulon spring", now, account_ids=[account])
        audience.add_contacts(session, workspace, campaign.id, [contact], now, random.Random(1))
        seed = InboxSeed(session, place.keyring, workspace, now).prepare("noa@rivage.example", "Zebulon autumn")
        conversation = seed.conversation(
            "Zebulon Quincaillerie", [Mail("Zebulon répond", quoted="> zebulon", html="<p>zebulon</p>")], stop=True
        )
        waiting = seed.answered(conversation, "Zebulon attend", status="queued")
        written, number = people.owner.user_id, conversation
        answers.save_draft(session, workspace, number, written, "<p>zebulon</p>", now)
        file = answers.add_file(session, workspace, number, written, "zebulon.pdf", "application/pdf", b"%PDF", now)
        saved = saved_answers.save(session, workspace, "Zebulon", "<p>Bonjour zebulon</p>", now)
        key = api_keys.create_key(session, workspace, name="zebulon", permission="all", created_by=None, now=now)
    found = {
        "con": contact,
        "acc": account,
        "grp": group,
        "cmp": campaign.id,
        "imp": draft.id,
        "key": key.key_id,
        "cnv": conversation,
        "msg": waiting,
        "fil": file.index,
        "sav": saved.id,
    }
    return found | {"stg": stage.id}


def handlers() -> list[tuple[str, Any]]:
    """Every handler of our own States: its full name and what is registered."""
    found = RegistrationContext.get().event_handlers
    return sorted((name, each) for name, each in found.items() if "fluenzr_app___" in name)


def function_of(registered: Any) -> Any:
    handler = getattr(registered, "handler", registered)
    return handler.fn


def state_class_of(tab: State, name: str) -> type[BaseState]:
    return type(tab).get_class_substate(tuple(name.split(".")[:-1]))


@functools.cache
def words_of(module: str) -> tuple[str, ...]:
    """The short words that a module compares its arguments with, so that each act of a handler is tried."""
    compared: list[ast.AST | None] = []
    for node in ast.walk(ast.parse(inspect.getsource(sys.modules[module]))):
        if isinstance(node, ast.Compare):
            compared += node.comparators
        elif isinstance(node, ast.Dict):
            compared += node.keys
        elif isinstance(node, ast.MatchValue):
            compared.append(node.value)
    constants = [part for node in compared if node is not None for part in ast.walk(node)]
    words = {part.value for part in constants if isinstance(part, ast.Constant) and isinstance(part.value, str)}
    return tuple(sorted(word for word in words if re.fullmatch(r"[a-z_]{3,20}", word)))


def arguments(function: Any, ours: dict[str, int], prefix: str, *, acts: bool) -> Iterator[dict[str, Any]]:
    """Payloads that name our things wherever they can; with `acts` also one for each act that the handler knows."""
    parameters = [name for name in inspect.signature(function).parameters if name != "self"]
    try:
        hints = get_type_hints(function)
    except (NameError, TypeError):
        hints = {}
    base = {name: _value(hints.get(name, str), *ours_for(name, ours, prefix)) for name in parameters}
    yield base
    chosen = [
        name
        for name in parameters
        if name in ("act", "step", "kind", "choice", "name", "what", "mode", "status", "decision")
    ]
    for name in chosen[:1] if acts else ():
        for word in words_of(function.__module__):
            yield base | {name: word}


def ours_for(name: str, ours: dict[str, int], prefix: str) -> tuple[str, int]:
    """The thing of ours that a name asks for, else that of this round: its public id and its key."""
    wanted = next((kind for word, kind in _KINDS if word in name), prefix)
    return public_id(wanted, ours[wanted]), ours[wanted]


# Things without a page of their own: they are named where a handler asks for one of them.
_NAMED_ONLY = ("msg", "fil", "sav")
_KINDS = (
    ("group", "grp"), ("stage", "stg"), ("contact", "con"), ("account", "acc"), ("campaign", "cmp"),
    ("import", "imp"), ("public", "imp"), ("conversation", "cnv"), ("message", "msg"),
    ("file", "fil"), ("saved", "sav"),
)  # fmt: skip


def _value(hint: Any, named: str, key: int) -> Any:
    text = str(hint)
    if hint is bool:
        return True
    if hint is int or hint is float:
        return key
    if text.startswith(("dict", "typing.Dict")):
        fields = (
            "id", "name", "email", "group", "contact", "account", "campaign", "tag", "text", "note", "value", "word",
            "conversation", "html", "label",
        )  # fmt: skip
        return dict.fromkeys(fields, named)
    if text.startswith(("list", "set", "tuple")):
        return [key] if "int" in text else [named]
    return named


async def poison(tab: State, ours: dict[str, int], prefix: str) -> None:
    """Set whatever a client could set to our things, as the socket's own `update_vars_internal` allows."""
    for cls in {state_class_of(tab, name) for name, _ in handlers()}:
        state = await tab.get_state(cls)
        for name in cls.base_vars:
            named, key = ours_for(name, ours, prefix)
            value = getattr(state, name, None)
            if isinstance(value, bool):
                setattr(state, name, True)
            elif isinstance(value, int):
                setattr(state, name, key)
            elif isinstance(value, str):
                setattr(state, name, named)
            elif isinstance(value, list) and not value and "str" in str(get_type_hints(cls).get(name)):
                setattr(state, name, [named])


async def call(tab: State, name: str, function: Any, payload: dict[str, Any]) -> None:
    """Run a handler as the socket would, with its generator to the end; its errors are its own affair."""
    state = InHand(await tab.get_state(state_class_of(tab, name)))
    try:
        async with asyncio.timeout(_LONGEST_S):
            answer = function(state, **payload)
            if inspect.isasyncgen(answer):
                async for _ in answer:
                    pass
            elif inspect.isawaitable(answer):
                await answer
            elif inspect.isgenerator(answer):
                list(answer)
    except TimeoutError:
        raise
    except Exception:
        return


async def told(tab: State, name: str = "") -> list[str]:
    """The owner's words in what the browser would be sent of the handler's State, or of all States."""
    state = await tab.get_state(state_class_of(tab, name)) if name else tab
    shown = json_dumps(state.dict()).lower()
    return [word for word in SECRETS if word in shown]


class Seat:
    """Somebody at a browser; signs in again when a handler has ended the session."""

    def __init__(self, installed: Runtime, begin: Callable[[], str]) -> None:
        self._installed, self._begin = installed, begin
        self._has_changed = False
        listen(installed.database.engine, "commit", self._note)
        self.token = begin()

    def _note(self, _connection: Any) -> None:
        self._has_changed = True

    async def keep(self, tab: State) -> None:
        """Be signed in for the next call."""
        # Only what was written can have ended it.
        if not self._has_changed:
            return
        database, now = self._installed.database, self._installed.clock.now()
        self._has_changed = False
        if self.token and workspaces.who_is(database, self.token, now) is None:
            self.token = self._begin()
            connection = tab.router_data | {"headers": {"cookie": f"{SESSION_COOKIE}={self.token}"}}
            tab._update_router_vars(connection, tab.router_data)
            tab.router_data = connection


def visit(tab: State, token: str, named: str) -> None:
    """Stand on a page whose address names our thing in every way an address can."""
    carry(tab, token)
    names = ("open", "group", "imported", "id", "campaign", "account", "contact")
    path = f"/inbox/{named}" if named.startswith("cnv_") else f"/campaigns/{named}"
    query = "&".join(f"{name}={named}" for name in names)
    tab.router_data = tab.router_data | {"pathname": path, "asPath": f"{path}?{query}", "query": {"id": named}}
    tab._update_router_vars(tab.router_data, {})


async def every_call(tab: State, seat: Seat, ours: dict[str, int]) -> AsyncIterator[tuple[str, Any, dict[str, Any]]]:
    """Every handler on a page of each of our things, as it comes and after the variables were set from outside."""
    walked = [
        (name, function_of(registered))
        for name, registered in handlers()
        if name not in PUBLIC and not name.endswith((".setvar", *_ENDS_THE_SESSION))
    ]
    for prefix, key in ours.items():
        if prefix in _NAMED_ONLY:
            continue
        visit(tab, seat.token, public_id(prefix, key))
        await Guard().preprocess(app, tab, Event(name="reflex___state____state.hydrate"))
        for poisoned in (False, True):
            if poisoned:
                await poison(tab, ours, prefix)
            for name, function in walked:
                for payload in arguments(function, ours, prefix, acts=poisoned):
                    await seat.keep(tab)
                    yield name, function, payload


async def test_a_stranger_changes_and_learns_nothing_by_any_handler(
    installed: Runtime, people: People, ours: dict[str, int], tab: State, sign_in: Any
):
    seat = Seat(installed, lambda: sign_in(people.stranger))
    before = dump(installed.database, but=NOTED)
    called = set()
    async for name, function, payload in every_call(tab, seat, ours):
        await call(tab, name, function, payload)
        assert await told(tab, name) == [], (name, payload)
        called.add(name)
    assert len(called) > 30
    assert await told(tab) == []
    assert_ours_untouched(before, dump(installed.database, but=NOTED), people)


async def test_nobody_changes_or_learns_anything_even_if_the_guard_were_not_there(
    installed: Runtime, people: People, ours: dict[str, int], tab: State
):
    before = dump(installed.database)
    async for name, function, payload in every_call(tab, Seat(installed, str), ours):
        await call(tab, name, function, payload)
        assert await told(tab, name) == [], (name, payload)
    assert await told(tab) == []
    assert dump(installed.database) == before


async def test_the_walk_reaches_what_it_is_meant_to_reach(
    installed: Runtime, people: People, ours: dict[str, int], tab: State, sign_in: Any
):
    """As the owner the same calls do show and change our things, so that the silence above means something."""
    seat = Seat(installed, lambda: sign_in(people.owner))
    before = dump(installed.database, but=NOTED)
    shown = False
    async for name, function, payload in every_call(tab, seat, ours):
        await call(tab, name, function, payload)
        shown = shown or "zebulon" in await told(tab, name)
    assert shown
    after = dump(installed.database, but=NOTED)
    for table in ("contact", "conversation", "answer_draft", "saved_answer"):
        assert after[table] != before[table], table
