"""Says everything that can be said on the pages' web socket, as nobody and as a stranger: nothing changes or is told.

The walk is over whatever handlers the app knows, so that a new one is tried by itself. One that must be open to
everybody goes on the list `PUBLIC_BECAUSE`, where it is seen. Beside it, `test_every_handler_denies` calls the handlers
without the guard and the socket.
"""

import ast
import functools
import inspect
import random
import re
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any, get_type_hints

import pytest
import reflex as rx
from reflex.istate.manager.token import BaseStateToken
from reflex.state import State
from reflex_base.registry import RegistrationContext
from reflex_base.utils.format import json_dumps

from fluenzr_app.campaigns import audience
from fluenzr_app.campaigns import service as campaigns
from fluenzr_app.contacts import imports, labels, suppression
from fluenzr_app.contacts import service as contacts
from fluenzr_app.db.ids import parse_public_id, public_id
from fluenzr_app.fluenzr_app import app
from fluenzr_app.sending.models import Message
from fluenzr_app.ui import guard, runtime
from fluenzr_app.ui.runtime import Runtime
from fluenzr_app.workspaces import api_keys
from fluenzr_app.workspaces import service as workspaces
from tests.api.test_every_route_denies import assert_ours_untouched, dump
from tests.people import People, make_account, make_contact
from tests.real.ports import free_ports
from tests.ui.socket_tab import Tab, handlers, opened, served, states
from tests.ui.test_guard import sign_in

__all__ = ["sign_in"]

_ROOT = "reflex___state____state"
_PAGES = f"{_ROOT}.fluenzr_app___ui___pages"
HYDRATE = f"{_ROOT}.hydrate_and_load"

# Open to a browser without a session, on purpose: each with the reason why it can be.
PUBLIC_BECAUSE = {
    f"{_ROOT}.hydrate": "sends the tab's own state, which was emptied if it was filled for another session",
    HYDRATE: "the same, then asks for the page's handlers, which are asked about one by one",
    f"{_ROOT}.set_is_hydrated": "sets a flag of the tab",
    f"{_ROOT}.reflex___state____on_load_internal_state.on_load_internal": "asks for the page's handlers, see above",
    f"{_ROOT}.reflex___state____on_load_internal_state.set_is_hydrated": "sets a flag of the tab",
    f"{_ROOT}.reflex___state____update_vars_internal_state.update_vars_internal": "sets what a browser stores: nothing",
    f"{_PAGES}___sign_in____sign_in_state.open": "shows the sign-in page",
    f"{_PAGES}___sign_in____sign_in_state.submit": "is the sign-in, with its own limit on guessing",
    f"{_PAGES}___first_start____first_start_state.open": "shows the first start to whoever has its link",
    f"{_PAGES}___first_start____first_start_state.submit": "takes the one-time link",
}
# Bookkeeping of a valid session that anybody's event may touch: (table, column).
NOTED = {("user_session", "seen_at")}
# What belongs to the admins; a member's calls leave these tables as they are.
OF_ADMINS = ("api_key", "email_account", "secret", "workspace", "membership", "suppression", "probe_run")
# Words that stand in the owner's data and nowhere else.
SECRETS = ("zebulon", "quincaillerie", "camille@", "noa@", "rue des lilas")
# Names of arguments that choose what is done, so that each word which the module knows is tried.
_CHOICES = {"act", "step", "kind", "choice", "what", "which", "decision", "drawer", "role", "status", "tab", "mode"}
# Names of arguments that hold what somebody typed or where a list stands, and so no id.
_TEXTS = {"text", "typed", "word", "email", "code", "details", "language", "lang", "column", "number", "by", "index",
          "amount", "unit", "hour", "day", "certified", "mend", "on", "take", "hand", "ticked", "is_open"}  # fmt: skip
_KINDS = (
    ("group", "grp"), ("contact", "con"), ("account", "acc"), ("campaign", "cmp"), ("import", "imp"), ("public", "imp"),
    ("session", "ses"), ("key", "key"), ("revoking", "key"), ("entry", "sup"), ("removing", "sup"), ("message", "msg"),
)  # fmt: skip


@pytest.fixture
def calm(installed: Runtime) -> Runtime:
    """The services, with servers that are given up on at once."""
    quick = installed.settings.model_copy(update={"smtp_timeout_s": 0.3})
    made = Runtime(quick, installed.database, installed.keyring, installed.clock)
    runtime.install(made)
    return made


