"""Every mailbox is watched by one process: read, waited at where the server tells of new mail, and read again."""

import asyncio
import contextlib
import functools
import logging
import secrets
import threading
import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from sqlmodel import Session

from fluenzr_app.clock import Clock, utc_now
from fluenzr_app.db.engine import Database
from fluenzr_app.inbox import conversations, reading, stops
from fluenzr_app.inbox.reading import Leased
from fluenzr_app.inbox.sent_folder import tend_sent_folder
from fluenzr_app.inbox.store import Wiring
from fluenzr_app.inbox.sync import Read, Stopped, read_mailbox
from fluenzr_app.mail.mailbox import Mailbox, MailboxFailure

log = logging.getLogger(__name__)

# inbox.md, Sync: every 1 to 5 minutes. A mailbox that is waited at is read whole so often too: answers may be put
# into other folders than the one whose news the server tells.
READ_EVERY_S = 60.0
# A lease lasts three minutes; a watcher that waits renews it with each turn.
_WAIT_S = 55.0
# A mailbox with very much in it is read for longer than a lease lasts.
_RENEW_S = 60.0
# So long a stop waits for servers to answer; then their connections are closed, and so long for that to be noticed.
_PATIENCE_S = 5.0
_LAST_S = 2.0

# Opens the mailbox of an account; None where no server or password is known. Raises MailboxFailure.
OpenMailbox = Callable[[int], Mailbox | None]


