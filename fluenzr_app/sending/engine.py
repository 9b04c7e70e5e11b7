"""The sending engine: finds accounts with work and serves each in a task of its own (guarantee 7)."""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import or_, select
from sqlmodel import Session

from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.clock import Clock, utc_now
from fluenzr_app.db.engine import Database
from fluenzr_app.db.tables import table_of
from fluenzr_app.sending import generation, workers
from fluenzr_app.sending.claim import Claimer
from fluenzr_app.sending.lanes import AccountRun, OpenConnections, Sender
from fluenzr_app.sending.ledger import Ledger
from fluenzr_app.sending.origin import Origin

log = logging.getLogger(__name__)
_ACCOUNT = table_of(EmailAccount)
_BEAT_EVERY_S = 5.0
_CONNECTION_CHECK_S = 15.0

# Reads an account's settings and secrets in the given session; None when it cannot send (any more).
SenderOf = Callable[[Session, int], Sender | None]


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """Where the engine keeps its locks, and what it is allowed to do."""

    data_dir: Path
    only_one: bool


@dataclass(slots=True)
class _State:
    worker_id: int = 0
    slot: workers.WorkerSlot | None = None
    beaten_at: float = float("-inf")
    grown_at: datetime | None = None
    held: generation.Hold | None = None
    stopping: bool = False
    cleaned_at: float = field(default_factory=time.monotonic)


