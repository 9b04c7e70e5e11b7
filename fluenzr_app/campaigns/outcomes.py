"""What the end of an attempt means for the walk it belongs to."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo

from sqlalchemy import bindparam, select, update
from sqlmodel import Session

from fluenzr_app.campaigns.content import CONTENT_FAULTS
from fluenzr_app.campaigns.enrollments import WALKING, Moves, count_moves, end_walks, stop_contact
from fluenzr_app.campaigns.models import Enrollment
from fluenzr_app.campaigns.plans import Plan, Plans
from fluenzr_app.campaigns.zones import zone_of_contact
from fluenzr_app.contacts.models import Contact
from fluenzr_app.contacts.suppression import suppress_contact
from fluenzr_app.db.hot import HotStatement
from fluenzr_app.db.tables import table_of
from fluenzr_app.db.types import UtcDateTime
from fluenzr_app.mail.addresses import email_key
from fluenzr_app.sending.values import QueuedMessage, Settled, Settlement

_ENROLLMENT = table_of(Enrollment)
_CONTACT = table_of(Contact)
FIRST_MAIL = 1

_NEXT = HotStatement(
    lambda _: (
        update(_ENROLLMENT)
        .where(
            _ENROLLMENT.c.id == bindparam("row_id"),
            _ENROLLMENT.c.node_id == bindparam("node"),
            _ENROLLMENT.c.status == bindparam("before"),
        )
        .values(
            status=bindparam("after"),
            node_id=bindparam("next_node"),
            due_at=bindparam("next_due", type_=UtcDateTime()),
            wait_code=bindparam("code"),
            ended_at=bindparam("ended", type_=UtcDateTime()),
            updated_at=bindparam("at", type_=UtcDateTime()),
        )
    )
)
# A walk that has ended meanwhile (an answer came before our own settlement) waits for nothing.
_WAIT = (
    update(_ENROLLMENT)
    .where(_ENROLLMENT.c.id == bindparam("row_id"), _ENROLLMENT.c.ended_at.is_(None))
    .values(wait_code=bindparam("code"))
)
# Reasons for which a message was cancelled that end the walk, and how it ends.
_ENDS = {
    "suppressed": "unsubscribed",
    "unsubscribed": "unsubscribed",
    "bounced": "bounced",
    "blocked": "removed",
    "archived": "removed",
    "replied_elsewhere": "removed",
    "contact_deleted": "removed",
    **dict.fromkeys(CONTENT_FAULTS, "error"),
}


def move_on(session: Session, plans: Plans, settlements: Sequence[Settlement], now: datetime) -> None:
    """Move each settled message's walk to its next step, into waiting, or to its end."""
    sent = [each for each in settlements if each.result is Settled.SENT]
    if sent:
        _advance(session, plans, sent, now)
    waits = {Settled.RETRY: "soft_bounce", Settled.UNCERTAIN: "uncertain", Settled.REQUEUED: "queued"}
    rows = [
        {"row_id": each.outcome.message.enrollment_id, "code": waits[each.result]}
        for each in settlements
        if each.result in waits
    ]
    if rows:
        session.connection().execute(_WAIT, rows)
    for each in settlements:
        if each.result is Settled.BOUNCED:
            bounce_contact(session, each.outcome.message, now)
        elif each.result is Settled.REJECTED:
            _end(session, {each.outcome.message: "rejected"}, {"rejected": "error"}, now)


def end_cancelled(session: Session, messages: Mapping[QueuedMessage, str], now: datetime) -> None:
    """End the walks of cancelled messages where the reason says so; a content fault ends as an error."""
    _end(session, messages, _ENDS, now)
    _send_on(session, [message for message, reason in messages.items() if reason == "step_gone"], now)


def _send_on(session: Session, messages: Sequence[QueuedMessage], now: datetime) -> None:
    """Let walks whose mail was removed from the workflow look for their next one."""
    for message in messages:
        values: dict[str, object] = {"due_at": now, "wait_code": ""}
        if message.priority == FIRST_MAIL and message.attempts == 0:
            values |= {"account_id": None, "node_id": None}
        session.connection().execute(
            update(_ENROLLMENT)
            .where(
                _ENROLLMENT.c.id == message.enrollment_id,
                _ENROLLMENT.c.node_id == message.node_id,
                _ENROLLMENT.c.status.in_(WALKING),
            )
            .values(**values)
        )


