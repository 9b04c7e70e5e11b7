"""Storing what was asked of our public links before it is answered; many requests share a commit (tracking.md, Speed).

While one transaction is under way the next requests gather; each returns once its own is on the disk.
"""

import asyncio
import contextvars
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select
from sqlmodel import Session

from fluenzr_app.db.engine import Database
from fluenzr_app.db.hot import HotSelect, run_many, stored_moment
from fluenzr_app.db.tables import table_of
from fluenzr_app.tracking.errors import TrackingError
from fluenzr_app.tracking.links import TrackedMail
from fluenzr_app.tracking.machines import Kind
from fluenzr_app.tracking.models import Hit
from fluenzr_app.workspaces.models import Workspace

# Each that waits holds a connection and its buffers; at the bound they are a hundred megabytes or so.
MOST_WAITING = 5_000
# A transaction of a few milliseconds: sending mail waits for the same lock on SQLite.
_GROUP = 500
_ROWS_AT_ONCE = 64
_LONGEST_AGENT = 500
# The longest an address of IPv6 is written, with a zone.
_LONGEST_IP = 64
_SAME_A_MINUTE = 100
_REMEMBERED = 50_000


class TooManyHits(TrackingError):
    """More is asked than can be stored at the moment."""

    def __init__(self) -> None:
        super().__init__("Too much is asked of the links at the moment; try again in a while.")


class HitNotStored(TrackingError):
    """The database took no hit; what it said is the cause."""

    def __init__(self) -> None:
        super().__init__("The database could not store the hit.")


@dataclass(frozen=True, slots=True)
class NewHit:
    """A request for a pixel or a link at `at` (aware). The rest is as in the table `hit`.

    `ip` and `user_agent` are those of the request; whether they are kept is decided by the workspace's setting.
    """

    kind: Kind
    mail: TrackedMail
    at: datetime
    rule: str
    link: str = ""
    tracks_opens: bool = False
    ip: str = ""
    user_agent: str = ""


class HitStore:
    """Stores hits in groups. Belongs to one event loop; nothing runs before the first hit."""

    def __init__(self, database: Database, *, most_waiting: int = MOST_WAITING) -> None:
        self._database = database
        self._most_waiting = most_waiting
        self._waiting: deque[tuple[NewHit, asyncio.Future[None]]] = deque()
        self._repeated = _Repeated()
        self._writer: asyncio.Task[None] | None = None
        self._closed = False

    async def store(self, hit: NewHit) -> None:
        """Return once `hit` is durable, or dropped since its workspace is gone; a cancelled caller's is stored too.

        What was stored a hundred times in this minute says nothing new and is not stored once more. Raises TooManyHits
        when too many wait already or the store is closed, HitNotStored when the database fails.
        """
        if self._closed or len(self._waiting) >= self._most_waiting:
            raise TooManyHits
        if self._repeated.often_enough(hit):
            return
        loop = asyncio.get_running_loop()
        stored: asyncio.Future[None] = loop.create_future()
        self._waiting.append((hit, stored))
        if self._writer is None:
            # In a context of its own: what it logs is not of the request that happened to come first.
            self._writer = loop.create_task(self._write_groups(), context=contextvars.Context())
        await stored
        self._repeated.count(hit)

    async def close(self) -> None:
        """Take no more and return when all that waited is stored or refused."""
        self._closed = True
        if self._writer is not None:
            await self._writer

    async def _write_groups(self) -> None:
        try:
            while self._waiting:
                count = min(len(self._waiting), _GROUP)
                await self._write([self._waiting.popleft() for _ in range(count)])
        finally:
            self._writer = None
            # Only when this task was cancelled from outside: nobody is left to wait for.
            while self._waiting:
                _refuse(self._waiting.popleft()[1], None)

    async def _write(self, group: Sequence[tuple[NewHit, asyncio.Future[None]]]) -> None:
        hits = [hit for hit, _ in group]
        try:
            await self._database.run(self._database.transact, write_hits, hits)
        except BaseException as error:
            for _, stored in group:
                _refuse(stored, error)
            if not isinstance(error, Exception):
                raise
        else:
            for _, stored in group:
                # One whose caller has gone is done already.
                if not stored.done():
                    stored.set_result(None)