@pytest.fixture
def ours(calm: Runtime, people: People, sign_in: Any) -> dict[str, str]:
    """One of each thing in the owner's workspace: its public id by its prefix."""
    now, workspace = calm.clock.now(), people.workspace_id
    sign_in(people.owner)
    calm.settings.data_dir.mkdir(exist_ok=True)
    draft = imports.begin(
        calm.database, calm.settings.data_dir, workspace, "zebulon.csv",
        [b"email,name\nzebulon@quincaillerie.example,Zebulon\n"], now,
    )  # fmt: skip
    email = "zebulon@quincaillerie.example"
    with calm.database.transaction() as session:
        contact = make_contact(session, calm.keyring, workspace, email, now, first_name="Zebulon")
        spare = make_contact(session, calm.keyring, workspace, "b@quincaillerie.example", now, consent_notes="zebulon")
        account = make_account(session, workspace, "camille@rivage.example", now)
        group = labels.create_group(session, workspace, "Quincaillerie", now)
        contacts.update_contact(
            session, calm.keyring, workspace, spare, {"group_ids": [group], "tags": ["zebulon"]}, now
        )
        campaign = campaigns.create_campaign(session, workspace, "Zebulon spring", now, account_ids=[account])
        audience.add_contacts(session, workspace, campaign.id, [contact], now, random.Random(1))
        key = api_keys.create_key(session, workspace, name="zebulon", permission="all", created_by=None, now=now)
        suppression.add(session, calm.keyring, workspace, ["quincaillerie-zebulon.example"], "manual", now)
        workspaces.update_workspace(session, workspace, postal_address="3 rue des Lilas, 13000 Marseille")
        message = Message(
            workspace_id=workspace, kind="test", account_id=account, contact_id=contact, due_at=now, to_address=email,
            to_domain="quincaillerie.example", rfc_id="z@rivage.example", subject="Zebulon", status="uncertain",
            created_at=now,
        )  # fmt: skip
        session.add(message)
        session.flush()
        entry = suppression.list_suppressed(session, workspace).lines[0].id
        browser = workspaces.list_sessions(session, people.owner.user_id, now)[0].session_id
        keys = {
            "con": contact, "acc": account, "grp": group, "cmp": campaign.id, "imp": draft.id, "key": key.key_id,
            "msg": message.id, "sup": entry, "ses": browser, "usr": people.owner.user_id,
        }  # fmt: skip
    return {prefix: public_id(prefix, number) for prefix, number in keys.items() if number is not None}


@pytest.fixture
async def url(calm: Runtime) -> AsyncIterator[str]:
    """The served socket."""
    async with served(free_ports(1)[0]) as address:
        yield address


def function_of(registered: Any) -> Any:
    return getattr(registered, "handler", registered).fn


@functools.cache
def words_of(module: str) -> tuple[str, ...]:
    """The words that a module compares with or looks up, so that each act of a handler is tried."""
    parts: list[ast.AST | None] = []
    for node in ast.walk(ast.parse(inspect.getsource(sys.modules[module]))):
        if isinstance(node, ast.Compare):
            parts += node.comparators
        elif isinstance(node, ast.Dict):
            parts += node.keys
    found = {one.value for part in parts if part for one in ast.walk(part) if isinstance(one, ast.Constant)}
    return tuple(sorted(word for word in found if isinstance(word, str) and re.fullmatch(r"[a-z_]{2,20}", word)))


def payloads(function: Any, ours: dict[str, str], *, words: bool) -> Iterator[dict[str, Any]]:
    """Arguments of the kinds that the handler takes, which name our things wherever they can.

    Where it is not clear what an argument names, each of our things in turn, or with `words` each act that is known.
    """
    names = [name for name in inspect.signature(function).parameters if name != "self"]
    hints = hints_of(function)
    unclear = [name for name in names if kind_of(name) is None and name not in _CHOICES | _TEXTS]
    for prefix in ours if unclear and not words else ("con",):
        base = {name: value_for(name, hints.get(name, str), ours, prefix) for name in names}
        yield base
    for name in set(names) & _CHOICES if words else ():
        for word in words_of(function.__module__):
            yield base | {name: word}


def hints_of(function: Any) -> dict[str, Any]:
    try:
        return get_type_hints(function)
    except (NameError, TypeError):
        return {}


def kind_of(name: str) -> str | None:
    return next((kind for word, kind in _KINDS if word in name), None)


def value_for(name: str, hint: Any, ours: dict[str, str], prefix: str) -> Any:
    wanted = kind_of(name) or prefix
    named = ours[wanted]
    if hint is bool:
        return True
    if hint in (int, float):
        return parse_public_id(wanted, named)
    if str(hint).startswith(("dict", "typing.Dict")):
        fields = (
            "id",
            "name",
            "first_name",
            "email",
            "group",
            "contact",
            "account",
            "campaign",
            "tag",
            "text",
            "value",
        )
        return {field: ours[kind_of(field) or prefix] for field in fields}
    return [named] if str(hint).startswith(("list", "set", "tuple")) else named


