"""A real web server beside a test, in a thread of its own."""

import contextlib
import threading
from collections.abc import Iterator

import uvicorn

from tests.scenarios.world import wait_until


@contextlib.contextmanager
def serving(config: uvicorn.Config) -> Iterator[None]:
    """Serve until the block ends; AssertionError when the server does not start within 20 seconds."""
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_until(lambda: server.started or not thread.is_alive(), 20)
        assert thread.is_alive(), "the port is taken"
        yield
    finally:
        server.should_exit = True
        thread.join(20)
