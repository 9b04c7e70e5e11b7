"""Enrollments: adding contacts, ending walks, and the counts by status that change with them."""

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

from sqlalchemy import and_, case, delete, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import Session

from fluenzr_app.campaigns.models import Campaign, Enrollment, EnrollmentCount
from fluenzr_app.campaigns.plans import PLAN_ROWS, Plan, compile_plan
from fluenzr_app.campaigns.zones import zone_of_contact
from fluenzr_app.contacts.models import Contact
from fluenzr_app.contacts.stages import became_lead
from fluenzr_app.contacts.suppression import suppressed_contacts
from fluenzr_app.db.hot import HotStatement
from fluenzr_app.db.tables import table_of
from fluenzr_app.sending.models import Message

_CAMPAIGN = table_of(Campaign)
_ENROLLMENT = table_of(Enrollment)
_COUNT = table_of(EnrollmentCount)
_CONTACT = table_of(Contact)
_MESSAGE = table_of(Message)

WALKING = ("pending", "in_progress")
# Written out, as in the partial index of `models`, for SQLite to see that it is the same condition.
IS_WALKING = text("enrollment.status IN ('pending', 'in_progress')")
_AT_ONCE = 1_000
_UNDER_WAY = ("queued", "claimed", "sending", "uncertain")


def _addition(dialect: str) -> Any:
    statement = (sqlite_insert if dialect == "sqlite" else postgresql_insert)(_COUNT)
    return statement.on_conflict_do_update(
        index_elements=["campaign_id", "status"], set_={"n": _COUNT.c.n + statement.excluded.n}
    )


_ADD = HotStatement(_addition, ("campaign_id", "status", "n"))
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
    if rows:
        _ADD.run(session.connection(), rows)


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
    Who has no stage of the pipeline becomes a lead, unless the workspace has switched that off (contacts.md, Pipeline).
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
    # Before the inserts, which hold each contact in the order given: this takes them in the order of their keys.
    became_lead(session, workspace_id, [*result.added, *result.revived], now)
    if rows:
        session.connection().execute(insert(_ENROLLMENT), rows)
    moves: Moves = Counter({(campaign_id, "pending"): len(rows)})
    moves.update(revive(session, campaign_id, [existing[contact_id] for contact_id in result.revived], now))
    count_moves(session, moves)
    return result


