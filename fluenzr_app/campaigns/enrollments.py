"""Enrollments: adding contacts, ending walks, and the counts by status that change with them."""

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import Session

from fluenzr_app.campaigns.models import Enrollment, EnrollmentCount
from fluenzr_app.contacts.models import Contact
from fluenzr_app.contacts.suppression import suppressed_contacts
from fluenzr_app.db.tables import table_of
from fluenzr_app.db.types import UtcDateTime
from fluenzr_app.sending.models import Message

_ENROLLMENT = table_of(Enrollment)
_COUNT = table_of(EnrollmentCount)
_CONTACT = table_of(Contact)
_MESSAGE = table_of(Message)

WALKING = ("pending", "in_progress")


def _addition(build: Any) -> Any:
    statement = build(_COUNT)
    return statement.on_conflict_do_update(
        index_elements=["campaign_id", "status"], set_={"n": _COUNT.c.n + statement.excluded.n}
    )


# Built once: it accompanies every settlement.
_ADD = {"sqlite": _addition(sqlite_insert), "postgresql": _addition(postgresql_insert)}
# campaign, status: how many more enrollments there are of it.
Moves = Counter[tuple[int, str]]


class Enrolled:
    """What adding contacts to a campaign did, by contact id; `skipped` says why (already_enrolled, suppressed, …)."""

    def __init__(self) -> None:
        self.added: list[int] = []
        self.revived: list[int] = []
        self.skipped: dict[int, str] = {}


def count_moves(session: Session, moves: Mapping[tuple[int, str], int]) -> None:
    """Add `moves` to the counts by status, in key order, so that two workers never wait for each other in a circle."""
    rows = [
        {"campaign_id": campaign_id, "status": status, "n": n}
        for (campaign_id, status), n in sorted(moves.items())
        if n
    ]
    if not rows:
        return
    connection = session.connection()
    connection.execute(_ADD[connection.dialect.name], rows)


