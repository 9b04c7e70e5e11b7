"""One process, one port: pages, API, tracking and the scheduler behind one server."""

import contextlib
import functools
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Final

import uvicorn

from fluenzr_app.bundle import ROOT
from fluenzr_app.gate import App, Gate, Pages
from fluenzr_app.settings import Settings

Lifespan = Callable[[], AbstractAsyncContextManager[None]]

# What finishes while the server stops; then connections are cut (claims are handed back by `lifespan`).
STOP_SECONDS: Final = 10


def prepare(settings: Settings, bundle: Path) -> None:
    """Tell Reflex where the bundle is and what not to do; must run before anything imports Reflex.

    The double-underscore names are internal to the pinned version; they make it serve a bundle that was
    built before instead of compiling.
    """
    os.environ.update(
        {
            "REFLEX_ENV_MODE": "prod",
            "REFLEX_WEB_WORKDIR": str(bundle),
            "REFLEX_BACKEND_ONLY": "true",
            "REFLEX_TELEMETRY_ENABLED": "false",
            "REFLEX_CORS_ALLOWED_ORIGINS": settings.public_url,
            "__REFLEX_SKIP_COMPILE": "true",
            "__REFLEX_MOUNT_FRONTEND_COMPILED_APP": "true",
        }
    )
    # Never in Redis, whatever is set there for rate limits: a page's state lives in the process that holds its socket
    # and is filled again from database, cookie and address when the socket comes back to another one.
    os.environ.pop("REFLEX_REDIS_URL", None)
    # Reflex finds `rxconfig.py` by import, from wherever the command was run.
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))


def compose(
    settings: Settings, *, api_app: Any, lifespans: tuple[Lifespan, ...] = (), ahead: Mapping[str, App] | None = None
) -> App:
    """Return the whole application: the routes of `api_app` win over the pages, and the gate is outermost.

    `ahead` is what the gate asks before all of it.

    Call `prepare` first and install `ui.runtime`. Each of `lifespans` is entered when the server starts and left
    when it stops, last one first; FastAPI's own lifespan does not run under Reflex.
    """
    from fluenzr_app.fluenzr_app import app as pages

    for lifespan in lifespans:
        pages.register_lifespan_task(_named(lifespan))
    if pages.sio is not None:
        # The gate checks where a socket comes from, also behind a proxy; a fixed list would refuse other hosts.
        pages.sio.eio.cors_allowed_origins = []
        # They bring a handler of their own, which would print in plain text what clients sent.
        for talkative in ("engineio.server", "socketio.server"):
            logging.getLogger(talkative).handlers.clear()
    pages.api_transformer = [functools.partial(Pages, secure=settings.is_https), api_app]
    return Gate(pages(), public_url=settings.public_url, ahead=ahead)


def pages_off(
    settings: Settings, *, api_app: Any, lifespans: tuple[Lifespan, ...] = (), ahead: Mapping[str, App] | None = None
) -> App:
    """Return an application without pages, for a process that only works (`serve --role worker`)."""
    from starlette.applications import Starlette

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with contextlib.AsyncExitStack() as stack:
            for enter in lifespans:
                await stack.enter_async_context(enter())
            yield

    outer = Starlette(lifespan=lifespan)
    outer.mount("", api_app)
    return Gate(outer, public_url=settings.public_url, ahead=ahead)


def serve(settings: Settings, application: App, *, on_ready: Callable[[], None] | None = None) -> None:
    """Serve `application` until SIGTERM or SIGINT, then let running requests finish for `STOP_SECONDS` and return.

    `on_ready` is called once connections are taken. Forwarded headers are believed from the settings'
    trusted proxies only. Raises SystemExit if the port cannot be had.
    """
    config = uvicorn.Config(
        application,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        workers=1,
        log_config=None,
        access_log=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_graceful_shutdown=STOP_SECONDS,
        server_header=False,
        ws_max_size=1024 * 1024,
        lifespan="on",
    )
    logging.getLogger("uvicorn.error").addFilter(_fit_to_keep)
    _Server(config, on_ready).run()


def _fit_to_keep(record: logging.LogRecord) -> bool:
    # uvicorn writes each socket's address at the level of information, with the client's token in it.
    vars(record).pop("color_message", None)
    return "WebSocket" not in str(record.msg)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None] | None) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on SIGINT and SIGTERM. uvicorn raises the signal again afterwards, before the caller can tidy up."""
        watched = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self.handle_exit) for number in watched}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        if self.started and self._on_ready is not None:
            self._on_ready()


def _named(lifespan: Lifespan) -> Callable[[], AbstractAsyncContextManager[None]]:
    # Reflex wants what @asynccontextmanager makes, under a name.
    @contextlib.asynccontextmanager
    async def entered() -> AsyncIterator[None]:
        async with lifespan():
            yield

    entered.__name__ = getattr(lifespan, "__name__", "lifespan")
    return entered
