"""`/o/{token}`, the pixel, and `/c/{token}`, a link: whoever asks is answered once it is stored (tracking.md).

After a large send they are most of what is asked, so that they stand before the pages and the other routes and ask
nothing of the database but the one commit that many requests share.
"""

import asyncio
import base64
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Final, TypeVar
from urllib.parse import quote

from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import HTTPConnection
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from fluenzr_app.api.forwarded import client_ip
from fluenzr_app.api.runtime import ApiRuntime
from fluenzr_app.api.shell import STRICT_POLICY, Catch
from fluenzr_app.crypto import CryptoError, KeyRing
from fluenzr_app.tracking.errors import BadLink, TrackingError
from fluenzr_app.tracking.hits import HitStore, NewHit
from fluenzr_app.tracking.link_keys import RetiredLinkKeys, none_retired
from fluenzr_app.tracking.links import Click, RetiredKeys, TrackedMail, read_click, read_open
from fluenzr_app.tracking.machines import Kind, Request, rule_of

logger = logging.getLogger(__name__)

# GIF 89a, 1×1, its only pixel transparent.
PIXEL: Final = base64.b64decode("R0lGODlhAQABAIAAAAAAAAAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==")
# A person who clicked goes on after this time, whatever the database does; the hit still waits for it.
_PATIENCE_S: Final = 5.0

_SECOND: Final = 1.0
_METHODS: Final = ("GET", "HEAD")
_NOT_FOUND: Final = "Ce lien est incomplet ou n’existe pas.\nThis link is incomplete or does not exist.\n".encode()
_LEADS_ON: Final = "Ce lien mène ailleurs.\nThis link leads elsewhere.\n".encode()
_PRINTABLE: Final = "".join(map(chr, range(0x21, 0x7F)))

_Headers = Sequence[tuple[bytes, bytes]]
_ALWAYS: Final = (
    (b"cache-control", b"no-store, no-cache, must-revalidate, private, max-age=0"),
    (b"x-content-type-options", b"nosniff"),
)
# A mail program on the web shows the pixel inside its own page. What a `Shell` says about pages is no use to a picture,
# and for each header the server takes as long as for a tenth of the rest.
_GIF: Final = (*_ALWAYS, (b"content-type", b"image/gif"), (b"cross-origin-resource-policy", b"cross-origin"))
_BARE: Final = (*_ALWAYS, (b"referrer-policy", b"no-referrer"), (b"x-robots-tag", b"noindex"))
_TEXT: Final = (
    *_BARE,
    (b"content-type", b"text/plain; charset=utf-8"),
    (b"content-security-policy", STRICT_POLICY.encode()),
)
_LATER: Final = (*_BARE, (b"retry-after", b"30"))

_Read = TypeVar("_Read", TrackedMail, Click)


