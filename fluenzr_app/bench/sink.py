"""An SMTP server that takes everything and keeps nothing: `python -m fluenzr_app.bench.sink` prints its port."""

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Iterator
from typing import cast

_ANSWERS = {
    b"EHLO": b"250-sink\r\n250-AUTH PLAIN\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n",
    b"HELO": b"250 sink\r\n",
    b"QUIT": b"221 2.0.0 bye\r\n",
    b"AUTH": b"235 2.7.0 welcome\r\n",
    b"DATA": b"354 go on\r\n",
}


class _Sink(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not by isinstance: transports of other loops are no subclass.
        self._transport = cast(asyncio.WriteTransport, transport)
        self._buffer = b""
        self._in_data = False
        self._write(b"220 sink ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while True:
            end = self._buffer.find(b"\r\n.\r\n" if self._in_data else b"\r\n")
            if end < 0:
                return
            if self._in_data:
                self._buffer = self._buffer[end + 5 :]
                self._in_data = False
                self._write(b"250 2.0.0 taken\r\n")
            else:
                verb = self._buffer[:4].upper()
                self._buffer = self._buffer[end + 2 :]
                self._in_data = verb == b"DATA"
                self._write(_ANSWERS.get(verb, b"250 2.1.0 ok\r\n"))

    def _write(self, line: bytes) -> None:
        self._transport.write(line)


@contextlib.contextmanager
def running_sink() -> Iterator[int]:
    """Run a sink in another process and give its port on loopback."""
    process = subprocess.Popen([sys.executable, "-m", "fluenzr_app.bench.sink"], stdout=subprocess.PIPE, text=True)
    try:
        if process.stdout is None:
            raise AssertionError("the sink has no output")
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait(10)


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Sink, "127.0.0.1", 0, backlog=256)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    import uvloop

    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(_serve())