def everything(ours: dict[str, str], *, words: bool = False) -> list[tuple[str, dict[str, Any]]]:
    """All that can be said: (handler, payload). What ends the caller's own session comes last."""
    said = [
        (name, payload)
        for name, registered in sorted(handlers().items())
        if name not in PUBLIC_BECAUSE
        for payload in payloads(function_of(registered), ours, words=words or name.endswith(".setvar"))
    ]
    return sorted(said, key=lambda one: one[0].endswith(("sign_out", "end_session", "end_others", "change_password")))


async def stand_on(tab: Tab, ours: dict[str, str], prefix: str) -> None:
    """Open a page whose address names our thing in every way an address can."""
    named = "&".join(
        f"{name}={ours[prefix]}"
        for name in ("open", "group", "imported", "id", "campaign", "account", "contact", "tag", "tab")
    )
    page = {"acc": "/accounts", "cmp": f"/campaigns/{ours['cmp']}/progress", "imp": "/contacts/import"}
    tab.visit(page.get(prefix, "/contacts"), f"?{named}", {"campaign": ours["cmp"]})
    await tab.say(HYDRATE)


async def poison(token: str, ours: dict[str, str]) -> None:
    """Set what the State of a tab holds to our things, as if each had once been put there by some handler."""
    with app.set_contexts():
        async with app.state_manager.modify_state(BaseStateToken(ident=token, cls=State)) as root:
            for cls in states():
                if "fluenzr_app___" not in cls.get_full_name():
                    continue
                state = await root.get_state(cls)
                for name in cls.base_vars:
                    kind = kind_of(name) or "con"
                    if isinstance(getattr(state, name), str):
                        setattr(state, name, ours[kind])
                    elif type(getattr(state, name)) is int:
                        setattr(state, name, parse_public_id(kind, ours[kind]))


def told(heard: list[Any]) -> list[str]:
    """The owner's words in what a browser was sent."""
    shown = json_dumps(heard).lower()
    return [word for word in SECRETS if word in shown]


def test_the_list_of_what_is_public_is_the_guards_and_gives_its_reasons():
    assert set(PUBLIC_BECAUSE) == guard.PUBLIC
    assert set(PUBLIC_BECAUSE) <= set(handlers())


def test_every_public_method_of_every_state_is_walked_inherited_and_undecorated_ones_too():
    walked = handlers()
    with app.set_contexts():
        for cls in states():
            for name in cls.event_handlers:
                assert f"{cls.get_full_name()}.{name}" in walked
            for base in cls.__mro__[: cls.__mro__.index(State)]:
                public = {name for name, part in vars(base).items() if inspect.isfunction(part) and name[0] != "_"}
                assert public <= set(cls.event_handlers) | {"get_value"}, (cls, public)
    assert len(walked) > 150


async def test_nobody_changes_or_learns_anything_over_the_socket(calm: Runtime, ours: dict[str, str], url: str):
    before = dump(calm.database)
    said = everything(ours)
    async with opened(url, str(uuid.uuid4())) as tab:
        for prefix in ours:
            await stand_on(tab, ours, prefix)
        assert told(await tab.settle()) == []
        for name, payload in said:
            await tab.say(name, payload)
        heard = await tab.settle()
    assert told(heard) == []
    assert not any("delta" in message[1] for message in heard), "a handler ran"
    sent_away = sum("/sign-in" in json_dumps(message) for message in heard)
    assert sent_away == sum(not name.endswith(".setvar") for name, _ in said) > 150
    assert dump(calm.database) == before


async def test_somebody_elses_client_token_opens_nothing(
    calm: Runtime, people: People, ours: dict[str, str], url: str, sign_in: Any
):
    theirs, cookie = str(uuid.uuid4()), sign_in(people.owner)
    async with opened(url, theirs, cookie) as tab:
        for prefix in ours:
            await stand_on(tab, ours, prefix)
        assert "zebulon" in told(await tab.settle()), "the owner's tab holds nothing that could be told"
        # While the owner's tab is open, a second one under its token is given another.
        async with opened(url, theirs) as other:
            await other.say(HYDRATE)
            assert told(await other.settle()) == []
    before = dump(calm.database)
    for borrowed in ("", sign_in(people.stranger)):
        before = dump(calm.database, but=NOTED) if borrowed else before
        async with opened(url, theirs, borrowed) as tab:
            tab.visit("/contacts")
            for name in (f"{_ROOT}.hydrate", HYDRATE):
                await tab.say(name)
            for name, payload in everything(ours)[:40]:
                await tab.say(name, payload)
            assert told(await tab.settle()) == []
    assert_ours_untouched(before, dump(calm.database, but=NOTED), people)


