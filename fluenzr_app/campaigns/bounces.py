"""A delivery report about a mail that had been accepted: the soft ladder, the hard end (campaigns.md, Soft bounce)."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import delete, exists, select, update
from sqlmodel import Session

from fluenzr_app.campaigns.enrollments import Moves, count_moves
from fluenzr_app.campaigns.models import Campaign, Enrollment
from fluenzr_app.campaigns.outcomes import bounce_contact, bounce_if_theirs
from fluenzr_app.contacts.models import Contact
from fluenzr_app.db.tables import table_of
from fluenzr_app.events.record import NewEvent, record
from fluenzr_app.sending.models import Message
from fluenzr_app.sending.rows import as_message, select_messages
from fluenzr_app.sending.settle import SOFT_BOUNCE_GAPS
from fluenzr_app.sending.values import QueuedMessage

_MESSAGE = table_of(Message)
_ENROLLMENT = table_of(Enrollment)
_CAMPAIGN = table_of(Campaign)
_CONTACT = table_of(Contact)
# States in which a later mail of the same walk shows that this one's story is over.
_LATER = ("claimed", "sending", "sent", "uncertain")
_WORDS = 500

BounceClass = Literal["hard", "soft", "delayed"]
Effect = Literal["bounced", "retry", "noted"]


@dataclass(frozen=True, slots=True)
class Bounce:
    """What a report says of one mail. `status` is its RFC 3463 code, `text` the server's words, `cause` our name."""

    bounce_class: BounceClass
    status: str = ""
    cause: str = ""
    text: str = ""


def apply_report(session: Session, message_id: int, bounce: Bounce, now: datetime) -> Effect:
    """Let a report about a sent message take effect, in the caller's transaction; return what it did.

    Hard, or soft for the fifth time: the contact is bounced at once. Soft: the same message is tried again later and
    its walk goes back to it, unless a later mail has left since. Delayed: nothing, the server is still trying.
    """
    row = (
        session.connection()
        .execute(select_messages().add_columns(_MESSAGE.c.status).where(_MESSAGE.c.id == message_id).with_for_update())
        .first()
    )
    if row is None:
        return "noted"
    message = as_message(row[:-1])
    if bounce.bounce_class == "delayed":
        _note(session, message, "email.delayed", f"email.delayed:{message.id}:{message.attempts}", bounce, now)
        return "noted"
    if message.kind != "campaign":
        return _about_an_answer(session, message, row.status, bounce, now)
    if bounce.bounce_class == "hard" or message.soft_bounces >= len(SOFT_BOUNCE_GAPS):
        return _hard(session, message, row.status, bounce, now)
    _note(session, message, "email.deferred", f"email.deferred:{message.id}:report:{message.soft_bounces}", bounce, now)
    if row.status == "sent" and _go_back(session, message, now):
        _queue_again(session, message, bounce, now)
        return "retry"
    return "noted"


def _hard(session: Session, message: QueuedMessage, status: str, bounce: Bounce, now: datetime) -> Effect:
    if status == "failed":
        return "noted"
    _note(session, message, "email.bounced", f"email.bounced:{message.id}:report", bounce, now)
    if status in ("sent", "uncertain", "queued"):
        _fail(session, message, bounce)
    bounce_contact(session, message, now)
    return "bounced"


def _about_an_answer(session: Session, message: QueuedMessage, status: str, bounce: Bounce, now: datetime) -> Effect:
    """A mail written by hand is shown as failed and left to its writer; a hard bounce marks the contact all the same.

    It may have gone to somebody else than the contact (whoever had answered); then only the mail has failed.
    """
    if status == "failed":
        return "noted"
    if status in ("sent", "uncertain"):
        _fail(session, message, bounce)
    if bounce.bounce_class == "hard":
        bounce_if_theirs(session, message, now)
    return "noted"