def stop_contact(
    session: Session,
    workspace_id: int,
    contact_id: int,
    status: str,
    reason: str,
    now: datetime,
) -> int:
    """End every walk of a contact in the workspace and take its waiting messages back; return how many ended.

    A completed walk is replaced too, but not by `removed`. What a reply does is in `replies`.
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
    ends = [
        (row.id, row.campaign_id, row.status, status, reason)
        for row in rows
        if not (row.status == "completed" and status == "removed")
    ]
    end_walks(session, ends, now)
    return len(ends)


def end_walks(session: Session, ends: Iterable[tuple[int, int, str, str, str]], now: datetime) -> None:
    """End walks: (enrollment, campaign, present status, new status, reason); their queued messages are cancelled."""
    listed = list(ends)
    if not listed:
        return
    connection = session.connection()
    alike: dict[tuple[str, str], list[int]] = {}
    for row_id, _, _, status, reason in listed:
        alike.setdefault((status, reason), []).append(row_id)
    for (status, reason), ids in sorted(alike.items()):
        # A company may have thousands of contacts, and a statement takes so many values at most.
        for begin in range(0, len(ids), _AT_ONCE):
            part = ids[begin : begin + _AT_ONCE]
            connection.execute(
                _END.where(_ENROLLMENT.c.id.in_(part)).values(
                    status=status, end_reason=reason, ended_at=now, updated_at=now
                )
            )
            connection.execute(
                update(_MESSAGE)
                .where(_MESSAGE.c.enrollment_id.in_(part), _MESSAGE.c.status == "queued")
                .values(status="cancelled", reason=reason)
            )
    moves: Moves = Counter()
    for _, campaign_id, before, after, _reason in listed:
        moves[(campaign_id, before)] -= 1
        moves[(campaign_id, after)] += 1
    count_moves(session, moves)


_END = update(_ENROLLMENT).values(wait_code="", due_at=None)


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


def revive(session: Session, campaign_id: int, rows: Sequence[Any], now: datetime, ended: str = "removed") -> Moves:
    """Let walks that ended as `ended` go on where they stood, at the time at which their next step is due.

    `rows` have id, contact_id and account_id. The caller counts the moves that come back.
    """
    moves: Moves = Counter()
    if not rows:
        return moves
    ids = [row.id for row in rows]
    connection = session.connection()
    cancelled = (_MESSAGE.c.enrollment_id.in_(ids), _MESSAGE.c.status == "cancelled")
    # A step that was withdrawn before its first attempt is queued anew; one that was tried goes back as the same
    # message, with the same Message-ID and not before its time.
    connection.execute(delete(_MESSAGE).where(*cancelled, _MESSAGE.c.attempts == 0))
    connection.execute(
        update(_MESSAGE)
        .where(*cancelled)
        .values(status="queued", reason=case((_MESSAGE.c.soft_bounces > 0, "soft_bounce"), else_=""))
    )
    history = _histories(session, ids)
    plan = compile_plan(session, connection.execute(PLAN_ROWS.where(_CAMPAIGN.c.id == campaign_id)).one())
    zones = _zones(session, plan, [row.contact_id for row in rows])
    for row in rows:
        values = _where_it_stood(plan, zones[row.contact_id], history.get(row.id, ()), now)
        connection.execute(
            update(_ENROLLMENT)
            .where(_ENROLLMENT.c.id == row.id, _ENROLLMENT.c.status == ended)
            .values(end_reason="", updated_at=now, **values)
        )
        moves[(campaign_id, ended)] -= 1
        moves[(campaign_id, values["status"])] += 1
    return moves


def _where_it_stood(plan: Plan, zone: tzinfo, messages: Sequence[Any], now: datetime) -> dict[str, Any]:
    sent = [message for message in messages if message.status == "sent"]
    status = "in_progress" if sent else "pending"
    under_way = next((message for message in messages if message.status in _UNDER_WAY), None)
    if under_way is not None:
        code = "uncertain" if under_way.status == "uncertain" else "queued"
        return {"status": status, "node_id": under_way.node_id, "account_id": under_way.account_id, "due_at": None,
                "wait_code": code, "ended_at": None}  # fmt: skip
    if not sent:
        return {"status": status, "node_id": None, "account_id": None, "due_at": now, "wait_code": "", "ended_at": None}
    last = max(sent, key=lambda message: message.sent_at)
    step = plan.step_after(last.node_id, last.sent_at, zone)
    if step.node_id is None:
        return {"status": "completed", "node_id": None, "due_at": None, "wait_code": "", "ended_at": now}
    return {"status": status, "node_id": step.node_id, "account_id": last.account_id, "due_at": step.due_at,
            "wait_code": "delay", "ended_at": None}  # fmt: skip


def _histories(session: Session, enrollment_ids: Sequence[int]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    rows = session.connection().execute(
        select(
            _MESSAGE.c.enrollment_id, _MESSAGE.c.node_id, _MESSAGE.c.account_id, _MESSAGE.c.status, _MESSAGE.c.sent_at
        )
        .where(_MESSAGE.c.enrollment_id.in_(enrollment_ids))
        .order_by(_MESSAGE.c.id)
    )
    for row in rows:
        found.setdefault(row.enrollment_id, []).append(row)
    return found


def _zones(session: Session, plan: Plan, contact_ids: Sequence[int]) -> dict[int, tzinfo]:
    if not plan.settings.use_contact_timezone:
        return dict.fromkeys(contact_ids, plan.zone)
    rows = session.connection().execute(
        select(_CONTACT.c.id, _CONTACT.c.timezone, _CONTACT.c.country).where(_CONTACT.c.id.in_(contact_ids))
    )
    return {row.id: zone_of_contact(row.timezone, row.country, plan.settings.timezone) for row in rows}
