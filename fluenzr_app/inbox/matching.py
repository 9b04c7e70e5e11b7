"""To which of our mails an incoming one belongs (inbox.md, Classification)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, select
from sqlmodel import Session

from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.contacts.models import Contact
from fluenzr_app.db.tables import table_of
from fluenzr_app.mail.addresses import email_key
from fluenzr_app.mail.compose import reply_subject
from fluenzr_app.mail.errors import BadAddress
from fluenzr_app.mail.incoming import IncomingMail
from fluenzr_app.sending.models import Message

_MESSAGE = table_of(Message)
_CONTACT = table_of(Contact)
_ACCOUNT = table_of(EmailAccount)

# An answer without its thread belongs to a mail of this age at most; a report without one to a younger one.
_SUBJECT_WITHIN = timedelta(days=90)
_REPORT_WITHIN = timedelta(days=14)
_MOST_IDS = 100
_MOST_MAILS = 50
# What a server may have in hands. Of the others only those that were tried before: they may be claimed for another
# try in this moment, or have been withdrawn since.
_SEEN = ("sending", "sent", "uncertain", "failed")


@dataclass(frozen=True, slots=True)
class Match:
    """The mail of ours that an incoming one belongs to, and how that was found (`thread`, `subject`, `recipient`)."""

    message_id: int
    workspace_id: int
    kind: str
    status: str
    account_id: int
    contact_id: int
    contact_key: str
    contact_status: str
    to_address: str
    campaign_id: int | None
    enrollment_id: int | None
    node_id: int | None
    how: str


_MATCHES: Select[Any] = select(
    _MESSAGE.c.id,
    _MESSAGE.c.workspace_id,
    _MESSAGE.c.kind,
    _MESSAGE.c.status,
    _MESSAGE.c.account_id,
    _MESSAGE.c.contact_id,
    _MESSAGE.c.to_address,
    _MESSAGE.c.campaign_id,
    _MESSAGE.c.enrollment_id,
    _MESSAGE.c.node_id,
    _MESSAGE.c.subject,
    _MESSAGE.c.rfc_id,
    _CONTACT.c.email_key,
    _CONTACT.c.status.label("contact_status"),
).join_from(_MESSAGE, _CONTACT, _CONTACT.c.id == _MESSAGE.c.contact_id)


def by_thread(session: Session, workspace_id: int, rfc_ids: Sequence[str]) -> Match | None:
    """Return the mail of the workspace that the first known of the Message-IDs names, whatever its state.

    Nobody can know the id of a mail that did not leave. In a restored backup it may look as if it had not.
    """
    wanted = list(dict.fromkeys(rfc_ids))[:_MOST_IDS]
    if not wanted:
        return None
    rows = session.connection().execute(
        _MATCHES.where(
            _MESSAGE.c.rfc_id.in_(wanted), _MESSAGE.c.workspace_id == workspace_id, _MESSAGE.c.kind != "test"
        )
    )
    found = {row.rfc_id: row for row in rows}
    first = next((found[each] for each in wanted if each in found), None)
    return None if first is None else _match(first, "thread")


def thread_ids(mail: IncomingMail) -> tuple[str, ...]:
    """Return the Message-IDs that a mail answers to, the most telling first."""
    return (*mail.in_reply_to, *reversed(mail.references))


def by_subject(
    session: Session, workspace_id: int, account_id: int, sender_key: str, subject: str, now: datetime
) -> Match | None:
    """Return the latest mail from this account to this sender whose subject is answered."""
    wanted = _bare(subject)
    if not sender_key or not wanted:
        return None
    rows = session.connection().execute(
        _MATCHES.where(
            _CONTACT.c.workspace_id == workspace_id,
            _CONTACT.c.email_key == sender_key,
            _MESSAGE.c.account_id == account_id,
            _MESSAGE.c.created_at > now - _SUBJECT_WITHIN,
            _seen(),
        )
        .order_by(_MESSAGE.c.id.desc())
        .limit(_MOST_MAILS)
    )
    first = next((row for row in rows if _bare(row.subject) == wanted), None)
    return None if first is None else _match(first, "subject")


def by_recipient(
    session: Session, workspace_id: int, account_id: int, addresses: Collection[str], now: datetime
) -> Match | None:
    """Return the latest mail from this account to one of the addresses that a report names."""
    keys = {key for key in map(_key, addresses) if key}
    if not keys:
        return None
    row = (
        session.connection()
        .execute(
            _MATCHES.where(
                _CONTACT.c.workspace_id == workspace_id,
                _CONTACT.c.email_key.in_(keys),
                _MESSAGE.c.account_id == account_id,
                _MESSAGE.c.created_at > now - _REPORT_WITHIN,
                _seen(),
            )
            .order_by(_MESSAGE.c.id.desc())
            .limit(1)
        )
        .first()
    )
    return None if row is None else _match(row, "recipient")


def is_own(session: Session, workspace_id: int, mail: IncomingMail, contact_key: str) -> bool:
    """Return whether a mail comes from the workspace itself: a copy of what it sent, or a thread passed on by hand.

    An own account that is also the contact (`contact_key`) answers like anybody else.
    """
    connection = session.connection()
    sent = select(_MESSAGE.c.id).where(_MESSAGE.c.rfc_id == mail.rfc_id, _MESSAGE.c.workspace_id == workspace_id)
    if mail.rfc_id and connection.execute(sent).first() is not None:
        return True
    sender = select(_ACCOUNT.c.id).where(
        _ACCOUNT.c.workspace_id == workspace_id,
        _ACCOUNT.c.email_key == mail.sender.key,
        _ACCOUNT.c.removed_at.is_(None),
    )
    return mail.sender.key != contact_key and connection.execute(sender).first() is not None


def contact_of(session: Session, workspace_id: int, key: str) -> int | None:
    """Return the contact of the workspace with this address key."""
    statement = select(_CONTACT.c.id).where(_CONTACT.c.workspace_id == workspace_id, _CONTACT.c.email_key == key)
    return session.connection().execute(statement).scalar() if key else None


def _seen() -> Any:
    return (_MESSAGE.c.kind != "test") & (_MESSAGE.c.status.in_(_SEEN) | (_MESSAGE.c.attempts > 0))


def _bare(subject: str) -> str:
    return reply_subject(subject).removeprefix("Re:").strip().casefold()


def _key(address: str) -> str:
    try:
        return email_key(address)
    except BadAddress:
        return ""


def _match(row: Any, how: str) -> Match:
    return Match(
        message_id=row.id,
        workspace_id=row.workspace_id,
        kind=row.kind,
        status=row.status,
        account_id=row.account_id,
        contact_id=row.contact_id,
        contact_key=row.email_key,
        contact_status=row.contact_status,
        to_address=row.to_address,
        campaign_id=row.campaign_id,
        enrollment_id=row.enrollment_id,
        node_id=row.node_id,
        how=how,
    )
