"""Only in the demonstration: the link from the terminal that signs in, and the time by its clock."""

import ipaddress
from dataclasses import dataclass, field
from threading import Lock

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from fluenzr_app.api.cookies import Services, from_our_page, set_browser_mark, set_nonce, set_session
from fluenzr_app.api.envelope import Answer, ApiError, json_response
from fluenzr_app.api.runtime import ApiRuntime
from fluenzr_app.api.sign_in import SIGN_IN_PAGE
from fluenzr_app.crypto import new_token, token_hash
from fluenzr_app.gate import SESSION_COOKIE
from fluenzr_app.workspaces import service as workspaces
from fluenzr_app.workspaces.service import NewSession

PATH = "/auth/demo"


@dataclass(slots=True)
class DemoEntry:
    """Signs one browser in as a person, once; `clock_rate` is how many seconds of the clock pass in one of the wall."""

    user_id: int
    workspace_id: int
    clock_rate: float
    token: str = field(default_factory=new_token)
    _used: bool = False
    _lock: Lock = field(default_factory=Lock)

    @property
    def path(self) -> str:
        """The link's path, to be put behind the installation's address."""
        return f"{PATH}?token={self.token}"

    def take(self, token: str) -> bool:
        """Return True to the first who comes with the right token, False to everybody else and ever after."""
        with self._lock:
            if self._used or token_hash(token) != token_hash(self.token):
                return False
            self._used = True
            return True


def create_router(entry: DemoEntry) -> APIRouter:
    """Return the routes of the demonstration; anywhere else they do not exist."""
    router = APIRouter(dependencies=[Depends(_from_this_machine)])

    @router.get(PATH, dependencies=[Depends(from_our_page)])
    async def enter(request: Request, runtime: Services, token: str = "") -> Response:
        """Sign in the first browser that comes with the link; later it only leads to the pages."""
        if not entry.take(token):
            known = await runtime.database.run(
                workspaces.who_is, runtime.database, request.cookies.get(SESSION_COOKIE, ""), runtime.wall_now()
            )
            return _to(SIGN_IN_PAGE if known is None else "/")
        begun = await runtime.database.run(_begin, runtime, entry, request.headers.get("user-agent", ""))
        response = _to("/")
        set_session(response, runtime, begun.token)
        set_browser_mark(response, runtime, workspaces.browser_mark(runtime.keyring, begun.user_id))
        set_nonce(response, runtime, new_token(24))
        return response

    @router.get("/demo/clock")
    def clock(runtime: Services) -> Response:
        """Tell the virtual time, which pages show and which passes over nights at once."""
        told = {"now": runtime.now().isoformat(), "rate": entry.clock_rate}
        return json_response(Answer(told).body(), headers={"cache-control": "no-store"})

    return router


def _from_this_machine(request: Request) -> None:
    try:
        here = request.client is not None and ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        here = False
    if not here:
        raise ApiError(403, "FORBIDDEN", "The demonstration is for this machine only.")


def _begin(runtime: ApiRuntime, entry: DemoEntry, browser: str) -> NewSession:
    # The same way in as after a password, with a nonce that never leaves this function.
    nonce, now = new_token(), runtime.wall_now()
    with runtime.database.transaction() as session:
        ticket = workspaces.issue_ticket(
            session, user_id=entry.user_id, workspace_id=entry.workspace_id, nonce=nonce, now=now
        )
        return workspaces.redeem_ticket(
            session, ticket=ticket, nonce=nonce, browser=browser, now=now, days=runtime.settings.session_days
        )


def _to(path: str) -> Response:
    return RedirectResponse(path, 303, {"cache-control": "no-store"})