class SendingEngine:
    """Everything between a due message and an open connection; `tick` is called at least every 5 s."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        origins: Mapping[str, Origin],
        sender_of: SenderOf,
        settings: EngineSettings,
        rng: random.Random,
    ) -> None:
        self._db = db
        self._clock = clock
        self._origins = origins
        self._sender_of = sender_of
        self._settings = settings
        self._rng = rng
        self._state = _State()
        self._serving: dict[int, asyncio.Task[None]] = {}
        self._connections: dict[int, OpenConnections] = {}
        # Accounts whose last run failed and whose claims could not be put back yet.
        self._unclean: set[int] = set()
        self._claimer: Claimer | None = None
        self._ledger: Ledger | None = None

    @property
    def held(self) -> generation.Hold | None:
        """Why nothing leaves after a restore or a long stand-still; None in normal life."""
        return self._state.held

    @property
    def worker_id(self) -> int:
        """The id under which this engine claims; 0 before `start`."""
        return self._state.worker_id

    async def start(self) -> None:
        """Take a slot, take back what its last owner held, and look whether the database is the true one.

        Raises SenderBusy when another process sends from this SQLite database.
        """
        self._state.slot = workers.WorkerSlot.take(self._settings.data_dir, only_one=self._settings.only_one)
        await self._db.run(self._db.transact, self._enlist)

    async def tick(self) -> int:
        """Start serving every account that may have work and is not being served; return how many were started."""
        if self._state.stopping:
            return 0
        await self._keep_alive()
        if self._state.held is not None:
            return 0
        for account_id in self._unclean - self._serving.keys():
            await self._tidy(account_id)
        started = 0
        for account_id in await self._db.run(self._ready):
            # The stop may have begun while the database was asked; nothing starts under a worker that has left.
            if account_id not in self._serving and not self._state.stopping:
                started += 1
                task = asyncio.create_task(self._serve(account_id), name=f"account-{account_id}")
                self._serving[account_id] = task
        await self._close_idle()
        return started

    async def drain(self) -> None:
        """Wait until every account that is being served has nothing more to send at this moment."""
        while self._serving:
            await asyncio.wait(list(self._serving.values()))

    async def stop(self) -> None:
        """Finish what is on the network, hand back the rest, close all connections and give the slot back."""
        self._state.stopping = True
        await self.drain()
        for connections in self._connections.values():
            await connections.close()
        if self._state.worker_id:
            await self._db.run(self._db.transact, self._retire)
        if self._state.slot is not None:
            self._state.slot.free()
            self._state.slot = None

    def _enlist(self, session: Session) -> None:
        slot = self._state.slot
        if slot is None:
            raise AssertionError("enlisted without a slot")
        name = slot.name(self._settings.data_dir)
        worker_id = workers.enlist(session, name, self._origins, utc_now(), self._clock.now())
        self._state.worker_id = worker_id
        self._claimer = Claimer(worker_id, self._origins, self._rng)
        self._ledger = Ledger(self._db, self._claimer, self._clock)
        self._state.held = self._check(session, utc_now())
        if self._state.held is None:
            self._grow(session)

    def _retire(self, session: Session) -> None:
        workers.retire(session, self._state.worker_id, self._origins, self._clock.now())

    def _check(self, session: Session, wall: datetime) -> generation.Hold | None:
        return generation.check(session, self._settings.data_dir, wall, may_join=not self._settings.only_one)

    def _grow(self, session: Session) -> None:
        generation.grow(session, self._settings.data_dir, utc_now())
        self._state.grown_at = utc_now()

    async def _keep_alive(self) -> None:
        if time.monotonic() - self._state.beaten_at < _BEAT_EVERY_S:
            return
        self._state.beaten_at = time.monotonic()
        await self._db.run(self._db.transact, self._beat)

    def _beat(self, session: Session) -> None:
        wall = utc_now()
        if not workers.beat(session, self._state.worker_id, wall):
            log.warning("this worker was taken for dead and enlists again")
            self._enlist(session)
        workers.bury_silent(session, self._origins, wall, self._clock.now())
        self._state.held = self._check(session, wall)
        if self._state.held is None and (
            self._state.grown_at is None or wall - self._state.grown_at >= generation.GROWS_EVERY
        ):
            self._grow(session)

    def _ready(self) -> list[int]:
        now = self._clock.now()
        with self._db.read() as session:
            candidates = list(
                session.connection()
                .execute(
                    select(_ACCOUNT.c.id).where(
                        _ACCOUNT.c.status == "connected",
                        or_(_ACCOUNT.c.backoff_until.is_(None), _ACCOUNT.c.backoff_until <= now),
                    )
                )
                .scalars()
            )
            busy = self._serving.keys()
            idle = [account_id for account_id in candidates if account_id not in busy]
            ready: set[int] = set()
            for origin in self._origins.values():
                if idle:
                    ready |= origin.may_have_work(session, idle, now)
            return sorted(ready)

    async def _serve(self, account_id: int) -> None:
        try:
            sender = await self._db.run(self._read_sender, account_id)
            if sender is None or self._claimer is None or self._ledger is None:
                return
            connections = self._connections.get(account_id)
            if connections is None or connections.revision != sender.revision:
                if connections is not None:
                    await connections.close()
                connections = self._connections[account_id] = OpenConnections(sender.revision)
            run = AccountRun(
                self._db, self._clock, self._claimer, self._ledger, sender, connections, lambda: self._state.stopping
            )
            await run.run()
        except Exception:
            log.exception("serving an account failed", extra={"account_id": account_id})
            # Whatever broke the run may keep this from being written now; every tick tries again.
            self._unclean.add(account_id)
            with contextlib.suppress(Exception):
                await self._tidy(account_id)
        finally:
            self._serving.pop(account_id, None)

    async def _tidy(self, account_id: int) -> None:
        await self._db.run(self._db.transact, self._clean_up, account_id)
        self._unclean.discard(account_id)

    def _read_sender(self, account_id: int) -> Sender | None:
        with self._db.read() as session:
            return self._sender_of(session, account_id)

    def _clean_up(self, session: Session, account_id: int) -> None:
        """Leave nothing of a failed run in hand: what was only claimed goes back, what was sending is uncertain."""
        workers.take_back(session, [self._state.worker_id], self._origins, self._clock.now(), account_id=account_id)

    async def _close_idle(self) -> None:
        if time.monotonic() - self._state.cleaned_at < _CONNECTION_CHECK_S:
            return
        self._state.cleaned_at = time.monotonic()
        for account_id, connections in list(self._connections.items()):
            if account_id not in self._serving:
                await connections.close_expired()
