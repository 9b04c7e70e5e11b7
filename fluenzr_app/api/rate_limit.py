"""So many requests in a moving minute and key, shared between processes when Redis is set (api.md, Rate limit)."""

import logging
import math
import time
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
        if self._shared is not None:
            try:
                return await self._hit(self._shared, key_id)
            except StorageError:
                # The API goes on without Redis; a limit that is too generous for a while harms less than no answer.
                logger.warning("the rate limit could not reach Redis and is counted in this process alone")
        return await self._hit(self._own, key_id)

    async def _hit(self, limiter: MovingWindowRateLimiter, key_id: int) -> Window:
        name = f"api-key-{key_id}"
        allowed = await limiter.hit(self._item, name)
        stats = await limiter.get_window_stats(self._item, name)
        return Window(allowed, self._item.amount, max(stats.remaining, 0), stats.reset_time)
