"""Routes that a browser calls with its cookie: who is signed in, and whether one of our own pages asks."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request, Response

from fluenzr_app.api.envelope import ApiError
from fluenzr_app.api.forwarded import asked_host
from fluenzr_app.api.runtime import ApiRuntime
from fluenzr_app.gate import KNOWN_BROWSER_COOKIE, NONCE_COOKIE, SESSION_COOKIE, same_origin
from fluenzr_app.workspaces import service as workspaces
from fluenzr_app.workspaces.identity import Identity

_SAFE = frozenset({"GET", "HEAD"})
_YEAR_S = 365 * 86_400


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A signed-in person behind one request."""

    identity: Identity
    runtime: ApiRuntime
    now: datetime

    @property
    def workspace_id(self) -> int:
        """The workspace to which every query of this request is limited."""
        return self.identity.workspace_id


def runtime_of(request: Request) -> ApiRuntime:
    """Return the services of this process."""
    runtime: ApiRuntime = request.app.state.runtime
    return runtime


Services = Annotated[ApiRuntime, Depends(runtime_of)]


def from_our_page(request: Request, runtime: Services) -> None:
    """Raise ApiError 403 unless a page of this installation asks (platform.md, Users).

    A browser names the origin of every request that may change something; where it names none, Sec-Fetch-Site tells
    a link on a foreign page from one of ours, and a request that could change something without either is refused.
    """
    origin = request.headers.get("origin")
    site = request.headers.get("sec-fetch-site")
    if origin is not None:
        host = asked_host(request, runtime.settings.trusted_proxies)
        ours = same_origin(origin, host, runtime.settings.public_url)
    elif site is not None:
        ours = site in {"same-origin", "none"}
    else:
        ours = request.method in _SAFE
    if not ours:
        raise ApiError(403, "FORBIDDEN", "This request came from another site.")


async def signed_in(request: Request, runtime: Services) -> SignedIn:
    """Return who is signed in with the request's cookie; raises ApiError 401."""
    token = request.cookies.get(SESSION_COOKIE, "")
    identity = await runtime.database.run(workspaces.who_is, runtime.database, token, runtime.wall_now())
    if identity is None:
        raise ApiError(401, "UNAUTHORIZED", "Sign in first.")
    return SignedIn(identity, runtime, runtime.now())


Person = Annotated[SignedIn, Depends(signed_in)]


def set_session(response: Response, runtime: ApiRuntime, token: str) -> None:
    """Put the session's token where no script can read it and no foreign page sends it from."""
    _set(response, runtime, SESSION_COOKIE, token, runtime.settings.session_days * 86_400)


def set_nonce(response: Response, runtime: ApiRuntime, nonce: str) -> None:
    """Give the browser the nonce to which its sign-in will be bound, until it is closed."""
    _set(response, runtime, NONCE_COOKIE, nonce, None)


def set_browser_mark(response: Response, runtime: ApiRuntime, mark: str) -> None:
    """Mark the browser as one in which this person signed in before."""
    _set(response, runtime, KNOWN_BROWSER_COOKIE, mark, _YEAR_S)


def forget_session(response: Response, runtime: ApiRuntime) -> None:
    """Take the session's cookie back."""
    response.delete_cookie(SESSION_COOKIE, path="/", secure=runtime.settings.is_https, httponly=True, samesite="lax")


def _set(response: Response, runtime: ApiRuntime, name: str, value: str, seconds: int | None) -> None:
    response.set_cookie(
        name, value, max_age=seconds, path="/", secure=runtime.settings.is_https, httponly=True, samesite="lax"
    )