async def walk(
    url: str, cookie: str, ours: dict[str, str], only: str = "", passes: tuple[bool, ...] = (False, True)
) -> list[Any]:
    """Say everything as the session `cookie`, first as it comes, then after the State was poisoned; what was heard.

    Of the handlers, those whose names begin with `only`.
    """
    heard: list[Any] = []
    token = str(uuid.uuid4())
    async with opened(url, token, cookie) as tab:
        for poisoned in passes:
            for prefix in ours:
                await stand_on(tab, ours, prefix)
            heard += await tab.settle()
            if poisoned:
                await poison(token, ours)
            for name, payload in everything(ours, words=poisoned):
                if name.startswith(only) and (poisoned or not name.endswith("sign_out")):
                    await tab.say(name, payload)
            heard += await tab.settle()
    return heard


async def test_a_stranger_changes_and_learns_nothing_over_the_socket(
    calm: Runtime, people: People, ours: dict[str, str], url: str, sign_in: Any
):
    before = dump(calm.database, but=NOTED)
    heard = await walk(url, sign_in(people.stranger), ours)
    assert told(heard) == []
    assert_ours_untouched(ours_alone(before, people), dump(calm.database, but=NOTED), people)


async def test_a_member_changes_nothing_that_is_the_admins(
    calm: Runtime, people: People, ours: dict[str, str], url: str, sign_in: Any
):
    before = dump(calm.database, but=NOTED)
    heard = await walk(url, sign_in(people.teammate), ours, passes=(True,))
    after = dump(calm.database, but=NOTED)
    for table in OF_ADMINS:
        assert set(map(repr, before[table])) <= set(map(repr, after[table])), table
        if table != "suppression":
            assert len(before[table]) == len(after[table]), table
    assert "flz_sk_" not in json_dumps(heard)
    assert after["contact"] != before["contact"], "the walk reached nothing"


def ours_alone(rows: dict[str, list[dict[str, Any]]], people: People) -> dict[str, list[dict[str, Any]]]:
    """The rows that are not the stranger's own, which a stranger may change."""
    own = {"workspace": ("id", people.other_workspace_id), "user_account": ("id", people.stranger.user_id)}
    own |= {"user_session": ("user_id", people.stranger.user_id)}
    return {
        table: [
            row
            for row in found
            if row.get("workspace_id") != people.other_workspace_id
            and (table not in own or row[own[table][0]] != own[table][1])
        ]
        for table, found in rows.items()
    }


async def test_a_handler_that_does_not_ask_who_is_there_is_found(
    calm: Runtime, people: People, ours: dict[str, str], sign_in: Any, monkeypatch: pytest.MonkeyPatch
):
    registered = RegistrationContext.set(app._registration_context.fork())
    try:

        class Forgetful(rx.State, mixin=True):
            shown: str = ""

            def show(self, contact: str) -> None:
                with runtime.current().database.read() as session:
                    found = contacts.get_contact(session, people.workspace_id, parse_public_id("con", contact))
                    self.shown = found.contact.email

        class Careless(Forgetful, rx.State):
            async def move(self, contact: str) -> None:
                with runtime.current().database.transaction() as session:
                    key = parse_public_id("con", contact)
                    contacts.update_contact(
                        session, calm.keyring, people.workspace_id, key, {"city": "Elsewhere"}, calm.clock.now()
                    )

        name = Careless.get_full_name()
        assert {f"{name}.show", f"{name}.move"} <= set(handlers())
        async with served(free_ports(1)[0]) as url:
            before = dump(calm.database, but=NOTED)
            heard = await walk(url, sign_in(people.stranger), ours, name)
            assert "zebulon" in told(heard)
            with pytest.raises(AssertionError):
                assert_ours_untouched(ours_alone(before, people), dump(calm.database, but=NOTED), people)
            # The guard still keeps it from nobody, until somebody puts it on the list without a thought.
            async with opened(url, str(uuid.uuid4())) as tab:
                await tab.say(f"{name}.show", {"contact": ours["con"]})
                assert told(await tab.settle()) == []
            monkeypatch.setattr(guard, "PUBLIC", guard.PUBLIC | {f"{name}.show"})
            with pytest.raises(AssertionError):
                test_the_list_of_what_is_public_is_the_guards_and_gives_its_reasons()
    finally:
        RegistrationContext.reset(registered)