def counts_by_status(session: Session, campaign_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """Return for each campaign how many enrollments have each status; a status without any is left out."""
    rows = session.connection().execute(
        select(_COUNT.c.campaign_id, _COUNT.c.status, _COUNT.c.n).where(_COUNT.c.campaign_id.in_(list(campaign_ids)))
    )
    result: dict[int, dict[str, int]] = {campaign_id: {} for campaign_id in campaign_ids}
    for row in rows:
        if row.n:
            result[row.campaign_id][row.status] = row.n
    return result


def enroll(
    session: Session, workspace_id: int, campaign_id: int, contact_ids: Sequence[int], now: datetime, rng: random.Random
) -> Enrolled:
    """Enroll contacts of the workspace, at most a few thousand a call; removed ones are revived where they stood.

    Skipped are contacts that do not exist here, are not active or on the suppression list, and those enrolled already.
    """
    result = Enrolled()
    wanted = list(dict.fromkeys(contact_ids))
    known = _statuses(session, workspace_id, wanted)
    suppressed = suppressed_contacts(session, workspace_id, wanted) if wanted else set()
    existing = _existing(session, campaign_id, wanted)
    rows = []
    for contact_id in wanted:
        if contact_id not in known:
            result.skipped[contact_id] = "not_found"
        elif contact_id in suppressed:
            result.skipped[contact_id] = "suppressed"
        elif known[contact_id] != "active":
            result.skipped[contact_id] = known[contact_id]
        elif contact_id in existing and existing[contact_id].status != "removed":
            result.skipped[contact_id] = "already_enrolled"
        elif contact_id in existing:
            result.revived.append(contact_id)
        else:
            rows.append(_new_row(workspace_id, campaign_id, contact_id, now, rng))
            result.added.append(contact_id)
    if rows:
        session.connection().execute(insert(_ENROLLMENT), rows)
    moves: Moves = Counter({(campaign_id, "pending"): len(rows)})
    moves.update(_revive(session, campaign_id, [existing[contact_id] for contact_id in result.revived], now))
    count_moves(session, moves)
    return result


def stop_contact(
    session: Session,
    workspace_id: int,
    contact_id: int,
    status: str,
    reason: str,
    now: datetime,
    *,
    matched: int | None = None,
) -> int:
    """End every walk of a contact in the workspace and take its waiting messages back; return how many ended.

    With `matched`, that enrollment gets `status` and the others are `removed` for `reason` (campaigns.md,
    Enrollment); without it all get `status`. A completed walk is replaced too.
    """
    rows = (
        session.connection()
        .execute(
            select(_ENROLLMENT.c.id, _ENROLLMENT.c.campaign_id, _ENROLLMENT.c.status)
            .where(
                _ENROLLMENT.c.contact_id == contact_id,
                _ENROLLMENT.c.workspace_id == workspace_id,
                _ENROLLMENT.c.status.in_((*WALKING, "completed")),
            )
            .order_by(_ENROLLMENT.c.id)
            .with_for_update()
        )
        .all()
    )
    ends = []
    for row in rows:
        new = status if matched is None or row.id == matched else "removed"
        if not (row.status == "completed" and new == "removed"):
            ends.append((row, new))
    end_walks(session, [(row.id, row.campaign_id, row.status, new, reason) for row, new in ends], now)
    return len(ends)


def end_walks(session: Session, ends: Iterable[tuple[int, int, str, str, str]], now: datetime) -> None:
    """End walks: (enrollment, campaign, present status, new status, reason); their queued messages are cancelled."""
    listed = list(ends)
    if not listed:
        return
    connection = session.connection()
    connection.execute(
        _END,
        [{"row_id": row[0], "new_status": row[3], "new_reason": row[4], "at": now} for row in listed],
    )
    connection.execute(
        update(_MESSAGE)
        .where(_MESSAGE.c.enrollment_id.in_([row[0] for row in listed]), _MESSAGE.c.status == "queued")
        .values(status="cancelled", reason=listed[0][4])
    )
    moves: Moves = Counter()
    for _, campaign_id, before, after, _reason in listed:
        moves[(campaign_id, before)] -= 1
        moves[(campaign_id, after)] += 1
    count_moves(session, moves)


_END = (
    update(_ENROLLMENT)
    .where(_ENROLLMENT.c.id == bindparam("row_id"))
    .values(
        status=bindparam("new_status"),
        end_reason=bindparam("new_reason"),
        wait_code="",
        due_at=None,
        ended_at=bindparam("at", type_=UtcDateTime()),
        updated_at=bindparam("at", type_=UtcDateTime()),
    )
)


def _statuses(session: Session, workspace_id: int, contact_ids: Sequence[int]) -> dict[int, str]:
    rows = session.connection().execute(
        select(_CONTACT.c.id, _CONTACT.c.status).where(
            _CONTACT.c.workspace_id == workspace_id, _CONTACT.c.id.in_(list(contact_ids))
        )
    )
    return {row.id: row.status for row in rows}


def _existing(session: Session, campaign_id: int, contact_ids: Sequence[int]) -> dict[int, Any]:
    rows = session.connection().execute(
        select(_ENROLLMENT.c.id, _ENROLLMENT.c.contact_id, _ENROLLMENT.c.status, _ENROLLMENT.c.account_id).where(
            and_(_ENROLLMENT.c.campaign_id == campaign_id, _ENROLLMENT.c.contact_id.in_(list(contact_ids)))
        )
    )
    return {row.contact_id: row for row in rows}


def _new_row(
    workspace_id: int, campaign_id: int, contact_id: int, now: datetime, rng: random.Random
) -> dict[str, object]:
    # No node yet: where the walk begins is read from the workflow when its turn comes, so that a draft may change.
    return {
        "workspace_id": workspace_id,
        "campaign_id": campaign_id,
        "contact_id": contact_id,
        "status": "pending",
        "due_at": now,
        "wait_code": "",
        "end_reason": "",
        "seed": rng.getrandbits(62),
        "created_at": now,
        "updated_at": now,
    }


def _revive(session: Session, campaign_id: int, rows: Sequence[Any], now: datetime) -> Moves:
    moves: Moves = Counter()
    if not rows:
        return moves
    ids = [row.id for row in rows]
    connection = session.connection()
    # A step that was cancelled before its first attempt may be queued again; one that was tried may not.
    connection.execute(
        delete(_MESSAGE).where(
            _MESSAGE.c.enrollment_id.in_(ids), _MESSAGE.c.status == "cancelled", _MESSAGE.c.attempts == 0
        )
    )
    # What had been tried and put off goes back as the same message, with the same Message-ID.
    tried = set(
        connection.execute(
            select(_MESSAGE.c.enrollment_id).where(_MESSAGE.c.enrollment_id.in_(ids), _MESSAGE.c.status == "cancelled")
        ).scalars()
    )
    connection.execute(
        update(_MESSAGE)
        .where(_MESSAGE.c.enrollment_id.in_(tried), _MESSAGE.c.status == "cancelled")
        .values(status="queued", due_at=now, reason="")
    )
    for row in rows:
        status = "in_progress" if _was_written_to(session, row.id) else "pending"
        connection.execute(
            update(_ENROLLMENT)
            .where(_ENROLLMENT.c.id == row.id, _ENROLLMENT.c.status == "removed")
            .values(
                status=status,
                end_reason="",
                ended_at=None,
                due_at=None if row.id in tried else now,
                updated_at=now,
                account_id=row.account_id if status == "in_progress" else None,
            )
        )
        moves[(campaign_id, "removed")] -= 1
        moves[(campaign_id, status)] += 1
    return moves


def _was_written_to(session: Session, enrollment_id: int) -> bool:
    sent = select(_MESSAGE.c.id).where(_MESSAGE.c.enrollment_id == enrollment_id, _MESSAGE.c.attempts > 0).limit(1)
    return session.connection().execute(sent).first() is not None