class _Repeated:
    """How often each address was asked for in the same manner in this minute, once that was durable.

    Links work for ever: who plays with one, a million times, must not fill the table or keep the judge at work.
    """

    def __init__(self) -> None:
        self._minute = 0
        self._counts: dict[int, int] = {}

    def often_enough(self, hit: NewHit) -> bool:
        return self._counts.get(_same(hit), 0) >= _SAME_A_MINUTE and _minute_of(hit) == self._minute

    def count(self, hit: NewHit) -> None:
        minute = _minute_of(hit)
        if minute != self._minute or len(self._counts) >= _REMEMBERED:
            self._minute = minute
            self._counts.clear()
        same = _same(hit)
        self._counts[same] = self._counts.get(same, 0) + 1


def _minute_of(hit: NewHit) -> int:
    return int(hit.at.timestamp()) // 60


def _same(hit: NewHit) -> int:
    # The rule too: a program that fetches again and again does not hide the person who comes in the same minute.
    return hash((hit.mail.workspace_id, hit.mail.message_id, hit.kind, hit.link, hit.rule))


def write_hits(session: Session, hits: Sequence[NewHit]) -> int:
    """Store `hits` and return how many; those of a workspace that is gone are left out."""
    connection = session.connection()
    workspaces = sorted({hit.mail.workspace_id for hit in hits})
    details = {row[0]: bool(row[1]) for row in _WORKSPACES.rows(connection, workspaces)}
    rows = [_row(hit, details[hit.mail.workspace_id]) for hit in hits if hit.mail.workspace_id in details]
    if connection.dialect.name == "sqlite":
        for begin in range(0, len(rows), _ROWS_AT_ONCE):
            _insert_sqlite(connection, rows[begin : begin + _ROWS_AT_ONCE])
    elif rows:
        connection.execute(_INSERT, [dict(zip(_COLUMNS, row, strict=True)) for row in rows])
    return len(rows)


def _insert_sqlite(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    # One statement for many rows: the driver gives up the interpreter once for each it runs, and between two of them
    # the event loop would be waited for.
    bound: list[Any] = []
    for row in rows:
        bound += row
        for place in _MOMENTS:
            bound[place - len(row)] = stored_moment(bound[place - len(row)])
    run_many(connection, _insert_text(len(rows)), [bound])


@lru_cache(maxsize=_ROWS_AT_ONCE)
def _insert_text(rows: int) -> str:
    row = f"({', '.join('?' * len(_COLUMNS))})"
    return f"INSERT INTO {_HIT.name} ({', '.join(_COLUMNS)}) VALUES {', '.join([row] * rows)}"  # noqa: S608 - our names


def _row(hit: NewHit, details: bool) -> tuple[Any, ...]:
    """Return a row's values in the order of `_COLUMNS`."""
    mail = hit.mail
    return (
        mail.workspace_id, hit.kind, mail.message_id, mail.contact_id, mail.campaign_id, mail.account_id, mail.node_id,
        mail.composed_at, hit.at, hit.rule, _storable(hit.link), hit.tracks_opens,
        _storable(hit.ip[:_LONGEST_IP]) if details else "",
        _storable(hit.user_agent[:_LONGEST_AGENT]) if details else "",
    )  # fmt: skip


def _storable(text: str) -> str:
    # PostgreSQL keeps no NUL in a text, and one hit must not keep the others of its group from being stored.
    return text.replace("\0", "")


def _refuse(stored: asyncio.Future[None], cause: BaseException | None) -> None:
    if not stored.done():
        # One for each: an error that several raise gathers all their tracebacks.
        error = HitNotStored()
        error.__cause__ = cause
        stored.set_exception(error)


_HIT = table_of(Hit)
_WORKSPACE = table_of(Workspace)
_COLUMNS = (
    "workspace_id", "kind", "message_id", "contact_id", "campaign_id", "account_id", "node_id", "composed_at", "at",
    "rule", "link", "tracks_opens", "ip", "user_agent",
)  # fmt: skip
_MOMENTS = (_COLUMNS.index("composed_at"), _COLUMNS.index("at"))
_INSERT = insert(_HIT)
_WORKSPACES = HotSelect(
    select(_WORKSPACE.c.id, _WORKSPACE.c.tracking_details).where(_WORKSPACE.c.id.in_(bindparam("ids", expanding=True)))
)
