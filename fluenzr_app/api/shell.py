"""The outermost layer around every route and page: request ids, security headers, an answer to what nobody caught."""

import logging
import secrets
import traceback
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fluenzr_app.api.envelope import ApiError
from fluenzr_app.logs import bind

logger = logging.getLogger(__name__)

# The compiled pages start with inline scripts and style elements; everything else comes from here, and no other
# page may frame one of ours. An editor shows a mail's own pictures, which lie anywhere on the web.
PAGE_POLICY: Final = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob: https:; font-src 'self' data:; connect-src 'self'; object-src 'none'; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
STRICT_POLICY: Final = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_OWN = ("/v1", "/api/v1", "/auth", "/u", "/o", "/c", "/p", "/uploads", "/downloads", "/healthz", "/readyz")


class Catch:
    """Turns an unforeseen fault into a 500 in the envelope.

    It stands inside each application: Starlette's own catcher would answer in plain text and pass the fault on to the
    server, which logs its words.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request or pass it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:
            _log(error, scope)
            if started:
                # Too late for another answer: the connection breaks, so that nobody takes half of one for the whole.
                raise ConnectionAbortedError from None
            request_id = scope.get("state", {}).get("request_id", "")
            words = "Something went wrong here. The log has more under this number."
            await ApiError(500, "INTERNAL_ERROR", words, {"requestId": request_id}).response()(scope, receive, watched)


class Shell:
    """Names each request and dresses each answer."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self._app = app
        self._https = https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request or pass it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = secrets.token_hex(8)
        headers = self._headers(scope["path"], request_id)

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower() for name, _ in message.get("headers", [])}
                extra = [header for header in headers if header[0] not in present]
                message["headers"] = [*message.get("headers", []), *extra]
            await send(message)

        scope.setdefault("state", {})["request_id"] = request_id
        with bind(request_id=request_id):
            if "\0" in scope["path"] or b"%00" in scope.get("query_string", b""):
                # No database keeps this character in a text, and no address of ours has it.
                words = "The address holds a character that no text may hold."
                await ApiError(400, "VALIDATION_ERROR", words).response()(scope, receive, dressed)
                return
            await Catch(self._app)(scope, receive, dressed)

    def _headers(self, path: str, request_id: str) -> list[tuple[bytes, bytes]]:
        own = any(path == start or path.startswith(start + "/") for start in _OWN)
        told = {
            "x-request-id": request_id,
            "x-content-type-options": "nosniff",
            "x-frame-options": "DENY",
            "referrer-policy": "no-referrer" if own else "same-origin",
            "content-security-policy": STRICT_POLICY if own else PAGE_POLICY,
            "cross-origin-opener-policy": "same-origin",
        }
        if self._https:
            told["strict-transport-security"] = "max-age=31536000"
        return [(name.encode(), value.encode()) for name, value in told.items()]


def _log(error: Exception, scope: Scope) -> None:
    # The place and the kind of the error, never its words: a database error quotes the row it failed on.
    places = "".join(traceback.format_tb(error.__traceback__))
    route = getattr(scope.get("route"), "path", "")
    logger.error("a request failed", extra={"kind": type(error).__name__, "route": route, "places": places})
