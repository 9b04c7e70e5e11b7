"""A reply or an automatic answer joins its conversation, which is unread again."""

from collections import Counter
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from fluenzr_app.db.tables import table_of
from fluenzr_app.db.types import AnyRow
from fluenzr_app.inbox import counts, search
from fluenzr_app.inbox.matching import Match
from fluenzr_app.inbox.models import Conversation, Inbound
from fluenzr_app.inbox.prepared import Prepared

_CONVERSATION = table_of(Conversation)
_INBOUND = table_of(Inbound)
_PREVIEW = 200


def note_arrival(session: Session, match: Match, prepared: Prepared, inbound_id: int, now: datetime) -> int:
    """Put a stored mail into the conversation with its contact and return the conversation's key."""
    connection = session.connection()
    conversation_id = _conversation(session, match, prepared, now)
    row = connection.execute(
        select(
            _CONVERSATION.c.status, _CONVERSATION.c.stop_asked_at, _CONVERSATION.c.last_inbound_at,
            _CONVERSATION.c.campaign_id, _CONVERSATION.c.enrollment_id,
        )
        .where(_CONVERSATION.c.id == conversation_id)
        .with_for_update()
    ).one()  # fmt: skip
    connection.execute(
        update(_CONVERSATION)
        .where(_CONVERSATION.c.id == conversation_id)
        .values(revision=_CONVERSATION.c.revision + 1, **_values(row, match, prepared, now))
    )
    connection.execute(update(_INBOUND).where(_INBOUND.c.id == inbound_id).values(conversation_id=conversation_id))
    counts.add(session, match.workspace_id, _moved(row.status))
    search.remember(session, conversation_id)
    return conversation_id


def _values(row: AnyRow, match: Match, prepared: Prepared, now: datetime) -> dict[str, Any]:
    automatic = prepared.automatic
    arrived = max(min(prepared.place.arrived_at, now), row.last_inbound_at)
    asked = now if prepared.asks_to_stop else (row.stop_asked_at if automatic is not None else None)
    return {
        "campaign_id": match.campaign_id or row.campaign_id,
        "enrollment_id": match.enrollment_id or row.enrollment_id,
        "subject": prepared.mail.subject,
        "preview": " ".join((prepared.split.new or prepared.mail.subject).split())[:_PREVIEW],
        "status": "unread",
        "last_kind": "reply" if automatic is None else "automatic",
        "last_at": arrived,
        "last_inbound_at": arrived,
        "returns_on": None if automatic is None else automatic.returns_on,
        "stop_asked_at": asked,
        "snoozed_until": None,
        "updated_at": now,
    }


def _moved(status: str) -> Counter[str]:
    moved = Counter({"unread": 1})
    moved[status] -= 1
    return moved


def _conversation(session: Session, match: Match, prepared: Prepared, now: datetime) -> int:
    """Return the conversation of contact and account, made when it is the first mail; two at once find the same."""
    connection = session.connection()
    place = prepared.place
    arrived = min(place.arrived_at, now)
    insertion: Any = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(_CONVERSATION)
    made = connection.execute(
        insertion.on_conflict_do_nothing(index_elements=["contact_id", "account_id"]).returning(_CONVERSATION.c.id),
        {
            "workspace_id": match.workspace_id,
            "contact_id": match.contact_id,
            "account_id": place.account_id,
            "campaign_id": match.campaign_id,
            "enrollment_id": match.enrollment_id,
            "subject": prepared.mail.subject,
            "preview": "",
            "status": "unread",
            "label": "",
            "last_kind": "reply",
            "last_at": arrived,
            "last_inbound_at": arrived,
            "revision": 0,
            "created_at": now,
            "updated_at": now,
        },
    ).first()
    if made is not None:
        counts.add(session, match.workspace_id, {"unread": 1})
        return int(made.id)
    found = connection.execute(
        select(_CONVERSATION.c.id).where(
            _CONVERSATION.c.contact_id == match.contact_id, _CONVERSATION.c.account_id == place.account_id
        )
    ).one()
    return int(found.id)
