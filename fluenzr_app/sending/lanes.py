"""Serving one account: its claims, its open connections, and at most one message on each of them."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from fluenzr_app.clock import Clock
from fluenzr_app.db.engine import Database
from fluenzr_app.mail.compose import Composed, compose
from fluenzr_app.mail.errors import MailError
from fluenzr_app.mail.transport import Connection, SendFailure, Transport
from fluenzr_app.sending.claim import Claimer, claim_due
from fluenzr_app.sending.errors import ContentFault
from fluenzr_app.sending.ledger import Entry, Ledger
from fluenzr_app.sending.values import Claimed, ClaimResult, Marked, Outcome, OutcomeKind

log = logging.getLogger(__name__)

# A worker that stood still for longer than this after its mark asks again: after 30 s its lease is over and another
# worker may have called the message uncertain (campaigns.md, The engine).
LEASE_S = 30.0
STALLED_S = 15.0
# Providers close idle connections after a few minutes; a connection that waited this long is given back first.
IDLE_S = 60.0
CLAIMS_PER_LANE = 30


@dataclass(slots=True)
class Sender:
    """An account as the lanes need it: how to reach its server and how many connections may be open.

    `keeps_mails`: what leaves is kept, since its mailbox is read and conversations show it; `copies` to Sent as well.
    """

    account_id: int
    revision: int
    transport: Transport
    parallel: int
    keeps_mails: bool = False
    copies: bool = False


@dataclass(slots=True)
class OpenConnections:
    """Connections of one account that wait for their next message."""

    revision: int
    idle: list[tuple[float, Connection]] = field(default_factory=list)

    async def acquire(self, transport: Transport) -> Connection:
        """Return a connection ready for MAIL FROM; raises SendFailure when none can be made."""
        while self.idle:
            since, connection = self.idle.pop()
            if connection.alive and time.monotonic() - since < IDLE_S:
                return connection
            await connection.close()
        return await transport.connect()

    def give_back(self, connection: Connection) -> None:
        """Keep `connection` for the next message."""
        self.idle.append((time.monotonic(), connection))

    async def close_expired(self) -> None:
        """Close what has been idle for too long to be useful."""
        old = [entry for entry in self.idle if time.monotonic() - entry[0] >= IDLE_S]
        self.idle = [entry for entry in self.idle if entry not in old]
        for _, connection in old:
            await connection.close()

    async def close(self) -> None:
        """Close everything that is idle."""
        waiting, self.idle = self.idle, []
        for _, connection in waiting:
            await connection.close()


class AccountRun:
    """One run through an account's due messages; ends when a claim brings nothing more."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        claimer: Claimer,
        ledger: Ledger,
        sender: Sender,
        connections: OpenConnections,
        stopping: Callable[[], bool],
    ) -> None:
        self._db = db
        self._clock = clock
        self._claimer = claimer
        self._ledger = ledger
        self._sender = sender
        self._connections = connections
        self._stopping = stopping
        self._queue: deque[Claimed] = deque()
        self._refill = asyncio.Lock()
        self._dry = False
        self._failed = False
        self._proved: set[str] = set()

    async def run(self) -> ClaimResult:
        """Send what is due and return the last claim's result: what to wait for, and until when."""
        first = await self._claim()
        if not first.claimed:
            return first
        self._queue.extend(first.claimed)
        self._dry = not first.more
        lanes = min(self._sender.parallel, len(first.claimed))
        results = await asyncio.gather(*(self._counted_lane() for _ in range(lanes)), return_exceptions=True)
        await self._put_back()
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return first

    async def _claim(self) -> ClaimResult:
        limit = self._sender.parallel * CLAIMS_PER_LANE
        return await self._db.run(
            self._db.transact, claim_due, self._claimer, self._sender.account_id, limit, self._clock.now()
        )

    async def _next(self) -> Claimed | None:
        if self._failed or self._stopping():
            return None
        if not self._queue and not self._dry:
            async with self._refill:
                if not self._queue and not self._dry:
                    result = await self._claim()
                    self._queue.extend(result.claimed)
                    self._dry = not result.more
        return self._queue.popleft() if self._queue else None

    async def _counted_lane(self) -> None:
        self._ledger.enter()
        try:
            await self._lane()
        finally:
            self._ledger.leave()

    async def _lane(self) -> None:
        connection: Connection | None = None
        outcome: Outcome | None = None
        ready = await self._prepare_next()
        try:
            while ready is not None:
                if connection is None or not connection.alive:
                    if outcome is not None:
                        await self._ledger.write(self._entry(outcome, None))
                        outcome = None
                    connection = await self._connections.acquire(self._sender.transport)
                claim, composed, subject = ready
                asked_at = time.monotonic()
                answer = self._ledger.submit(self._entry(outcome, claim))
                outcome = ready = None
                # The next mail is made while this one's mark is being stored.
                try:
                    ready = await self._prepare_next()
                except Exception:
                    # The mark may be stored by now, but nothing was on the network.
                    if isinstance(marked := await answer, Marked):
                        outcome = self._outcome(claim, marked, OutcomeKind.FAULT, subject, None, "not sent")
                    raise
                marked = await answer
                if not isinstance(marked, Marked):
                    continue
                if time.monotonic() - asked_at > STALLED_S:
                    outcome = self._outcome(claim, marked, OutcomeKind.FAULT, subject, None, "stalled")
                    continue
                outcome = await self._send(connection, claim, marked, composed, subject)
                if self._failed:
                    return
        except SendFailure as failure:
            # No connection could be made: nothing was on the network, so the message goes back without an attempt.
            await self._fail(failure, outcome)
            outcome = None
        finally:
            if ready is not None:
                self._queue.append(ready[0])
            if outcome is not None:
                await self._ledger.write(self._entry(outcome, None))
            if connection is not None and connection.alive and not self._stopping():
                self._connections.give_back(connection)
            elif connection is not None:
                await connection.close()

    async def _prepare_next(self) -> tuple[Claimed, Composed, str] | None:
        """Return the next claim with its mail made; those that cannot be made are cancelled on the way."""
        while (claim := await self._next()) is not None:
            composed = self._compose(claim)
            if not isinstance(composed, str):
                return claim, *composed
            await self._ledger.write(Entry(unusable=(claim, composed)))
        return None

    def _entry(self, outcome: Outcome | None, claim: Claimed | None) -> Entry:
        # Once a run and kind of mail, the account's health and ramp are told that it works.
        if outcome is not None and outcome.kind is OutcomeKind.ACCEPTED and outcome.message.kind not in self._proved:
            self._proved.add(outcome.message.kind)
            return Entry(outcome=outcome, claim=claim, account_id=self._sender.account_id, account_works=True)
        return Entry(outcome=outcome, claim=claim)

    def _compose(self, claim: Claimed) -> tuple[Composed, str] | str:
        """Return the mail and its subject, or the code of why it cannot be made."""
        try:
            draft = claim.content.draft(self._clock.now())
            return compose(draft), draft.subject
        except ContentFault as fault:
            return fault.code
        except MailError as error:
            # Its words may quote an address.
            kind = type(error).__name__
            log.warning("a mail cannot be composed", extra={"message_id": claim.message.id, "kind": kind})
            return "not_composable"
        except Exception:
            # One mail that nobody foresaw must not hold up all others of its account for ever.
            log.exception("a mail cannot be composed", extra={"message_id": claim.message.id})
            return "not_composable"

    async def _send(
        self, connection: Connection, claim: Claimed, marked: Marked, composed: Composed, subject: str
    ) -> Outcome | None:
        """Hand one mail to the server and return its outcome; None when it was written already, with the run's end."""
        try:
            accepted = await connection.send(composed)
        except SendFailure as failure:
            kind = outcome_of(failure)
            outcome = self._outcome(claim, marked, kind, subject, failure.code, failure.text, composed)
            if failure.level in ("account", "connection") or kind in (OutcomeKind.FAULT, OutcomeKind.UNCERTAIN):
                await self._fail(failure, outcome)
                return None
            return outcome
        return self._outcome(claim, marked, OutcomeKind.ACCEPTED, subject, accepted.code, accepted.text, composed)

    def _outcome(
        self,
        claim: Claimed,
        marked: Marked,
        kind: OutcomeKind,
        subject: str,
        code: int | None,
        text: str,
        composed: Composed | None = None,
    ) -> Outcome:
        left = kind in (OutcomeKind.ACCEPTED, OutcomeKind.UNCERTAIN) and self._sender.keeps_mails
        raw = composed.raw if composed is not None and left else None
        copied = self._sender.copies and kind is OutcomeKind.ACCEPTED
        return Outcome(claim.message, marked.attempt_no, kind, self._clock.now(), subject, code, text, raw, copied)

    async def _fail(self, failure: SendFailure, outcome: Outcome | None) -> None:
        """Write what is known, tell the account's health once, and end the run."""
        first = not self._failed
        self._failed = True
        await self._ledger.write(
            Entry(
                outcome=outcome,
                failure=failure if first else None,
                account_id=self._sender.account_id if first else None,
            )
        )

    async def _put_back(self) -> None:
        if self._queue:
            waiting = tuple(self._queue)
            self._queue.clear()
            await self._ledger.write(Entry(release=waiting))


def outcome_of(failure: SendFailure) -> OutcomeKind:
    """Return what a failure means for the message (accounts.md: an account-level failure never costs a contact)."""
    if not failure.certain:
        return OutcomeKind.UNCERTAIN
    if failure.level == "recipient":
        return OutcomeKind.HARD_BOUNCE if failure.permanent else OutcomeKind.SOFT_BOUNCE
    if failure.level == "message":
        return OutcomeKind.REJECTED if failure.permanent else OutcomeKind.SOFT_BOUNCE
    return OutcomeKind.FAULT