class MailboxWatch:
    """Reads the mailboxes that are due, each in a thread of its own, at most `at_once` of them."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        wiring: Wiring,
        open_mailbox: OpenMailbox,
        *,
        owner: str | None = None,
        at_once: int = 50,
        read_every_s: float = READ_EVERY_S,
    ) -> None:
        self._db = db
        self._clock = clock
        self._wiring = wiring
        self._open = open_mailbox
        self._at_once = at_once
        self._read_every_s = read_every_s
        # Names this process. Where there is but one, the name is given, and a restart after a crash goes on at once;
        # elsewhere the lease of a dead process has to end first.
        self._owner = owner or secrets.token_hex(8)
        self._threads = ThreadPoolExecutor(max_workers=at_once, thread_name_prefix="mailbox")
        self._watching: dict[int, asyncio.Future[None]] = {}
        self._opened: dict[int, Mailbox] = {}
        self._stop = threading.Event()

    async def tick(self) -> int:
        """Begin to watch the mailboxes that are due and watched by nobody; return how many."""
        if self._stop.is_set():
            return 0
        try:
            await self._db.run(self._wake)
        except Exception:
            # What is wrong with one conversation must keep no mailbox from being read.
            log.exception("what was put off cannot be brought back")
        begun = 0
        loop = asyncio.get_running_loop()
        for account_id in await self._db.run(self._due):
            if account_id in self._watching or len(self._watching) >= self._at_once:
                continue
            begun += 1
            future = loop.run_in_executor(self._threads, self._watch, account_id)
            self._watching[account_id] = future
            future.add_done_callback(functools.partial(self._ended, account_id))
        return begun

    def _ended(self, account_id: int, _: "asyncio.Future[None]") -> None:
        self._watching.pop(account_id, None)

    async def stop(self) -> None:
        """Let every watcher finish the mail it has in hands and close its connection, within seven seconds."""
        self._stop.set()
        if self._watching:
            _, late = await asyncio.wait(list(self._watching.values()), timeout=_PATIENCE_S)
            if late:
                await self._cut_off(late)
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _cut_off(self, late: "set[asyncio.Future[None]]") -> None:
        """Close the connections of servers that say nothing: what was not settled is read again at the next start."""
        closing = [asyncio.to_thread(mailbox.close) for mailbox in list(self._opened.values())]
        await asyncio.wait({asyncio.ensure_future(each) for each in closing} | late, timeout=_LAST_S)
        left = sum(not each.done() for each in late)
        if left:
            log.warning("mailboxes are still waited for", extra={"count": left})

    def read_now(self, only: Collection[int] | None = None) -> dict[int, Read]:
        """Read every due mailbox once, one after the other, and return what each reading did.

        `only`: the accounts to which that is limited. For whoever drives the product on a virtual clock; failures are
        noted as ever.
        """
        found: dict[int, Read] = {}
        due = self._due() if only is None or only else ()
        for account_id in due if only is None else [each for each in due if each in only]:
            leased = self._db.transact(reading.lease, account_id, self._owner, utc_now())
            if leased is not None:
                read = self._turn(leased, wait=False)
                if read is not None:
                    found[account_id] = read
        self._wake()
        return found

    def _due(self) -> list[int]:
        with self._db.read() as session:
            return list(reading.due(session, self._owner, utc_now()))

    def _wake(self) -> None:
        """Bring back what was put off, and let undecided requests to stop count."""
        now = self._clock.now()
        with self._db.read() as session:
            waiting = conversations.something_is_over(session, now - stops.DECIDED_AFTER, now)
        if waiting:
            self._db.transact(self._end_waits, now)

    def _end_waits(self, session: Session, now: datetime) -> None:
        conversations.end_snoozes(session, now)
        stops.confirm_overdue(session, now)

    def _watch(self, account_id: int) -> None:
        """Read a mailbox, wait at it while others need no thread, and give it back."""
        try:
            leased = self._db.transact(reading.lease, account_id, self._owner, utc_now())
            if leased is not None:
                self._turn(leased, wait=True)
        except Exception:
            log.exception("a mailbox cannot be watched", extra={"account_id": account_id})
            with contextlib.suppress(Exception):
                self._leave(account_id, utc_now() + timedelta(seconds=self._read_every_s))

    def _turn(self, leased: Leased, *, wait: bool) -> Read | None:
        mailbox: Mailbox | None = None
        try:
            mailbox = self._open(leased.account_id)
            if mailbox is not None:
                self._opened[leased.account_id] = mailbox
            else:
                self._leave(leased.account_id, utc_now() + timedelta(seconds=self._read_every_s))
                return None
            read = self._read(leased, mailbox)
            while wait and mailbox.can_idle and self._may_wait():
                self._wait(mailbox)
                if self._stop.is_set() or not self._keeps(leased):
                    break
                read = self._read(leased, mailbox)
            self._leave(leased.account_id, None if not wait else self._next(mailbox.can_idle))
            return read
        except Stopped:
            self._leave(leased.account_id, None)
            return None
        except MailboxFailure as failure:
            if self._stop.is_set():
                # Its connection was closed under its hands.
                self._leave(leased.account_id, None)
                return None
            log.info("a mailbox cannot be read", extra={"account_id": leased.account_id, "code": failure.code})
            self._db.transact(reading.failed, leased.account_id, self._owner, failure, self._clock.now(), utc_now())
            return None
        finally:
            if mailbox is not None:
                self._opened.pop(leased.account_id, None)
                mailbox.close()

    def _read(self, leased: Leased, mailbox: Mailbox) -> Read:
        over = self._over(leased)
        read = read_mailbox(self._db, self._clock, self._wiring, leased, mailbox, over)
        tend_sent_folder(self._db, self._clock, self._wiring, leased.account_id, mailbox, over)
        return read

    def _over(self, leased: Leased) -> Callable[[], bool]:
        """Return what tells whether to stop reading: the process does, or the mailbox is no longer ours or is gone."""
        renewed = time.monotonic()

        def over() -> bool:
            nonlocal renewed
            if self._stop.is_set():
                return True
            if time.monotonic() - renewed < _RENEW_S:
                return False
            renewed = time.monotonic()
            return not self._keeps(leased)

        return over

    def _wait(self, mailbox: Mailbox) -> None:
        inbox = next(folder.name for folder in mailbox.folders() if folder.role == "inbox")
        mailbox.wait_for_news(inbox, min(_WAIT_S, self._read_every_s), self._gives_way)

    def _gives_way(self) -> bool:
        return self._stop.is_set() or not self._may_wait()

    def _may_wait(self) -> bool:
        # With all threads in use those that only wait give way to mailboxes that have not been read for long.
        return len(self._watching) < self._at_once

    def _keeps(self, leased: Leased) -> bool:
        renewed = self._db.transact(reading.lease, leased.account_id, self._owner, utc_now())
        return renewed is not None and renewed.revision == leased.revision

    def _next(self, can_idle: bool) -> datetime | None:
        return None if can_idle and self._may_wait() else utc_now() + timedelta(seconds=self._read_every_s)

    def _leave(self, account_id: int, due_at: datetime | None) -> None:
        self._db.transact(reading.give_back, account_id, self._owner, due_at)
