"""An automatic answer that names the day of return: the contact's next mails may wait until then."""

from datetime import datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select, update
from sqlmodel import Session

from fluenzr_app.campaigns.enrollments import WALKING
from fluenzr_app.campaigns.models import Enrollment
from fluenzr_app.campaigns.timing import from_local
from fluenzr_app.db.tables import table_of
from fluenzr_app.inbox.conversations import get_conversation
from fluenzr_app.inbox.errors import BadFilter
from fluenzr_app.inbox.models import Conversation
from fluenzr_app.sending.claim import FIRST_MAIL
from fluenzr_app.sending.models import Message
from fluenzr_app.workspaces.models import Workspace

_CONVERSATION = table_of(Conversation)
_ENROLLMENT = table_of(Enrollment)
_MESSAGE = table_of(Message)
_MORNING = time(9)


def wait_until_return(session: Session, workspace_id: int, conversation_id: int, now: datetime) -> datetime:
    """Let nothing of any sequence leave for the contact before the morning of their return; return that moment.

    What is due later anyway stays as it is. Raises ConversationNotFound, BadFilter when no day is known or it is over.
    """
    line = get_conversation(session, workspace_id, conversation_id)
    zone = ZoneInfo(session.get_one(Workspace, workspace_id).timezone)
    morning = None if line.returns_on is None else from_local(line.returns_on, _MORNING, zone)
    if morning is None or morning <= now:
        raise BadFilter("returnsOn", "No day of return that is still to come is known.")
    connection = session.connection()
    walks = connection.execute(
        select(_ENROLLMENT.c.id, _ENROLLMENT.c.due_at)
        .where(
            _ENROLLMENT.c.workspace_id == workspace_id,
            _ENROLLMENT.c.contact_id == line.contact_id,
            _ENROLLMENT.c.status.in_(WALKING),
        )
        .with_for_update()
    ).all()
    ids = [walk.id for walk in walks]
    # What waits in the queue only for its turn goes back to its walk; what was tried is put off. A worker that has
    # claimed one finds at its mark that it has it no more.
    held = (_MESSAGE.c.enrollment_id.in_(ids), _MESSAGE.c.status.in_(("queued", "claimed")))
    withdrawn = connection.execute(
        delete(_MESSAGE).where(*held, _MESSAGE.c.attempts == 0).returning(_MESSAGE.c.enrollment_id, _MESSAGE.c.priority)
    ).all()
    connection.execute(
        update(_MESSAGE)
        .where(*held, _MESSAGE.c.due_at < morning)
        .values(status="queued", worker_id=None, due_at=morning, reason="away")
    )
    # Whoever was not begun with is a new contact again, for the account that has room by then.
    connection.execute(
        update(_ENROLLMENT)
        .where(_ENROLLMENT.c.id.in_([row.enrollment_id for row in withdrawn if row.priority == FIRST_MAIL]))
        .values(account_id=None)
    )
    queued = set(
        connection.execute(
            select(_MESSAGE.c.enrollment_id).where(
                _MESSAGE.c.enrollment_id.in_(ids),
                _MESSAGE.c.status.in_(("queued", "claimed", "sending", "uncertain")),
            )
        ).scalars()
    )
    free = [walk.id for walk in walks if walk.id not in queued and (walk.due_at is None or walk.due_at < morning)]
    connection.execute(
        update(_ENROLLMENT).where(_ENROLLMENT.c.id.in_(free)).values(due_at=morning, wait_code="away", updated_at=now)
    )
    connection.execute(
        update(_CONVERSATION)
        .where(_CONVERSATION.c.id == conversation_id)
        .values(returns_on=None, updated_at=now, revision=_CONVERSATION.c.revision + 1)
    )
    return morning
