"""The ticks of all rooms, run by APScheduler in this process (platform.md, Operation).

However many processes there are, claims in the database decide who does what; the scheduler only says when to look.
"""

import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from fluenzr_app.logs import bind

log = logging.getLogger(__name__)
# campaigns.md, The engine: at least every 5 s. A tick that finds nothing due costs a few reads.
LONGEST_SILENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class Tick:
    """Something done again and again: `every_s` seconds of the wall after it last began."""

    name: str
    every_s: float
    run: Callable[[], Awaitable[object]]


class Ticker:
    """Runs ticks, each in its own rhythm and never twice at once, and knows when it last succeeded."""

    def __init__(self, ticks: tuple[Tick, ...]) -> None:
        self._ticks = ticks
        self._succeeded: dict[str, float] = {}
        self._began = time.monotonic()
        self._count = 0

    def silent(self) -> str | None:
        """Return a sentence about a tick that has not succeeded for 30 s, or None when all is well."""
        now = time.monotonic()
        for tick in self._ticks:
            last = self._succeeded.get(tick.name, self._began)
            if now - last > max(LONGEST_SILENCE_S, 3 * tick.every_s):
                return f"the tick “{tick.name}” has not succeeded for {now - last:.0f} s; the log says why"
        return None

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run every tick at once and then in its rhythm, until the block ends."""
        scheduler = AsyncIOScheduler(timezone="UTC")
        for tick in self._ticks:
            scheduler.add_job(
                self._once,
                "interval",
                args=(tick,),
                seconds=tick.every_s,
                id=tick.name,
                max_instances=1,
                coalesce=True,
                misfire_grace_time=None,
            )
        self._began = time.monotonic()
        scheduler.start()
        try:
            for tick in self._ticks:
                await self._once(tick)
            yield
        finally:
            scheduler.shutdown(wait=False)

    async def _once(self, tick: Tick) -> None:
        self._count += 1
        with bind(tick=tick.name, tick_id=self._count):
            try:
                await tick.run()
            except Exception:
                # The next tick tries again; whatever was half done was rolled back.
                log.exception("a tick failed")
            else:
                self._succeeded[tick.name] = time.monotonic()
