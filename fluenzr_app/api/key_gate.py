"""The gate before every `/v1` route: key, rate limit, permission, size and form of the body, in this order.

It stands before routing, so that a path without a route tells a stranger nothing either, and a new route cannot
forget to ask.
"""

import json
import logging
import re
from typing import Any

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fluenzr_app.api.caller import Caller
from fluenzr_app.api.envelope import ApiError
from fluenzr_app.api.runtime import ApiRuntime
from fluenzr_app.workspaces import api_keys, idempotency
from fluenzr_app.workspaces.api_keys import KeyIdentity
from fluenzr_app.workspaces.errors import KeyRefused
from fluenzr_app.workspaces.rate_limit import RateLimit, Window

logger = logging.getLogger(__name__)

# The reference is the same for everybody and tells nothing of anybody.
PUBLIC = frozenset({"/openapi.json", "/docs"})
MAX_BODY = 8 * 1024 * 1024
_UNKEPT = re.compile("[\0\ud800-\udfff]")
_READING = frozenset({"GET", "HEAD", "OPTIONS"})


class KeyGate:
    """Lets a request through with its Caller in `request.state.caller`, or answers it."""

    def __init__(self, app: ASGIApp, *, runtime: ApiRuntime, rate_limit: RateLimit) -> None:
        self._app = app
        self._runtime = runtime
        self._rate_limit = rate_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request or pass it on."""
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        if _path(scope) in PUBLIC:
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        window: Window | None = None
        try:
            key = await self._key(request)
            window = await self._rate_limit.hit(key.key_id)
            caller, body = await self._check(request, key, window)
        except ApiError as error:
            await error.response()(scope, receive, _with_headers(send, window))
            return
        scope.setdefault("state", {})["caller"] = caller
        await self._app(scope, _replay(body, receive), _with_headers(send, window))

    async def _key(self, request: Request) -> KeyIdentity:
        database, now = self._runtime.database, self._runtime.wall_now()
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")

        def in_thread() -> KeyIdentity:
            with database.read() as session:
                key = api_keys.key_of(session, bearer.strip() if scheme.lower() == "bearer" else "", now)
            if key.stale:
                with database.transaction() as session:
                    api_keys.touch_key(session, key.key_id, now)
            return key

        try:
            return await database.run(in_thread)
        except KeyRefused as refused:
            # Told apart here for the key's owner, alike for the caller (symptoms.md, 23).
            logger.info("an API key was refused", extra={"reason": refused.reason, "key_id": refused.key_id})
            raise ApiError(401, "UNAUTHORIZED", str(refused), headers={"www-authenticate": "Bearer"}) from None

    async def _check(self, request: Request, key: KeyIdentity, window: Window) -> tuple[Caller, bytes]:
        if not window.allowed:
            raise ApiError(429, "RATE_LIMITED", f"More than {window.limit} requests in a minute with this key.")
        if request.method not in _READING and not key.may_write:
            raise ApiError(403, "FORBIDDEN", "This API key may read, not write.")
        once = request.headers.get("idempotency-key", "") if request.method not in _READING else ""
        if len(once) > 255 or not once.isprintable():
            raise ApiError(400, "VALIDATION_ERROR", "An Idempotency-Key has at most 255 printable characters.")
        body = await read_body(request, MAX_BODY)
        _check_json(request, body)
        place = _path(request.scope) + "?" + request.url.query
        print_ = idempotency.fingerprint(self._runtime.keyring, request.method, place, body)
        return Caller(self._runtime, key, self._runtime.now(), once, print_), body


async def read_body(request: Request, limit: int) -> bytes:
    """Return the body; raises ApiError 413 as soon as more than `limit` bytes are announced or come."""
    too_large = ApiError(413, "PAYLOAD_TOO_LARGE", f"A request holds at most {limit:,} bytes.", {"limit": limit})
    announced = request.headers.get("content-length", "0")
    if announced.isdigit() and int(announced[:19]) > limit:
        raise too_large
    parts = bytearray()
    async for part in request.stream():
        parts += part
        if len(parts) > limit:
            raise too_large
    return bytes(parts)


def _check_json(request: Request, body: bytes) -> None:
    """Refuse a body that is not JSON, or whose texts no database could keep (NUL, half of a surrogate pair)."""
    if not body:
        return
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/json" and not media.endswith("+json"):
        raise ApiError(415, "UNSUPPORTED_MEDIA_TYPE", "Send the body as application/json.")
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        raise ApiError(400, "VALIDATION_ERROR", "The body is not valid JSON.") from None
    waiting: list[Any] = [content]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            waiting.extend(part.keys())
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)
        elif isinstance(part, str) and _UNKEPT.search(part):
            raise ApiError(400, "VALIDATION_ERROR", "The body holds a character that no text may hold.")
        elif isinstance(part, float) and (part != part or part in (float("inf"), float("-inf"))):
            raise ApiError(400, "VALIDATION_ERROR", "The body holds a number that is none.")


def _path(scope: Scope) -> str:
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


def _replay(body: bytes, receive: Receive) -> Receive:
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _with_headers(send: Send, window: Window | None) -> Send:
    if window is None:
        return send
    told = [(name.encode(), value.encode()) for name, value in window.headers().items()]

    async def dressed(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), *told]
        await send(message)

    return dressed
