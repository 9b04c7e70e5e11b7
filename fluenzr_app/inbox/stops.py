"""A contact whose whole answer was “stop”: shown first, then unsubscribed, by hand or by itself after a day."""

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlmodel import Session

from fluenzr_app.campaigns.enrollments import stop_contact
from fluenzr_app.contacts.suppression import suppress_contact
from fluenzr_app.db.tables import table_of
from fluenzr_app.events.record import NewEvent, record
from fluenzr_app.inbox.conversations import get_conversation
from fluenzr_app.inbox.models import Conversation

_CONVERSATION = table_of(Conversation)

# Nobody has to press a button for a no to count; until then somebody may see that it was none.
DECIDED_AFTER = timedelta(hours=24)


def confirm_stop(session: Session, workspace_id: int, conversation_id: int, now: datetime) -> None:
    """Unsubscribe the contact of a conversation; raises ConversationNotFound. Done once, however often it is asked."""
    line = get_conversation(session, workspace_id, conversation_id)
    first = suppress_contact(session, workspace_id, line.contact_id, "unsubscribe", now)
    stop_contact(session, workspace_id, line.contact_id, "unsubscribed", "unsubscribed", now)
    event = NewEvent(
        workspace_id=workspace_id,
        type="email.unsubscribed",
        dedupe_key=f"email.unsubscribed:conversation:{conversation_id}",
        at=now,
        contact_id=line.contact_id,
        campaign_id=line.campaign_id,
        account_id=line.account_id,
        data={"how": "answer"},
    )
    # Who had said no before, by the link perhaps, is counted once.
    if first:
        record(session, [event])
    _decided(session, workspace_id, conversation_id, now)


def dismiss_stop(session: Session, workspace_id: int, conversation_id: int, now: datetime) -> None:
    """Note that the answer was no request to stop; the sequence stays stopped. Raises ConversationNotFound."""
    get_conversation(session, workspace_id, conversation_id)
    _decided(session, workspace_id, conversation_id, now)


def confirm_overdue(session: Session, now: datetime, limit: int = 200) -> int:
    """Unsubscribe those about whom nobody has decided for a day, in all workspaces; return how many."""
    rows = session.connection().execute(
        select(_CONVERSATION.c.workspace_id, _CONVERSATION.c.id)
        .where(_CONVERSATION.c.stop_asked_at.is_not(None), _CONVERSATION.c.stop_asked_at <= now - DECIDED_AFTER)
        .order_by(_CONVERSATION.c.id)
        .limit(limit)
    )
    found = rows.all()
    for workspace_id, conversation_id in found:
        confirm_stop(session, workspace_id, conversation_id, now)
    return len(found)


def _decided(session: Session, workspace_id: int, conversation_id: int, now: datetime) -> None:
    session.connection().execute(
        update(_CONVERSATION)
        .where(_CONVERSATION.c.id == conversation_id, _CONVERSATION.c.workspace_id == workspace_id)
        .values(stop_asked_at=None, updated_at=now, revision=_CONVERSATION.c.revision + 1)
    )