def _advance(session: Session, plans: Plans, settlements: Sequence[Settlement], now: datetime) -> None:
    messages = [each.outcome.message for each in settlements]
    by_campaign = plans.of(session, sorted({message.campaign_id for message in messages if message.campaign_id}))
    zones = _contact_zones(session, by_campaign, messages)
    rows: list[dict[str, object]] = []
    for each in settlements:
        message = each.outcome.message
        plan = by_campaign[message.campaign_id or 0]
        zone = zones.get(message.contact_id or 0, plan.zone)
        step = plan.step_after(message.node_id or 0, each.outcome.at, zone)
        ends = step.node_id is None
        rows.append(
            {
                "row_id": message.enrollment_id,
                "node": message.node_id,
                "before": "pending" if message.priority == FIRST_MAIL else "in_progress",
                "after": "completed" if ends else "in_progress",
                "next_node": step.node_id,
                "next_due": step.due_at,
                "code": "" if ends else "delay",
                "ended": each.outcome.at if ends else None,
                "at": each.outcome.at,
            }
        )
    changed = _NEXT.run(session.connection(), rows)
    if changed != len(rows):
        changed += _move_others(session, rows)
    moved = rows if changed == len(rows) else _really_moved(session, rows)
    moves: Moves = Counter()
    campaigns = {message.enrollment_id: message.campaign_id or 0 for message in messages}
    for row in moved:
        if row["before"] != row["after"]:
            campaign_id = campaigns[row["row_id"]]  # type: ignore[index]
            moves[(campaign_id, str(row["before"]))] -= 1
            moves[(campaign_id, str(row["after"]))] += 1
    count_moves(session, moves)


def _move_others(session: Session, rows: Sequence[dict[str, object]]) -> int:
    """Move the walks whose state the kind of mail did not tell: its first mail may have been a later step."""
    connection = session.connection()
    found = connection.execute(
        select(_ENROLLMENT.c.id, _ENROLLMENT.c.node_id, _ENROLLMENT.c.status).where(
            _ENROLLMENT.c.id.in_([row["row_id"] for row in rows]), _ENROLLMENT.c.status.in_(WALKING)
        )
    )
    standing = {(row.id, row.node_id): row.status for row in found}
    others = [row for row in rows if (row["row_id"], row["node"]) in standing]
    for row in others:
        row["before"] = standing[(row["row_id"], row["node"])]
    return _NEXT.run(connection, others) if others else 0


def _really_moved(session: Session, rows: Sequence[dict[str, object]]) -> list[dict[str, object]]:
    """Return the rows that took their step; the others had ended in the meantime (an answer, an unsubscribe)."""
    moved = []
    stamps = dict(
        session.connection()
        .execute(
            select(_ENROLLMENT.c.id, _ENROLLMENT.c.updated_at).where(
                _ENROLLMENT.c.id.in_([row["row_id"] for row in rows]),
                _ENROLLMENT.c.status.in_(("in_progress", "completed")),
            )
        )
        .all()
    )
    for row in rows:
        if stamps.get(row["row_id"]) == row["at"]:
            moved.append(row)
    return moved


def _contact_zones(session: Session, plans: Mapping[int, Plan], messages: Sequence[QueuedMessage]) -> dict[int, tzinfo]:
    wanted = {
        message.contact_id: plans[message.campaign_id or 0]
        for message in messages
        if message.contact_id and plans[message.campaign_id or 0].settings.use_contact_timezone
    }
    if not wanted:
        return {}
    rows = session.connection().execute(
        select(_CONTACT.c.id, _CONTACT.c.timezone, _CONTACT.c.country).where(_CONTACT.c.id.in_(list(wanted)))
    )
    return {row.id: zone_of_contact(row.timezone, row.country, wanted[row.id].settings.timezone) for row in rows}


def bounce_contact(session: Session, message: QueuedMessage, now: datetime) -> None:
    """Mark the contact at once, suppress its address and take it out of every campaign (symptoms.md, 18)."""
    if message.contact_id is None:
        return
    stop_contact(session, message.workspace_id, message.contact_id, "bounced", "hard_bounce", now)
    exists = select(_CONTACT.c.id).where(
        _CONTACT.c.id == message.contact_id, _CONTACT.c.workspace_id == message.workspace_id
    )
    if session.connection().execute(exists).first() is not None:
        suppress_contact(session, message.workspace_id, message.contact_id, "hard_bounce", now)


def bounce_if_theirs(session: Session, message: QueuedMessage, now: datetime) -> None:
    """Bounce the contact of a mail written by hand, unless it went to somebody else (whoever had answered for them)."""
    address = select(_CONTACT.c.email_key).where(
        _CONTACT.c.id == message.contact_id, _CONTACT.c.workspace_id == message.workspace_id
    )
    if session.connection().execute(address).scalar() == email_key(message.to_address):
        bounce_contact(session, message, now)


def _end(session: Session, messages: Mapping[QueuedMessage, str], ends: Mapping[str, str], now: datetime) -> None:
    reasons = {
        message.enrollment_id: (ends[reason], reason)
        for message, reason in messages.items()
        if reason in ends and message.enrollment_id is not None
    }
    if not reasons:
        return
    # Locked, as an answer may end the same walk in this moment: it ends once, as the first of them says.
    rows = session.connection().execute(
        select(_ENROLLMENT.c.id, _ENROLLMENT.c.campaign_id, _ENROLLMENT.c.status)
        .where(_ENROLLMENT.c.id.in_(list(reasons)), _ENROLLMENT.c.status.in_(("pending", "in_progress")))
        .order_by(_ENROLLMENT.c.id)
        .with_for_update()
    )
    end_walks(session, [(row.id, row.campaign_id, row.status, *reasons[row.id]) for row in rows.all()], now)
