"""Messages of which nobody knows whether they arrived: shown for a decision, never sent again by themselves."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import select, update
from sqlmodel import Session

from fluenzr_app.campaigns.models import Campaign, Enrollment
from fluenzr_app.db.tables import table_of
from fluenzr_app.sending.errors import NotUncertain, UnknownMessage
from fluenzr_app.sending.models import Message
from fluenzr_app.sending.origin import Origin
from fluenzr_app.sending.rows import as_message, select_messages
from fluenzr_app.sending.settle import settle
from fluenzr_app.sending.values import Outcome, OutcomeKind

_MESSAGE = table_of(Message)
_ENROLLMENT = table_of(Enrollment)
_CAMPAIGN = table_of(Campaign)
Decision = Literal["sent", "again"]


@dataclass(frozen=True, slots=True)
class UncertainMessage:
    """A message that waits for a decision; `rfc_id` is what to look for in the mailbox's Sent folder."""

    id: int
    campaign_id: int
    campaign_name: str
    to_address: str
    subject: str
    rfc_id: str


def list_uncertain(session: Session, workspace_id: int, limit: int = 100) -> list[UncertainMessage]:
    """Return the workspace's uncertain messages, oldest first."""
    rows = session.connection().execute(
        select(
            _MESSAGE.c.id,
            _MESSAGE.c.campaign_id,
            _CAMPAIGN.c.name,
            _MESSAGE.c.to_address,
            _MESSAGE.c.subject,
            _MESSAGE.c.rfc_id,
        )
        .join_from(_MESSAGE, _CAMPAIGN, _CAMPAIGN.c.id == _MESSAGE.c.campaign_id)
        .where(
            _CAMPAIGN.c.workspace_id == workspace_id,
            _MESSAGE.c.workspace_id == workspace_id,
            _MESSAGE.c.status == "uncertain",
        )
        .order_by(_MESSAGE.c.id)
        .limit(limit)
    )
    return [UncertainMessage(*row) for row in rows]


def was_sent(session: Session, message_id: int, origins: Mapping[str, Origin], now: datetime) -> bool:
    """Settle an uncertain message of which there is proof that it left; False when it is uncertain no more."""
    row = (
        session.connection()
        .execute(
            select_messages()
            .add_columns(_MESSAGE.c.subject)
            .where(_MESSAGE.c.id == message_id, _MESSAGE.c.status == "uncertain")
            .with_for_update()
        )
        .first()
    )
    if row is None:
        return False
    message = as_message(row[:-1])
    outcome = Outcome(message, message.attempts, OutcomeKind.ACCEPTED, now, row.subject, None, "found to have arrived")
    settle(session, origins, [outcome], now)
    return True


def decide(
    session: Session, workspace_id: int, message_id: int, decision: Decision, origin: Origin, now: datetime
) -> None:
    """End the uncertainty as somebody decided: it counts as sent, or is sent again with the same Message-ID.

    Raises UnknownMessage, and NotUncertain when the matter was settled in the meantime.
    """
    row = (
        session.connection()
        .execute(
            select_messages()
            .add_columns(_MESSAGE.c.status, _MESSAGE.c.subject)
            .where(_MESSAGE.c.id == message_id, _MESSAGE.c.workspace_id == workspace_id)
            .with_for_update()
        )
        .first()
    )
    if row is None:
        raise UnknownMessage("There is no such message.")
    if row.status != "uncertain":
        raise NotUncertain("This message does not wait for a decision any more.")
    message = as_message(row[:-2])
    if decision == "sent":
        outcome = Outcome(message, message.attempts, OutcomeKind.ACCEPTED, now, row.subject, None, "decided by a user")
        settle(session, {origin.kind: origin}, [outcome], now)
        return
    session.connection().execute(
        update(_MESSAGE)
        .where(_MESSAGE.c.id == message_id, _MESSAGE.c.status == "uncertain")
        .values(status="queued", due_at=now, reason="", detail="")
    )
    session.connection().execute(
        update(_ENROLLMENT).where(_ENROLLMENT.c.id == message.enrollment_id).values(wait_code="queued")
    )
