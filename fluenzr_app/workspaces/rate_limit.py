"""So many requests in a moving minute and API key, shared between processes when Redis is set (api.md, Rate limit)."""

import logging
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from limits.errors import StorageError

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Window:
    """What is left of the moving minute. `reset_at` are epoch seconds at which the oldest request leaves it."""

    allowed: bool
    limit: int
    remaining: int
    reset_at: float

    @property
    def used(self) -> int:
        """Requests that were let through in the last minute."""
        return self.limit - self.remaining

    def headers(self) -> dict[str, str]:
        """Return the headers that go on every answer to a known key."""
        told = {
            "x-ratelimit-limit": str(self.limit),
            "x-ratelimit-remaining": str(self.remaining),
            "x-ratelimit-reset": str(math.ceil(self.reset_at)),
        }
        if not self.allowed:
            told["retry-after"] = str(max(1, math.ceil(self.reset_at - time.time())))
        return told


class RateLimit:
    """Counts requests. Without Redis, or while it does not answer, each process counts for itself."""

    def __init__(self, per_minute: int, redis_url: str | None) -> None:
        self._item = RateLimitItemPerMinute(per_minute)
        self._own = MovingWindowRateLimiter(MemoryStorage())
        self._shared: MovingWindowRateLimiter | None = None
        if redis_url:
            storage = RedisStorage(
                f"async+{redis_url}",
                implementation="redispy",
                wrap_exceptions=True,
                socket_timeout=1,
                socket_connect_timeout=1,
            )
            self._shared = MovingWindowRateLimiter(storage)

    async def hit(self, key_id: int) -> Window:
        """Count one request of the key and return where it stands."""

        async def counted(limiter: MovingWindowRateLimiter) -> Window:
            return await self._window(limiter, key_id, await limiter.hit(self._item, _name(key_id)))

        return await self._ask(counted)

    async def standing(self, key_id: int) -> Window:
        """Return where the key stands, without counting anything; `allowed` is whether its next request would be."""

        async def read(limiter: MovingWindowRateLimiter) -> Window:
            return await self._window(limiter, key_id, await limiter.test(self._item, _name(key_id)))

        return await self._ask(read)

    async def _ask(self, question: Callable[[MovingWindowRateLimiter], Awaitable[Window]]) -> Window:
        if self._shared is not None:
            try:
                return await question(self._shared)
            except StorageError:
                # The API goes on without Redis; a limit that is too generous for a while harms less than no answer.
                logger.warning("the rate limit could not reach Redis and is counted in this process alone")
        return await question(self._own)

    async def _window(self, limiter: MovingWindowRateLimiter, key_id: int, allowed: bool) -> Window:
        stats = await limiter.get_window_stats(self._item, _name(key_id))
        return Window(allowed, self._item.amount, max(stats.remaining, 0), stats.reset_time)


def _name(key_id: int) -> str:
    return f"api-key-{key_id}"
