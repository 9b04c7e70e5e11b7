"""A load generator that costs next to nothing: requests made beforehand, keep-alive connections, answers counted."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from typing import cast

_END = b"\r\n\r\n"
_LENGTH = b"\r\ncontent-length: "


async def load(port: int, paths: Sequence[str], connections: int, *, agent: str, status: bytes = b"200") -> float:
    """Ask for each of `paths` once and return the requests a second.

    Raises AssertionError for an answer with another status, or when a connection breaks.
    """
    waiting = iter(
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: {agent}\r\nAccept: image/*\r\n\r\n".encode()
        for path in paths
    )
    loop = asyncio.get_running_loop()
    done = [loop.create_future() for _ in range(connections)]
    clients = [_Client(waiting, finished, status) for finished in done]
    for client in clients:
        await loop.create_connection(lambda client=client: client, "127.0.0.1", port)  # type: ignore[misc]
    began = time.perf_counter()
    for client in clients:
        client.ask()
    await asyncio.gather(*done)
    return len(paths) / (time.perf_counter() - began)


class _Client(asyncio.Protocol):
    """One connection: the next request goes out when the answer to the last is whole."""

    def __init__(self, waiting: Iterator[bytes], done: asyncio.Future[None], status: bytes) -> None:
        self._waiting = waiting
        self._done = done
        self._start = b"HTTP/1.1 " + status
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not by isinstance: transports of other loops are no subclass.
        self._transport = cast(asyncio.WriteTransport, transport)

    def ask(self) -> None:
        """Send the next request, or end."""
        request = next(self._waiting, None)
        if request is not None:
            self._transport.write(request)
        else:
            self._done.set_result(None)
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head = self._buffer.find(_END)
        if head < 0:
            return
        if not self._buffer.startswith(self._start):
            self._fail(AssertionError(f"the server answered {self._buffer[:200]!r}"))
            return
        at = self._buffer.find(_LENGTH) + len(_LENGTH)
        whole = head + len(_END) + int(self._buffer[at : self._buffer.find(b"\r\n", at)])
        if len(self._buffer) >= whole:
            self._buffer = self._buffer[whole:]
            self.ask()

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(AssertionError("the server closed a connection"))

    def _fail(self, error: Exception) -> None:
        if not self._done.done():
            self._done.set_exception(error)
            self._transport.close()
