"""A throw-away Redis on loopback."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.real.daemon import Daemon
from tests.real.ports import answers, free_ports


class RedisServer:
    """A running server that keeps everything in memory."""

    def __init__(self, folder: Path) -> None:
        (port,) = free_ports(1)
        self.url = f"redis://127.0.0.1:{port}/0"
        self._server = Daemon(
            ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--dir", folder, "--save", ""],
            folder / "redis.out",
        )
        self._server.wait_until(lambda: answers(port))

    def stop(self) -> None:
        """Ends the server."""
        self._server.stop()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """One server for each test process."""
    folder = Path(tempfile.mkdtemp(prefix="fz-redis-"))
    try:
        server = RedisServer(folder)
        yield server
        server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """The address of a Redis that holds nothing."""
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
    return redis_server.url
