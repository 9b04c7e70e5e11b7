"""A restored backup sends nothing by itself (campaigns.md, guarantee 10).

The database carries a growing generation with a random mark; the data directory keeps the last ones it has seen.
While mail is sent the generation grows every ten seconds, written to the file first and to the database
second, so that a copy of the database from before is recognised wherever it comes from.
"""

import json
import os
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, select

from fluenzr_app.sending.models import Installation
from fluenzr_app.sending.workers import live_workers

FILE = "generations.json"
_KEPT = 20
GROWS_EVERY = timedelta(seconds=10)
STILL_FOR = timedelta(hours=72)


@dataclass(frozen=True, slots=True)
class Hold:
    """Why and since when everything due waits: `restored` or `stood_still`."""

    reason: str
    since: datetime


def installation(session: Session) -> Installation:
    """Return the installation's row, made when there is none."""
    row = session.get(Installation, 1)
    if row is None:
        # Two workers may begin with the same fresh database at the same moment; the later one waits and finds the row.
        fresh = Installation(id=1).model_dump()
        insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
        session.connection().execute(insert(Installation).values(fresh).on_conflict_do_nothing())
        row = session.get_one(Installation, 1)
    return row


def hold_of(session: Session) -> Hold | None:
    """Return why nothing may leave, or None."""
    row = session.get(Installation, 1)
    if row is None or row.held_since is None:
        return None
    return Hold(row.held_reason, row.held_since)


def check(session: Session, data_dir: Path, wall: datetime, *, may_join: bool) -> Hold | None:
    """Compare database and data directory, hold everything on a mismatch, and return the hold that is in force.

    `wall` is wall-clock time. Where workers of several machines share a database (`may_join`), a new data directory is
    believed while another one gives signs of life; without one it is a restored database. A SQLite file has one worker,
    so that a heartbeat of seconds ago in it only tells when it was copied.
    """
    row = _locked(session)
    if row.held_since is not None:
        return Hold(row.held_reason, row.held_since)
    seen = _read(data_dir)
    if len(seen) > 1 and seen[-1] == (row.generation, row.mark):
        # The last growth is known to be stored, so no earlier state is the true one any more.
        _write(data_dir, [seen[-1]])
    reason = ""
    joins = may_join and not seen and live_workers(session, wall) > 1
    if _mismatch(row, seen) and not joins:
        reason = "restored"
    elif row.beat_at is not None and wall - row.beat_at > STILL_FOR:
        reason = "stood_still"
    if not reason:
        return None
    hold(session, reason, wall)
    return Hold(reason, wall)


def hold(session: Session, reason: str, wall: datetime) -> None:
    """Let everything due wait until `release`."""
    row = installation(session)
    row.held_since, row.held_reason = wall, reason
    session.add(row)


def grow(session: Session, data_dir: Path, wall: datetime) -> None:
    """Move on to the next generation, in the file first: a crash in between leaves the file ahead by one known mark."""
    row = _locked(session)
    seen = _read(data_dir)
    number, mark = row.generation + 1, secrets.token_hex(8)
    # The one before stays valid, for the case that the commit below never happens.
    kept = [entry for entry in seen if entry[0] <= row.generation][-_KEPT:]
    if (row.generation, row.mark) not in kept and row.mark:
        kept.append((row.generation, row.mark))
    _write(data_dir, [*kept, (number, mark)])
    row.generation, row.mark, row.beat_at = number, mark, wall
    session.add(row)


def release(session: Session, data_dir: Path, wall: datetime) -> Hold | None:
    """End the hold, take the database as it is for the true one, and return the hold that ended (None: none was)."""
    row = installation(session)
    held = None if row.held_since is None else Hold(row.held_reason, row.held_since)
    row.held_since, row.held_reason = None, ""
    _write(data_dir, [])
    row.generation += 1000
    grow(session, data_dir, wall)
    return held


def _locked(session: Session) -> Installation:
    # Workers that share a data directory write the file one after the other, under this row's lock.
    installation(session)
    return session.exec(select(Installation).where(Installation.id == 1).with_for_update()).one()


def _mismatch(row: Installation, seen: list[tuple[int, str]]) -> bool:
    if row.generation == 0:
        # A database that never sent: nothing in it could go out twice.
        return False
    if not seen:
        return True
    last_number = seen[-1][0]
    if row.generation > last_number:
        # Another machine moved it on since this one last looked.
        return False
    # The last mark of the file may be one that never reached the database.
    return (row.generation, row.mark) not in seen[-2:]


def _read(data_dir: Path) -> list[tuple[int, str]]:
    try:
        entries = json.loads((data_dir / FILE).read_text())
        return [(int(number), str(mark)) for number, mark in entries]
    except FileNotFoundError:
        return []
    except (ValueError, TypeError):
        # An unreadable file says nothing about the database; that is a mismatch, not a licence to send.
        return []


def _write(data_dir: Path, entries: list[tuple[int, str]]) -> None:
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = data_dir / f".{FILE}.new"
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(entries, file)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(data_dir / FILE)