class TrackedLinks:
    """Both routes and what they need of this process: an application that answers whatever lies under /o/ and /c/."""

    def __init__(self, runtime: ApiRuntime) -> None:
        self._runtime = runtime
        self._hits = HitStore(runtime.database)
        self._retired = RetiredLinkKeys(runtime.database, runtime.keyring)
        self._lost = _LostOpenings()
        self._secure: _Headers = [(b"strict-transport-security", b"max-age=31536000")] * runtime.settings.is_https

    def routes(self) -> list[Route]:
        """Return the routes for an application that is dressed by a `Shell` already."""
        return [Route(path, self, methods=_METHODS) for path in ("/o/{token}", "/c/{token}")]

    def ahead(self) -> Mapping[str, ASGIApp]:
        """Return what a `Gate` asks before anything else, by the beginning of the path."""
        caught = Catch(self)
        return {"/o/": caught, "/c/": caught}

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Answer for as long as the block lasts; at its end what still waits is stored."""
        try:
            yield
        finally:
            await self._hits.close()
            self._lost.tell()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["method"] not in _METHODS:
            await self._answer(scope, send, 405, (*_TEXT, (b"allow", b"GET, HEAD")))
        elif scope["path"].startswith("/o/"):
            await self._pixel(scope, send)
        else:
            await self._click(scope, send)

    async def _pixel(self, scope: Scope, send: Send) -> None:
        try:
            mail = await self._read(read_open, scope)
            await self._hits.store(self._hit(scope, "open", mail))
        except BadLink:
            await self._answer(scope, send, 404, _TEXT, _NOT_FOUND)
        except (SQLAlchemyError, CryptoError, TrackingError) as error:
            self._lost.note(error)
            await self._answer(scope, send, 503, _LATER)
        else:
            await self._answer(scope, send, 200, _GIF, PIXEL)

    async def _click(self, scope: Scope, send: Send) -> None:
        try:
            click = await self._read(read_click, scope)
        except BadLink:
            await self._answer(scope, send, 404, _TEXT, _NOT_FOUND)
            return
        except (SQLAlchemyError, CryptoError) as error:
            _log("a link from before a rotation could not be read", error)
            await self._answer(scope, send, 503, _LATER)
            return
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await self._hits.store(self._hit(scope, "click", click.mail, click))
        except (TrackingError, TimeoutError) as error:
            _log("a click could not be stored in time", error, click.mail)
        if click.trap:
            await self._answer(scope, send, 204, _BARE)
        else:
            await self._answer(scope, send, 302, (*_TEXT, (b"location", _location(click.address))), _LEADS_ON)

    async def _read(self, read: Callable[[KeyRing, str, RetiredKeys], _Read], scope: Scope) -> _Read:
        """Return what a token carries; raises BadLink, and what reading the keys from before a rotation raises."""
        keyring, token = self._runtime.keyring, scope["path"][len("/o/") :]
        try:
            return read(keyring, token, none_retired)
        except BadLink:
            await self._retired.load()
        return read(keyring, token, self._retired)

    def _hit(self, scope: Scope, kind: Kind, mail: TrackedMail, click: Click | None = None) -> NewHit:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        ip = client_ip(HTTPConnection(scope), self._runtime.settings.trusted_proxies)
        agent = headers.get("user-agent", "")
        if click is not None and click.trap:
            rule = "trap"
        else:
            rule = rule_of(Request(scope["method"], agent, ip, headers), kind)
        source, tracks_opens = (click.source, click.tracks_opens) if click is not None else ("", False)
        return NewHit(kind, mail, self._runtime.now(), rule, source, tracks_opens, ip, agent)

    async def _answer(self, scope: Scope, send: Send, status: int, headers: _Headers, body: bytes = b"") -> None:
        told = [*headers, *self._secure]
        if status != 204:
            told.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": status, "headers": told})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


class _LostOpenings:
    """Logs openings that could not be stored, in one line a second: a full disk is no time for thousands of them."""

    def __init__(self) -> None:
        self._count = 0
        self._kind = ""
        self._told_at = -_SECOND

    def note(self, error: Exception) -> None:
        self._count += 1
        self._kind = type(error.__cause__ or error).__name__
        if time.monotonic() - self._told_at >= _SECOND:
            self.tell()

    def tell(self) -> None:
        if self._count:
            logger.error("openings could not be stored", extra={"kind": self._kind, "count": self._count})
        self._count, self._told_at = 0, time.monotonic()


def _location(address: str) -> bytes:
    """Return an address as a header can hold it: as it is, but for what only a browser's reading would make of it."""
    # Browsers leave these out of an address (WHATWG URL, 4.4); in a header they would end the line.
    kept = address.translate({ord(char): None for char in "\t\r\n"})
    return quote(kept, safe=_PRINTABLE).encode()


def _log(words: str, error: Exception, mail: TrackedMail | None = None) -> None:
    cause = error.__cause__ or error
    # Keys alone, and the kind of the error: a database's words quote the row.
    ids = {} if mail is None else {"workspace_id": mail.workspace_id, "message_id": mail.message_id}
    logger.error(words, extra={"kind": type(cause).__name__, **ids})
