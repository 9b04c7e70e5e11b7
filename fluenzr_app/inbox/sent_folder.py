"""The Sent folder: copies of what left over SMTP, and the proof that an uncertain mail had left (guarantee 2)."""

import logging
import zlib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlmodel import Session

from fluenzr_app.campaigns.uncertain import was_sent
from fluenzr_app.clock import Clock
from fluenzr_app.db.engine import Database
from fluenzr_app.db.tables import table_of
from fluenzr_app.inbox.store import Wiring
from fluenzr_app.mail.changed_html import with_changed_html
from fluenzr_app.mail.mailbox import Mailbox, MailboxFailure
from fluenzr_app.sending.models import Message, SentMail
from fluenzr_app.tracking.own_links import own_links

log = logging.getLogger(__name__)
_MESSAGE = table_of(Message)
_SENT = table_of(SentMail)

_AT_ONCE = 50
# Minutes until a copy that could not be put there is tried again; after the last it is given up.
_STEPS_MIN = (1, 5, 30, 120)


def tend_sent_folder(
    db: Database,
    clock: Clock,
    wiring: Wiring,
    account_id: int,
    mailbox: Mailbox,
    stopping: Callable[[], bool],
) -> int:
    """Look for uncertain mails and put due copies into an account's Sent folder; return how much was done.

    Raises MailboxFailure where the mailbox itself fails; a folder that takes no copy is tried again and then left.
    """
    with db.read() as session:
        uncertain = _uncertain(session, account_id)
        due = _due(session, account_id, clock.now())
    if not uncertain and not due:
        return 0
    folder = next((folder.name for folder in mailbox.folders() if folder.role == "sent"), None)
    if folder is None:
        db.transact(_give_up, [message_id for message_id, _ in due])
        return 0
    done = 0
    for message_id, rfc_id in uncertain:
        # Presence proves that it was sent; absence proves nothing, so nothing follows from it.
        if not stopping() and mailbox.find_message_id(folder, rfc_id):
            done += db.transact(was_sent, message_id, wiring.origins, clock.now())
    for message_id, rfc_id in due:
        if not stopping():
            done += _copy(db, clock, wiring, mailbox, folder, message_id, rfc_id)
    return done


def _copy(
    db: Database, clock: Clock, wiring: Wiring, mailbox: Mailbox, folder: str, message_id: int, rfc_id: str
) -> int:
    try:
        # Many providers put it there themselves, and a crash may have come between the copy and its note.
        if not mailbox.find_message_id(folder, rfc_id):
            with db.read() as session:
                row = session.connection().execute(
                    select(_SENT.c.raw, _SENT.c.sent_at).where(_SENT.c.message_id == message_id)
                ).first()  # fmt: skip
                if row is None:
                    # Its contact was deleted in this moment.
                    return 0
                # Whoever opens the copy is the sender: it must not tell that the recipient opened the mail.
                links = own_links(session, wiring.keyring, wiring.public_url)
                copy = with_changed_html(zlib.decompress(row.raw), links.plain_html)
            mailbox.append_sent(folder, copy, row.sent_at)
    except MailboxFailure as failure:
        db.transact(_put_off, message_id, clock.now())
        if not failure.still_open:
            raise
        log.info("the Sent folder takes no copy", extra={"message_id": message_id, "code": failure.code})
        return 0
    db.transact(_give_up, [message_id])
    return 1


def _uncertain(session: Session, account_id: int) -> Sequence[tuple[int, str]]:
    rows = session.connection().execute(
        select(_MESSAGE.c.id, _MESSAGE.c.rfc_id)
        .where(_MESSAGE.c.account_id == account_id, _MESSAGE.c.status == "uncertain")
        .order_by(_MESSAGE.c.id.desc())
        .limit(_AT_ONCE)
    )
    return [(row.id, row.rfc_id) for row in rows]


def _due(session: Session, account_id: int, now: datetime) -> Sequence[tuple[int, str]]:
    rows = session.connection().execute(
        select(_SENT.c.message_id, _MESSAGE.c.rfc_id)
        .join_from(_SENT, _MESSAGE, _MESSAGE.c.id == _SENT.c.message_id)
        .where(_SENT.c.account_id == account_id, _SENT.c.copy_due_at.is_not(None), _SENT.c.copy_due_at <= now)
        .order_by(_SENT.c.copy_due_at)
        .limit(_AT_ONCE)
    )
    return [(row.message_id, row.rfc_id) for row in rows]


def _give_up(session: Session, message_ids: Sequence[int]) -> None:
    if message_ids:
        connection = session.connection()
        connection.execute(update(_SENT).where(_SENT.c.message_id.in_(message_ids)).values(copy_due_at=None))
        # A test holds some contact's values, and nobody would find it by that contact.
        tests = select(_MESSAGE.c.id).where(_MESSAGE.c.id.in_(message_ids), _MESSAGE.c.kind == "test")
        connection.execute(delete(_SENT).where(_SENT.c.message_id.in_(tests)))


def _put_off(session: Session, message_id: int, now: datetime) -> None:
    connection = session.connection()
    tries = connection.execute(select(_SENT.c.copy_tries).where(_SENT.c.message_id == message_id)).scalar_one()
    again = now + timedelta(minutes=_STEPS_MIN[tries]) if tries < len(_STEPS_MIN) else None
    connection.execute(
        update(_SENT).where(_SENT.c.message_id == message_id).values(copy_tries=tries + 1, copy_due_at=again)
    )
