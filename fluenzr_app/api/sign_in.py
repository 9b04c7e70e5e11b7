"""From a one-time ticket to a session cookie, and out again (platform.md, Users)."""

from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from fluenzr_app.api.cookies import (
    Services,
    forget_session,
    from_our_page,
    set_browser_mark,
    set_nonce,
    set_session,
)
from fluenzr_app.api.runtime import ApiRuntime
from fluenzr_app.crypto import new_token
from fluenzr_app.gate import NONCE_COOKIE, SESSION_COOKIE
from fluenzr_app.workspaces import service as workspaces
from fluenzr_app.workspaces.errors import TicketRefused
from fluenzr_app.workspaces.service import NewSession

router = APIRouter(prefix="/auth", dependencies=[Depends(from_our_page)])

SIGN_IN_PAGE = "/sign-in"


@router.post("/nonce", status_code=204)
def nonce(request: Request, runtime: Services) -> Response:
    """Give this browser a nonce, if it has none yet; pages do so as well (see gate.py)."""
    response = Response(status_code=204, headers={"cache-control": "no-store"})
    if not request.cookies.get(NONCE_COOKIE):
        set_nonce(response, runtime, new_token(24))
    return response


@router.get("/ticket/{ticket}")
async def redeem(ticket: str, request: Request, runtime: Services, next: str = "/") -> Response:  # noqa: A002
    """Turn the ticket of a checked password into a session, under a fresh token and nonce, and go on to `next`."""
    try:
        begun = await runtime.database.run(_redeem, runtime, request, ticket)
    except TicketRefused:
        return _to(f"{SIGN_IN_PAGE}?expired=1")
    response = _to(_inside(next))
    set_session(response, runtime, begun.token)
    set_browser_mark(response, runtime, workspaces.browser_mark(runtime.keyring, begun.user_id))
    # The old nonce is spent: a ticket made for it later is not this browser's any more.
    set_nonce(response, runtime, new_token(24))
    return response


@router.post("/sign-out")
async def sign_out(request: Request, runtime: Services) -> Response:
    """End the session of this browser and go to the sign-in page; without a session nothing else happens."""
    await runtime.database.run(_sign_out, runtime, request.cookies.get(SESSION_COOKIE, ""))
    response = _to(SIGN_IN_PAGE)
    forget_session(response, runtime)
    return response


def _redeem(runtime: ApiRuntime, request: Request, ticket: str) -> NewSession:
    with runtime.database.transaction() as session:
        return workspaces.redeem_ticket(
            session,
            ticket=ticket,
            nonce=request.cookies.get(NONCE_COOKIE, ""),
            browser=request.headers.get("user-agent", ""),
            now=runtime.wall_now(),
            days=runtime.settings.session_days,
            replaces=request.cookies.get(SESSION_COOKIE),
        )


def _sign_out(runtime: ApiRuntime, token: str) -> None:
    if token:
        with runtime.database.transaction() as session:
            workspaces.sign_out(session, token, runtime.wall_now())


def _inside(target: str) -> str:
    """Return `target` if it is a path of this installation, else the first page: no link may lead out through us."""
    parts = urlsplit(target)
    inside = target.startswith("/") and not target.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    return target if inside and target.isprintable() and "\\" not in target else "/"


def _to(path: str) -> Response:
    return RedirectResponse(path, 303, {"cache-control": "no-store"})
