"""What the queue knows of people who are deleted: their mails count on, but no longer say to whom or what they said."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlmodel import Session

from fluenzr_app.db.tables import table_of
from fluenzr_app.sending.models import Attempt, Message, SentMail

_MESSAGE = table_of(Message)
_ATTEMPT = table_of(Attempt)
_SENT = table_of(SentMail)
_AT_ONCE = 1_000


def contacts_deleted(session: Session, workspace_id: int, contact_ids: Sequence[int], now: datetime) -> None:
    """Take the contacts out of their mails: address, domain, subject, the servers' words, the mail itself.

    What has not left is withdrawn. One that is on its way is emptied again by its settlement.
    """
    connection = session.connection()
    theirs = (_MESSAGE.c.workspace_id == workspace_id, _MESSAGE.c.contact_id.in_(list(contact_ids)))
    connection.execute(
        update(_MESSAGE)
        .where(*theirs, _MESSAGE.c.status.in_(("queued", "claimed")))
        .values(status="cancelled", reason="contact_deleted", worker_id=None)
    )
    ids = connection.execute(select(_MESSAGE.c.id).where(*theirs).order_by(_MESSAGE.c.id).with_for_update())
    forget_words(session, list(ids.scalars()))


def forget_words(session: Session, message_ids: Iterable[int]) -> None:
    """Empty what these messages, their attempts and their kept mails say of anybody."""
    ids = sorted(message_ids)
    connection = session.connection()
    for start in range(0, len(ids), _AT_ONCE):
        part = ids[start : start + _AT_ONCE]
        connection.execute(
            update(_MESSAGE).where(_MESSAGE.c.id.in_(part)).values(to_address="", to_domain="", subject="", detail="")
        )
        connection.execute(update(_ATTEMPT).where(_ATTEMPT.c.message_id.in_(part)).values(to_domain="", text=""))
        connection.execute(delete(_SENT).where(_SENT.c.message_id.in_(part)))
