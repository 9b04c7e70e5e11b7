"""The pages' real web socket, served in this process, and a browser tab that says on it whatever it likes."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import uvicorn
from reflex.app import _ContextMiddleware
from reflex.state import State
from reflex.utils.types import ASGIApp
from reflex_base.registry import RegistrationContext
from simple_websocket import AioClient, ConnectionClosed
from starlette.applications import Starlette
from starlette.routing import Mount

from fluenzr_app.fluenzr_app import app
from fluenzr_app.gate import SESSION_COOKIE, Gate

_PATIENCE_S = 60.0


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        """Leave the signals to the tests' own runner."""
        yield


@contextlib.asynccontextmanager
async def served(port: int) -> AsyncIterator[str]:
    """Serve the socket of the registered app behind its gate, as the server does; gives the address."""
    assert app.sio is not None
    assert app._api is not None
    app.sio.eio.cors_allowed_origins = []

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with app._setup_event_processor():
            yield

    inner: ASGIApp = Starlette(lifespan=lifespan, routes=[Mount("", app._api)])
    gate = Gate(_ContextMiddleware(inner, app), public_url=f"http://127.0.0.1:{port}")
    server = _Server(uvicorn.Config(gate, "127.0.0.1", port, log_config=None, access_log=False, ws_max_size=1 << 20))
    running = asyncio.create_task(server.serve())
    try:
        while not server.started:
            await asyncio.sleep(0.01)
        yield f"ws://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await running


class Tab:
    """One browser tab: `cookie` is its session's token, `token` the client token that it claims to have."""

    def __init__(self, socket: AioClient, path: str, query: str) -> None:
        self._socket = socket
        self._path, self._query, self._places = path, query, dict[str, str]()
        self._pongs: asyncio.Queue[None] = asyncio.Queue()
        self._greeted = asyncio.Event()
        self.heard: list[Any] = []

    async def say(self, name: str, payload: dict[str, Any] | None = None) -> None:
        """Call a handler."""
        address = {"pathname": self._path, "asPath": self._path + self._query, "query": self._places}
        event = {"name": name, "payload": payload or {}, "router_data": address}
        await self._socket.send("42/_event," + json.dumps(["event", event]))

    def visit(self, path: str, query: str = "", places: dict[str, str] | None = None) -> None:
        """Say from now on that the tab shows this page; `places` are the names in its address, by Reflex's reading."""
        self._path, self._query, self._places = path, query, places or {}

    async def settle(self) -> list[Any]:
        """Wait until all that was said has been dealt with, what it led to included; give what was heard since."""
        await self._ping()
        processor = app.event_processor
        async with asyncio.timeout(_PATIENCE_S):
            while processor._futures or processor._tasks:
                await asyncio.sleep(0.005)
        await self._ping()
        heard, self.heard = self.heard, []
        return heard

    async def _ping(self) -> None:
        # What comes over one socket is taken, and answered, in its order.
        await self._socket.send('42/_event,["ping"]')
        async with asyncio.timeout(_PATIENCE_S):
            await self._pongs.get()

    async def _listen(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                text = await self._socket.receive()
                if text == "2":
                    await self._socket.send("3")
                elif text.startswith("40/_event"):
                    self._greeted.set()
                elif text.startswith('42/_event,["ping"'):
                    self._pongs.put_nowait(None)
                elif text.startswith("42/_event,"):
                    self.heard.append(json.loads(text.removeprefix("42/_event,")))


@contextlib.asynccontextmanager
async def opened(url: str, token: str, cookie: str = "", **headers: str) -> AsyncIterator[Tab]:
    """Open a tab with the client token `token` and the session cookie `cookie`."""
    sent = {"Cookie": f"{SESSION_COOKIE}={cookie}"} if cookie else {}
    address = f"{url}/_event/?EIO=4&transport=websocket&token={token}"
    socket = await AioClient.connect(address, headers=sent | headers)
    tab = Tab(socket, "/", "")
    listening = asyncio.create_task(tab._listen())
    try:
        await socket.send("40/_event,")
        async with asyncio.timeout(_PATIENCE_S):
            await tab._greeted.wait()
        yield tab
    finally:
        with contextlib.suppress(ConnectionClosed):
            await socket.close()
        await listening


def handlers() -> dict[str, Any]:
    """Every handler that the app knows, of whatever State: what is registered, by its full name."""
    with app.set_contexts():
        return dict(RegistrationContext.get().event_handlers)


def states() -> list[type[Any]]:
    """Every State class that is registered."""
    found: list[type[Any]] = []
    waiting: list[type[Any]] = [State]
    while waiting:
        cls = waiting.pop()
        found.append(cls)
        waiting.extend(cls.get_substates())
    return found
