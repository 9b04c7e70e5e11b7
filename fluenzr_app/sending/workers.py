"""Who sends: a worker's slot, its heartbeat, and taking back what dead workers held (campaigns.md, The engine)."""

import fcntl
import os
import socket
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import ColumnElement, delete, exists, select, update
from sqlmodel import Session

from fluenzr_app.db.tables import table_of
from fluenzr_app.sending.errors import SenderBusy
from fluenzr_app.sending.models import Message, Worker
from fluenzr_app.sending.origin import Origin
from fluenzr_app.sending.rows import IN_HAND
from fluenzr_app.sending.settle import mark_lost_attempts_uncertain

_MESSAGE = table_of(Message)
_WORKER = table_of(Worker)
SILENT_AFTER = timedelta(seconds=30)
_SLOTS = 64


class WorkerSlot:
    """A numbered place in the data directory, held by a file lock for as long as the process lives.

    The lock goes with the process however it dies, so a restarted worker that gets the same slot knows that its
    predecessor is gone and takes its claims back at once, without waiting for 30 s of silence.
    """

    def __init__(self, number: int, descriptor: int) -> None:
        self.number = number
        self._descriptor = descriptor

    @classmethod
    def take(cls, data_dir: Path, *, only_one: bool) -> "WorkerSlot":
        """Return the first free slot; raises SenderBusy when there is none (`only_one`: SQLite has just one)."""
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        for number in range(1 if only_one else _SLOTS):
            descriptor = os.open(data_dir / f"sender-{number}.lock", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                continue
            return cls(number, descriptor)
        raise SenderBusy(f"another process sends with the data directory {data_dir} already; stop it first")

    def name(self, data_dir: Path) -> str:
        """Return what this slot is called in the database: the same after a restart, different on other machines."""
        return f"{socket.gethostname()}:{data_dir.resolve()}:{self.number}"

    def free(self) -> None:
        """Give the slot back."""
        os.close(self._descriptor)


def enlist(session: Session, name: str, origins: Mapping[str, Origin], wall: datetime, now: datetime) -> int:
    """Return the id of a new worker called `name`, after taking back what an earlier one of that name held.

    `wall` is wall-clock time: heartbeats are compared with it, also where the engine runs on a virtual clock.
    """
    earlier = list(session.connection().execute(select(_WORKER.c.id).where(_WORKER.c.name == name)).scalars())
    if earlier:
        take_back(session, earlier, origins, now)
        session.connection().execute(delete(_WORKER).where(_WORKER.c.id.in_(earlier)))
    worker = Worker(name=name, started_at=wall, beat_at=wall)
    session.add(worker)
    session.flush()
    if worker.id is None:
        raise AssertionError("a stored worker has an id")
    return worker.id


def beat(session: Session, worker_id: int, wall: datetime) -> bool:
    """Note that the worker lives; return False when it was taken for dead and has to enlist again."""
    changed = session.connection().execute(update(_WORKER).where(_WORKER.c.id == worker_id).values(beat_at=wall))
    return changed.rowcount == 1


_ORPHANED = select(_MESSAGE.c.worker_id).where(
    IN_HAND,
    _MESSAGE.c.worker_id.is_not(None),
    ~exists().where(_WORKER.c.id == _MESSAGE.c.worker_id),
)


def bury_silent(session: Session, origins: Mapping[str, Origin], wall: datetime, now: datetime) -> int:
    """Take back what workers silent for 30 s held; return how many workers that were."""
    silent = list(
        session.connection()
        .execute(select(_WORKER.c.id).where(_WORKER.c.beat_at < wall - SILENT_AFTER).with_for_update(skip_locked=True))
        .scalars()
    )
    # Also what a worker claimed in a transaction that ended after it had been taken for dead: nobody would miss it.
    orphaned = set(session.connection().execute(_ORPHANED).scalars())
    if silent or orphaned:
        take_back(session, sorted({*silent, *orphaned}), origins, now)
        session.connection().execute(delete(_WORKER).where(_WORKER.c.id.in_(silent)))
    return len(silent)


def take_back(
    session: Session,
    worker_ids: list[int],
    origins: Mapping[str, Origin],
    now: datetime,
    *,
    account_id: int | None = None,
) -> None:
    """Put the claims of these workers back into the queue and make what they were sending uncertain.

    With `account_id` only what leaves from that account.
    """
    held: list[ColumnElement[bool]] = [_MESSAGE.c.worker_id.in_(worker_ids)]
    if account_id is not None:
        held.append(_MESSAGE.c.account_id == account_id)
    session.connection().execute(
        update(_MESSAGE).where(*held, IN_HAND, _MESSAGE.c.status == "claimed").values(status="queued", worker_id=None)
    )
    mark_lost_attempts_uncertain(session, origins, held, now)


def retire(session: Session, worker_id: int, origins: Mapping[str, Origin], now: datetime) -> None:
    """Leave in good order: nothing is in hand any more, so nothing becomes uncertain."""
    take_back(session, [worker_id], origins, now)
    session.connection().execute(delete(_WORKER).where(_WORKER.c.id == worker_id))


def live_workers(session: Session, wall: datetime) -> int:
    """Return how many workers gave a sign within the last 30 s."""
    rows = session.connection().execute(select(_WORKER.c.id).where(_WORKER.c.beat_at >= wall - SILENT_AFTER))
    return len(rows.all())
