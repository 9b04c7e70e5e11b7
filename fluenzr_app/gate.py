"""The outermost layer of the web server: what is let through before any route or page is asked."""

import secrets
from collections.abc import Awaitable, Callable, MutableMapping
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

_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
)
# Pages load nothing from elsewhere. Reflex starts its pages by inline scripts and hands events over as code.
_POLICY: Final = (
    b"default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    b"img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' ws: wss:; object-src 'none'; "
    b"base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)


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
    """Closes what is not ours, refuses sockets from foreign pages, and hands every browser its nonce."""

    def __init__(self, app: App, *, public_url: str, secure: bool) -> None:
        self._app = app
        self._public_url = public_url
        self._secure = secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request or pass it on."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        headers = _headers(scope)
        is_socket = path == _SOCKET or path.startswith(_SOCKET + "/")
        if any(path == closed or path.startswith(closed + "/") for closed in _CLOSED):
            await _refuse(scope, send, 404)
        elif is_socket and (origin := headers.get("origin")) and not self._is_ours(origin, headers):
            await _refuse(scope, send, 403)
        else:
            await self._app(scope, receive, self._dressed(scope, headers, send))

    def _is_ours(self, origin: str, headers: dict[str, str]) -> bool:
        return same_origin(origin, headers.get("host", ""), self._public_url)

    def _dressed(self, scope: Scope, headers: dict[str, str], send: Send) -> Send:
        if scope["type"] != "http":
            return send
        wants_nonce = (
            scope["method"] == "GET"
            and "text/html" in headers.get("accept", "")
            and not cookie(headers.get("cookie", ""), NONCE_COOKIE)
        )

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower(): value for name, value in message.get("headers", [])}
                extra = [header for header in _HEADERS if header[0] not in present]
                if present.get(b"content-type", b"").startswith(b"text/html"):
                    extra.extend(_page_headers(present))
                if wants_nonce:
                    extra.append((b"set-cookie", self._nonce().encode()))
                message["headers"] = [*message.get("headers", []), *extra]
            await send(message)

        return dressed

    def _nonce(self) -> str:
        secure = "; Secure" if self._secure else ""
        return f"{NONCE_COOKIE}={secrets.token_urlsafe(24)}; Path=/; HttpOnly; SameSite=Lax{secure}"


def _page_headers(present: dict[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    # Asked for anew each time: the scripts it names change with every version.
    wanted = ((b"content-security-policy", _POLICY), (b"cache-control", b"no-cache"))
    return [header for header in wanted if header[0] not in present]


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
