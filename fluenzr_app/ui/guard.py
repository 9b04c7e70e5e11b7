"""Who is asking: nothing a browser sends reaches a handler unless its session is signed in.

A web-socket client can call every handler of every State by name. `Guard` therefore drops
all events but the few on `PUBLIC`, and looks the session up in the store for each one: the
socket's headers freeze at its connection, a revoked session must stop at once. Handlers then
ask `acting(self)` who it is; what a State holds is never proof of identity, for the client can
connect with any token it knows.
"""

import re
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any, Concatenate, ParamSpec, TypeVar
from urllib.parse import quote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import reflex as rx
from reflex.istate.proxy import StateProxy
from reflex.state import BaseState, StateUpdate
from reflex_base.event import Event
from reflex_base.event.context import EventContext
from sqlmodel import Session

from fluenzr_app.crypto import token_hash
from fluenzr_app.gate import NONCE_COOKIE, SESSION_COOKIE, cookie
from fluenzr_app.ui.runtime import Runtime, current
from fluenzr_app.words.catalogue import DEFAULT_LANGUAGE, LANGUAGES, Lang
from fluenzr_app.workspaces import service as workspaces
from fluenzr_app.workspaces.service import Identity

P = ParamSpec("P")
R = TypeVar("R")

_ROOT = "reflex___state____state"
_APP = "fluenzr_app___ui___"

# Everything a browser without a session may call. The first block is Reflex's own machinery,
# which carries no data of ours: what it would hydrate was reset if the session is another.
PUBLIC: frozenset[str] = frozenset(
    {
        f"{_ROOT}.hydrate",
        f"{_ROOT}.hydrate_and_load",
        f"{_ROOT}.set_is_hydrated",
        f"{_ROOT}.reflex___state____on_load_internal_state.on_load_internal",
        f"{_ROOT}.reflex___state____on_load_internal_state.set_is_hydrated",
        f"{_ROOT}.reflex___state____update_vars_internal_state.update_vars_internal",
        f"{_ROOT}.{_APP}pages___sign_in____sign_in_state.open",
        f"{_ROOT}.{_APP}pages___sign_in____sign_in_state.submit",
        f"{_ROOT}.{_APP}pages___first_start____first_start_state.open",
        f"{_ROOT}.{_APP}pages___first_start____first_start_state.submit",
    }
)

SIGN_IN = "/sign-in"
# How long after the guard has let an event through its handler may still go by what the guard has found.
_FRESH_S = 1.0
_UNKEPT = re.compile("[\0\ud800-\udfff]")


class SignedOut(Exception):
    """The session ended while a handler ran; the page goes to the sign-in."""


@dataclass(frozen=True)
class _Seen:
    """Whom the guard has just found behind an event, for the first question of that event's own handler alone."""

    event: EventContext
    token: str
    identity: Identity
    at: float


_seen: ContextVar[_Seen | None] = ContextVar("fluenzr_seen_by_the_guard", default=None)


@dataclass(frozen=True)
class Acting:
    """The signed-in person behind an event, with what a handler needs to serve them."""

    identity: Identity
    now: datetime
    lang: Lang
    runtime: Runtime

    @property
    def workspace_id(self) -> int:
        """The workspace that every query of this event is limited to."""
        return self.identity.workspace_id

    @property
    def is_admin(self) -> bool:
        """Whether settings of the workspace may be changed."""
        return self.identity.is_admin

    async def read(self, ask: Callable[Concatenate[Session, P], R], *arguments: P.args, **named: P.kwargs) -> R:
        """Return `ask(session, …)`, run in a thread on a session that only reads."""

        def in_thread() -> R:
            with self.runtime.database.read() as session:
                return ask(session, *arguments, **named)

        return await self.runtime.database.run(in_thread)

    async def write(self, act: Callable[Concatenate[Session, P], R], *arguments: P.args, **named: P.kwargs) -> R:
        """Return `act(session, …)`, run in a thread in one transaction, committed at its end."""

        def in_thread() -> R:
            with self.runtime.database.transaction() as session:
                return act(session, *arguments, **named)

        return await self.runtime.database.run(in_thread)


class Binding(rx.State):
    """Which session, in which workspace, the state behind a client token was filled for; never sent to the browser."""

    _session: str = ""