def _fail(session: Session, message: QueuedMessage, bounce: Bounce) -> None:
    reason = "hard_bounce" if bounce.bounce_class == "hard" or message.kind == "campaign" else "soft_bounce"
    session.connection().execute(
        update(_MESSAGE)
        .where(_MESSAGE.c.id == message.id)
        .values(status="failed", reason=reason, detail=bounce.text[:_WORDS], worker_id=None)
    )


def _go_back(session: Session, message: QueuedMessage, now: datetime) -> bool:
    """Let the walk wait at this message again; False where it has ended or has gone further already."""
    connection = session.connection()
    walk = connection.execute(
        select(
            _ENROLLMENT.c.id,
            _ENROLLMENT.c.status,
            _CAMPAIGN.c.status.label("campaign_status"),
            _CONTACT.c.status.label("contact_status"),
        )
        .join_from(_ENROLLMENT, _CAMPAIGN, _CAMPAIGN.c.id == _ENROLLMENT.c.campaign_id)
        .join(_CONTACT, _CONTACT.c.id == _ENROLLMENT.c.contact_id)
        .where(_ENROLLMENT.c.id == message.enrollment_id)
        .with_for_update(of=_ENROLLMENT)
    ).first()
    if walk is None or walk.campaign_status not in ("active", "paused"):
        return False
    # A completed walk stays completed when its contact answers elsewhere; the contact's state tells.
    if walk.contact_status != "active" or walk.status not in ("pending", "in_progress", "completed"):
        return False
    later = exists().where(
        _MESSAGE.c.enrollment_id == message.enrollment_id, _MESSAGE.c.id > message.id, _MESSAGE.c.status.in_(_LATER)
    )
    tried = exists().where(
        _MESSAGE.c.enrollment_id == message.enrollment_id, _MESSAGE.c.id > message.id, _MESSAGE.c.attempts > 0
    )
    if connection.execute(select(1).where(later | tried)).first() is not None:
        return False
    # A follow-up that only waits in the queue is queued anew once this one has arrived.
    connection.execute(
        delete(_MESSAGE).where(
            _MESSAGE.c.enrollment_id == message.enrollment_id,
            _MESSAGE.c.id > message.id,
            _MESSAGE.c.status == "queued",
            _MESSAGE.c.attempts == 0,
        )
    )
    connection.execute(
        update(_ENROLLMENT)
        .where(_ENROLLMENT.c.id == walk.id)
        .values(
            status="in_progress",
            node_id=message.node_id,
            due_at=None,
            wait_code="soft_bounce",
            ended_at=None,
            updated_at=now,
        )
    )
    moves: Moves = Counter({(message.campaign_id or 0, walk.status): -1})
    moves[(message.campaign_id or 0, "in_progress")] += 1
    count_moves(session, moves)
    return True


def _queue_again(session: Session, message: QueuedMessage, bounce: Bounce, now: datetime) -> None:
    session.connection().execute(
        update(_MESSAGE)
        .where(_MESSAGE.c.id == message.id, _MESSAGE.c.status == "sent")
        .values(
            status="queued",
            due_at=now + SOFT_BOUNCE_GAPS[message.soft_bounces],
            soft_bounces=message.soft_bounces + 1,
            # It goes on like a follow-up: the contact has been begun with.
            priority=0,
            reason="soft_bounce",
            detail=bounce.text[:_WORDS],
            worker_id=None,
        )
    )


def _note(session: Session, message: QueuedMessage, kind: str, key: str, bounce: Bounce, now: datetime) -> None:
    data = {
        "kind": bounce.bounce_class,
        "code": None,
        "status": bounce.status,
        "cause": bounce.cause,
        "text": bounce.text[:200],
        "report": True,
    }
    record(
        session,
        [
            NewEvent(
                workspace_id=message.workspace_id,
                type=kind,
                dedupe_key=key,
                at=now,
                message_id=message.id,
                contact_id=message.contact_id,
                campaign_id=message.campaign_id,
                account_id=message.account_id,
                node_id=message.node_id,
                data=data,
            )
        ],
    )
