"""What happened between the workspace and one contact: its mails and what came of them (contacts.md, Fields)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from fluenzr_app.campaigns.models import Campaign
from fluenzr_app.events.models import Event
from fluenzr_app.sending.models import Message


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One thing that happened; `subject` and `campaign` are empty where it has none. `machine`: no person did it."""

    id: int
    type: str
    at: datetime
    subject: str
    campaign_id: int | None
    campaign: str
    machine: bool
    data: Mapping[str, Any] = field(default_factory=dict)


def history_of_contact(
    session: Session, workspace_id: int, contact_id: int, *, limit: int = 30, types: Collection[str] = ()
) -> tuple[HistoryLine, ...]:
    """Return the contact's events, newest first, at most `limit` of them; of these `types` alone where some are given.

    What a person clicked is told link by link, what machines clicked in a mail as one line.
    """
    wanted = [col(Event.type).in_(types)] if types else []
    statement = (
        select(
            col(Event.id), col(Event.type), col(Event.at), col(Message.subject), col(Event.campaign_id),
            col(Campaign.name), col(Event.machine), col(Event.data),
        )
        .outerjoin(Message, and_(col(Message.id) == col(Event.message_id), col(Message.workspace_id) == workspace_id))
        .outerjoin(
            Campaign, and_(col(Campaign.id) == col(Event.campaign_id), col(Campaign.workspace_id) == workspace_id)
        )
        .where(col(Event.workspace_id) == workspace_id, col(Event.contact_id) == contact_id)
        .where(~_told_elsewhere(), *wanted)
        .order_by(col(Event.at).desc(), col(Event.id).desc())
        .limit(limit)
    )  # fmt: skip
    rows = session.connection().execute(statement).all()
    return tuple(
        HistoryLine(key or 0, kind, at, subject or "", campaign, name or "", machine, data or {})
        for key, kind, at, subject, campaign, name, machine, data in rows
    )


def _told_elsewhere() -> ColumnElement[bool]:
    """Hold for the click in a mail whose links are told, and for each link that a machine fetched."""
    link = aliased(Event)
    same_click = (
        col(link.contact_id) == col(Event.contact_id),
        col(link.message_id) == col(Event.message_id),
        col(link.type) == "email.link_clicked",
        col(link.machine).is_(False),
    )
    of_person = and_(col(Event.type) == "email.clicked", col(Event.machine).is_(False), exists().where(*same_click))
    return or_(of_person, and_(col(Event.type) == "email.link_clicked", col(Event.machine).is_(True)))
