"""The group commit: marks and settlements of all lanes share transactions (architecture.md, decision 3)."""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel import Session

from fluenzr_app.accounts import health
from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.clock import Clock
from fluenzr_app.db.engine import Database
from fluenzr_app.db.tables import table_of
from fluenzr_app.mail.transport import SendFailure
from fluenzr_app.sending.claim import Claimer, cancel, release
from fluenzr_app.sending.mark import mark
from fluenzr_app.sending.settle import note_first_campaign_sends, settle
from fluenzr_app.sending.values import Claimed, Marked, NotMarked, Outcome

log = logging.getLogger(__name__)
_ACCOUNT = table_of(EmailAccount)
_RETRY_S = 1.0
_GATHER_S = 0.003


@dataclass(slots=True, eq=False)
class Entry:
    """What one lane wants written: the end of its last message, the mark of its next one, news of its account."""

    outcome: Outcome | None = None
    claim: Claimed | None = None
    failure: SendFailure | None = None
    account_id: int | None = None
    account_works: bool = False
    unusable: tuple[Claimed, str] | None = None
    release: tuple[Claimed, ...] = ()
    done: "asyncio.Future[Marked | NotMarked | None]" = field(init=False)

    def __post_init__(self) -> None:
        self.done = asyncio.get_running_loop().create_future()


class Ledger:
    """Collects entries while a transaction runs and writes them all in the next one.

    Nothing that is known about a sent mail is dropped: while the database cannot be written, lanes wait here.
    """

    def __init__(self, db: Database, claimer: Claimer, clock: Clock) -> None:
        self._db = db
        self._claimer = claimer
        self._clock = clock
        self._waiting: list[Entry] = []
        self._writer: asyncio.Task[None] | None = None
        self._lanes = 0
        self._all_here = asyncio.Event()

    async def write(self, entry: Entry) -> Marked | NotMarked | None:
        """Write `entry` durably and return whether its claim may be sent (None without a claim)."""
        return await self.submit(entry)

    def submit(self, entry: Entry) -> "asyncio.Future[Marked | NotMarked | None]":
        """Take `entry` into the next transaction and return the future of what `write` returns."""
        self._waiting.append(entry)
        if len(self._waiting) >= self._lanes:
            self._all_here.set()
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_waiting(), name="ledger")
        return entry.done

    def enter(self) -> None:
        """Count one more lane that is going to write."""
        self._lanes += 1

    def leave(self) -> None:
        """Count one lane less."""
        self._lanes -= 1
        if len(self._waiting) >= self._lanes:
            self._all_here.set()

    async def _gather(self) -> None:
        """Wait a moment for the other lanes: a commit for ten mails costs hardly more than one for a single mail."""
        if len(self._waiting) < self._lanes:
            self._all_here.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_GATHER_S):
                    await self._all_here.wait()

    async def _write_waiting(self) -> None:
        while self._waiting:
            await self._gather()
            batch, self._waiting = self._waiting, []
            try:
                answers = await self._durably(batch)
            except Exception as error:
                await self._one_by_one(batch, error)
                continue
            for entry, answer in zip(batch, answers, strict=True):
                if not entry.done.done():
                    entry.done.set_result(answer)

    async def _durably(self, batch: Sequence[Entry]) -> list[Marked | NotMarked | None]:
        while True:
            try:
                return await self._db.run(self._db.transact, self._apply, batch)
            except OSError as error:
                log.error("the database cannot be written, trying again", extra={"reason": str(error)})
            except Exception as error:
                if not _is_passing(error):
                    raise
                log.error("the database cannot be written, trying again", extra={"reason": str(error)[:300]})
            await asyncio.sleep(_RETRY_S)

    async def _one_by_one(self, batch: Sequence[Entry], error: Exception) -> None:
        """Keep one entry that cannot be written from taking the others with it."""
        log.error("a batch of the ledger failed", exc_info=error, extra={"entries": len(batch)})
        for entry in batch:
            if entry.done.done():
                continue
            try:
                entry.done.set_result((await self._durably([entry]))[0])
            except Exception as own_error:
                await self._keep_outcome(entry)
                entry.done.set_exception(own_error)

    async def _keep_outcome(self, entry: Entry) -> None:
        """Write at least how the last message ended where the rest of an entry is what cannot be written."""
        if entry.outcome is None or entry.claim is None:
            return
        try:
            await self._durably([Entry(outcome=entry.outcome)])
        except Exception:
            log.exception("the end of a message cannot be written", extra={"message_id": entry.outcome.message.id})

    def _apply(self, session: Session, batch: Sequence[Entry]) -> list[Marked | NotMarked | None]:
        now = self._clock.now()
        self._lock_accounts(session, batch)
        outcomes = [entry.outcome for entry in batch if entry.outcome is not None]
        settlements = settle(session, self._claimer.origins, outcomes, now) if outcomes else []
        proved = {entry.account_id for entry in batch if entry.account_works}
        note_first_campaign_sends(session, [each for each in settlements if each.outcome.message.account_id in proved])
        for entry in batch:
            self._news_of_account(session, entry)
            if entry.unusable is not None:
                claim, code = entry.unusable
                cancel(session, self._claimer.origins[claim.message.kind], {claim.message: code}, now)
        release(session, self._claimer, [claim.message for entry in batch for claim in entry.release], now)
        claims = [entry.claim for entry in batch if entry.claim is not None]
        marks = mark(session, self._claimer, claims, now) if claims else {}
        return [None if entry.claim is None else marks[entry.claim.message.id] for entry in batch]

    def _news_of_account(self, session: Session, entry: Entry) -> None:
        if entry.account_id is None:
            return
        if entry.failure is not None:
            health.report_fault(session, entry.account_id, entry.failure, self._clock.now(), self._claimer.rng)
        elif entry.account_works:
            health.report_success(session, entry.account_id, self._clock.now())

    def _lock_accounts(self, session: Session, batch: Sequence[Entry]) -> None:
        # The claim locks account rows first and message rows later; who is going to touch an account row must do
        # so in the same order, or the two would wait for each other.
        ids = sorted({entry.account_id for entry in batch if entry.account_id is not None})
        if ids and self._db.dialect != "sqlite":
            session.connection().execute(
                select(_ACCOUNT.c.id).where(_ACCOUNT.c.id.in_(ids)).order_by(_ACCOUNT.c.id).with_for_update()
            )


def _is_passing(error: Exception) -> bool:
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    return lost or isinstance(error, OperationalError | InterfaceError | PoolTimeout)
