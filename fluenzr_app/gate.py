"""The layers around the web server: what is let through before any route or page is asked, and whose browser asks."""

import secrets
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from typing import Any, Final
from urllib.parse import urlsplit

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

SESSION_COOKIE: Final = "fluenzr_session"
NONCE_COOKIE: Final = "fluenzr_nonce"
KNOWN_BROWSER_COOKIE: Final = "fluenzr_browser"

# Routes Reflex brings along: its upload takes anything from anybody before a handler is asked,
# the others tell strangers about the inside. Files come in through a route of our own.
_CLOSED: Final = ("/_upload", "/_all_routes", "/_health", "/ping", "/auth-codespace")
_SOCKET: Final = "/_event"


def cookie(header: str, name: str) -> str:
    """Return the value of the cookie `name` in a Cookie header, "" if it is not there.

    Read by hand: the standard library gives up on the whole header over another site's odd cookie.
    """
    for part in header.split(";"):
        found, _, value = part.strip().partition("=")
        if found == name:
            return value.strip('"')
    return ""


def same_origin(origin: str, host: str, public_url: str) -> bool:
    """Tell whether a request that names `origin` comes from a page of this installation.

    It does if the origin's host is the one that was asked (`host`, as the Host header gives it), or
    the origin is that of the public address (platform.md, Users).
    """
    parts = urlsplit(origin)
    public = urlsplit(public_url)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        return False
    return parts.netloc.lower() == host.lower() or (parts.scheme, parts.netloc.lower()) == (
        public.scheme,
        public.netloc.lower(),
    )


class Gate:
    """The outermost layer: closes what is not ours and refuses sockets from foreign pages.

    `ahead` answers requests whose path begins so, in three characters ("/o/"), without anything of `app` around it.
    """

    def __init__(self, app: App, *, public_url: str, ahead: Mapping[str, App] | None = None) -> None:
        self._app = app
        self._public_url = public_url
        self._ahead = ahead or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request or pass it on."""
        if scope["type"] in {"http", "websocket"}:
            path = scope["path"]
            ahead = self._ahead.get(path[:3])
            if ahead is not None and scope["type"] == "http":
                await ahead(scope, receive, send)
                return
            if any(_is_under(path, closed) for closed in _CLOSED):
                await _refuse(scope, send, 404)
                return
            if _is_under(path, _SOCKET) and not self._is_ours(_headers(scope)):
                await _refuse(scope, send, 403)
                return
        await self._app(scope, receive, send)

    def _is_ours(self, headers: dict[str, str]) -> bool:
        # A browser always names the origin of a socket; a program that names none has no cookie of anybody's.
        origin = headers.get("origin")
        return origin is None or same_origin(origin, headers.get("host", ""), self._public_url)


class Pages:
    """The layer around the pages alone: how long they are kept, and the nonce to which a sign-in will be bound.

    The nonce comes with the page, for a socket's cookies are those of the moment it opens.
    """

    def __init__(self, app: App, *, secure: bool) -> None:
        self._app = app
        self._secure = "; Secure" if secure else ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request with a page, dressed."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        extra = list(self._extra(scope["path"], _headers(scope)))

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *extra]
            await send(message)

        await self._app(scope, receive, dressed)

    def _extra(self, path: str, headers: dict[str, str]) -> Iterator[tuple[bytes, bytes]]:
        # Files under /assets carry a hash of their content in their names; all others are asked for anew each time.
        lasting = _is_under(path, "/assets")
        yield b"cache-control", b"public, max-age=31536000, immutable" if lasting else b"no-cache"
        if "text/html" in headers.get("accept", "") and not cookie(headers.get("cookie", ""), NONCE_COOKIE):
            nonce = f"{NONCE_COOKIE}={secrets.token_urlsafe(24)}; Path=/; HttpOnly; SameSite=Lax{self._secure}"
            yield b"set-cookie", nonce.encode()


def _is_under(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + "/")


def _headers(scope: Scope) -> dict[str, str]:
    found: dict[str, str] = {}
    for raw_name, raw_value in scope.get("headers", []):
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        # HTTP/2 may send a cookie in several fields (RFC 9113, 8.2.3).
        found[name] = f"{found[name]}; {value}" if name == "cookie" and name in found else value
    return found


async def _refuse(scope: Scope, send: Send, status: int) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})