class Guard(rx.Middleware):
    """Lets an event through if its session is signed in or it is on `PUBLIC`; drops it otherwise."""

    async def preprocess(self, app: rx.App, state: BaseState, event: Event) -> StateUpdate | None:
        """Return None to let the event through, else what the browser gets instead."""
        token = cookie(cookie_header(state), SESSION_COOKIE)
        _seen.set(None)
        identity = await _look_up(token)
        event_context = _event_context()
        if identity is not None and event_context is not None:
            _seen.set(_Seen(event_context, token, identity, monotonic()))
        await _bind(state, f"{token_hash(token)}:{identity.workspace_id}" if identity else "")
        if event.name.endswith(".setvar"):
            return StateUpdate()
        if identity is not None or event.name in PUBLIC:
            event.payload.update({name: _keepable(value) for name, value in event.payload.items()})
            return None
        return StateUpdate(events=Event.from_event_type(to_sign_in(state)))


async def acting(state: BaseState, *, admin: bool = False) -> Acting:
    """Return who is behind the event that `state` is handling.

    Raises SignedOut if the session has ended, workspaces' NotAllowed if `admin` is asked and the role is
    another; both are answered by `fluenzr_app.ui.failures`, a handler need not catch them.
    """
    token = cookie(cookie_header(state), SESSION_COOKIE)
    identity = _just_seen(state, token) or await _look_up(token)
    if identity is None:
        raise SignedOut
    if admin:
        workspaces.require_admin(identity)
    runtime = current()
    return Acting(identity, runtime.clock.now(), reader_language(state, identity), runtime)


def cookie_header(state: BaseState) -> str:
    """Return the Cookie header of the connection the event came by."""
    return str(state.router_data.get("headers", {}).get("cookie", ""))


def nonce(state: BaseState) -> str:
    """Return the nonce of this browser, "" if it keeps no cookies."""
    return cookie(cookie_header(state), NONCE_COOKIE)


def client_ip(state: BaseState) -> str:
    """Return the address the connection came from; forwarded ones only through trusted proxies."""
    return str(state.router_data.get("ip", ""))


def reader_language(state: BaseState, identity: Identity | None) -> Lang:
    """Return the person's language; before the sign-in that of this browser."""
    wanted = [identity.language] if identity else []
    wanted.append(cookie(cookie_header(state), "fluenzr_lang"))
    accepted = str(state.router_data.get("headers", {}).get("accept-language", ""))
    wanted.extend(part.strip()[:2].lower() for part in accepted.split(","))
    return next((lang for want in wanted for lang in LANGUAGES if lang == want), DEFAULT_LANGUAGE)


def to_sign_in(state: BaseState) -> Any:
    """Return the event that leads to the sign-in and, after it, back to the present page."""
    url = state.router.url
    back = url.path + (f"?{url.query}" if url.query else "")
    return rx.redirect(SIGN_IN if back in {"/", SIGN_IN} else f"{SIGN_IN}?next={quote(back, safe='')}")


def zone(name: str) -> ZoneInfo:
    """Return the time zone called `name`, UTC if this machine does not know it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def _keepable(value: Any) -> Any:
    """Return what a browser sent without the characters that no database keeps in a text (NUL, half a pair)."""
    if isinstance(value, str):
        return _UNKEPT.sub("", value)
    if isinstance(value, dict):
        return {_keepable(key): _keepable(part) for key, part in value.items()}
    return [_keepable(part) for part in value] if isinstance(value, list) else value


def _event_context() -> EventContext | None:
    """Return what tells the event under way from every other one, None outside of events."""
    try:
        return EventContext.get()
    except LookupError:
        return None


def _just_seen(state: BaseState, token: str) -> Identity | None:
    """Return whom the guard has found a moment ago for the event under way; None where the store has to be asked.

    It serves once: whoever asks again has done something since, and the session may have ended by that. A handler in
    the background outlives its event, and an event that was chained comes by the guard itself.
    """
    seen = _seen.get()
    _seen.set(None)
    if seen is None or isinstance(state, StateProxy):
        return None
    is_this_event = seen.event is _event_context() and seen.token == token
    return seen.identity if is_this_event and monotonic() - seen.at < _FRESH_S else None


async def _look_up(token: str) -> Identity | None:
    if not token:
        return None
    runtime = current()
    return await runtime.database.run(workspaces.who_is, runtime.database, token, runtime.wall_now())


async def _bind(state: BaseState, session: str) -> None:
    """Reset every State if they were filled for another session (platform.md, Users).

    A client token lives in the browser's tab and outlasts the session: whoever signs in next
    in that tab, or comes with a token he found, must not see what it showed before.
    """
    binding = await state.get_state(Binding)
    if binding._session == session:
        return
    root = state._get_root_state()
    for cls in _descendants(type(root)):
        await root.get_state(cls)
    root.reset()
    binding._session = session


def _descendants(cls: type[BaseState]) -> list[type[BaseState]]:
    children = list(cls.get_substates())
    return children + [deeper for child in children for deeper in _descendants(child)]
