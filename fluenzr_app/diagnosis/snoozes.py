"""Findings that somebody has put aside: until when, and what brings them back (symptoms.md)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from fluenzr_app.db.engine import Database
from fluenzr_app.db.tables import table_of
from fluenzr_app.diagnosis.errors import NoSuchFinding, SnoozeRefused
from fluenzr_app.diagnosis.facts import findings_of
from fluenzr_app.diagnosis.findings import Finding
from fluenzr_app.diagnosis.models import DiagnosisSnooze

_SNOOZE = table_of(DiagnosisSnooze)

LONGEST: Final = timedelta(days=90)
# Their beginning is that of the oldest of several things, and moves on as these go, without anything new.
_SINCE_MOVES: Final = frozenset({"contacts_bounced", "figures_behind"})

Key = tuple[str, str, int]
"""Code, kind of the subject, and its id (0 where there is one)."""


@dataclass(frozen=True, slots=True)
class Snoozed:
    """A finding that is put aside until then."""

    finding: Finding
    until: datetime


def key_of(finding: Finding) -> Key:
    """Return what tells a finding from others of its workspace."""
    return finding.code, finding.subject.kind, finding.subject.id or 0


def snooze(
    session: Session, workspace_id: int, finding: Finding, until: datetime, now: datetime, user_id: int | None = None
) -> None:
    """Put a finding of the workspace aside until then; raises SnoozeRefused for a time past or over 90 days ahead."""
    if not now < until <= now + LONGEST:
        raise SnoozeRefused("A diagnosis is put aside until a time within the next 90 days.")
    code, kind, subject_id = key_of(finding)
    row = {
        "workspace_id": workspace_id,
        "code": code,
        "subject_kind": kind,
        "subject_id": subject_id,
        "since": _fingerprint(finding),
        "until": until,
        "user_id": user_id,
        "created_at": now,
    }
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = insert(_SNOOZE).values(row)
    session.connection().execute(
        statement.on_conflict_do_update(
            index_elements=["workspace_id", "code", "subject_kind", "subject_id"],
            set_={name: statement.excluded[name] for name in ("since", "until", "user_id", "created_at")},
        )
    )


def snooze_found(
    session: Session,
    workspace_id: int,
    key: Key,
    until: datetime,
    now: datetime,
    wall: datetime | None = None,
    user_id: int | None = None,
) -> Finding:
    """Put aside what is found under `key` in the workspace, and return it; raises NoSuchFinding, SnoozeRefused."""
    found = next((each for each in findings_of(session, workspace_id, now, wall) if key_of(each) == key), None)
    if found is None:
        raise NoSuchFinding("There is no such diagnosis at present.")
    snooze(session, workspace_id, found, until, now, user_id)
    return found


def wake(session: Session, workspace_id: int, key: Key) -> bool:
    """Show a finding again that was put aside; return whether it was."""
    code, kind, subject_id = key
    gone = session.connection().execute(
        delete(_SNOOZE).where(
            _SNOOZE.c.workspace_id == workspace_id,
            _SNOOZE.c.code == code,
            _SNOOZE.c.subject_kind == kind,
            _SNOOZE.c.subject_id == subject_id,
        )
    )
    return gone.rowcount > 0


def parted(
    session: Session, workspace_id: int, findings: Sequence[Finding], now: datetime
) -> tuple[list[Finding], list[Snoozed]]:
    """Return the findings to show, and those that are put aside at `now`, each in their order."""
    rows = session.connection().execute(
        select(_SNOOZE).where(_SNOOZE.c.workspace_id == workspace_id, _SNOOZE.c.until > now)
    )
    snoozes: Mapping[Key, tuple[datetime | None, datetime]] = {
        (row.code, row.subject_kind, row.subject_id): (row.since, row.until) for row in rows
    }
    shown: list[Finding] = []
    aside: list[Snoozed] = []
    for finding in findings:
        since, until = snoozes.get(key_of(finding), (None, now))
        if until > now and _is_the_same(finding, since):
            aside.append(Snoozed(finding, until))
        else:
            shown.append(finding)
    return shown, aside


def forget_ended(session: Session, workspace_id: int, now: datetime, wall: datetime | None = None) -> int:
    """Forget what was put aside and is over, or whose cause has ended: should it come again, it is shown."""
    keys = [
        (row.code, row.subject_kind, row.subject_id)
        for row in session.connection().execute(select(_SNOOZE).where(_SNOOZE.c.workspace_id == workspace_id)).all()
    ]
    if not keys:
        return 0
    _, aside = parted(session, workspace_id, findings_of(session, workspace_id, now, wall), now)
    standing = {key_of(each.finding) for each in aside}
    return sum(wake(session, workspace_id, key) for key in keys if key not in standing)


def tick(db: Database, now: datetime, wall: datetime) -> int:
    """Forget in all workspaces what `forget_ended` forgets, each in a transaction of its own; return how many."""
    with db.read() as session:
        ids = list(session.connection().execute(select(_SNOOZE.c.workspace_id).distinct()).scalars())
    return sum(db.transact(forget_ended, workspace_id, now, wall) for workspace_id in ids)


def _fingerprint(finding: Finding) -> datetime | None:
    return None if finding.code in _SINCE_MOVES else finding.since


def _is_the_same(finding: Finding, since: datetime | None) -> bool:
    began = _fingerprint(finding)
    return since is None or began is None or began <= since
