"""Which mailboxes are read, by whom, how far, and what keeps one from being read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, case, func, insert, literal, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.db.tables import table_of
from fluenzr_app.db.types import UtcDateTime
from fluenzr_app.inbox.models import MailboxFolder, MailboxReading
from fluenzr_app.mail.mailbox import MailboxFailure
from fluenzr_app.sending.models import Message

_READING = table_of(MailboxReading)
_FOLDER = table_of(MailboxFolder)
_ACCOUNT = table_of(EmailAccount)
_MESSAGE = table_of(Message)

LEASE = timedelta(minutes=3)
# After a failure it is tried again in so many minutes; the last one repeats.
_STEPS_MIN = (0.5, 1, 2, 5, 10)
# Nothing is put off for longer. What lies further ahead was written before the clock was set back.
_FARTHEST = timedelta(minutes=15)
_WORDS = 500
_READ = and_(_ACCOUNT.c.imap_host != "", _ACCOUNT.c.removed_at.is_(None))


@dataclass(frozen=True, slots=True)
class ReadingView:
    """How an account's mailbox stands. `reads`: a server to read from is known.

    `synced_at`: when it was last read to its end. `failed_since` is set while it cannot be read; `error_code` and
    `error_text` say why.
    """

    account_id: int
    email: str
    reads: bool
    synced_at: datetime | None
    failed_since: datetime | None
    error_code: str
    error_text: str


@dataclass(frozen=True, slots=True)
class Leased:
    """A mailbox that this process may read. `since`: mail that arrived before is not looked at.

    `revision` is the account's: once it differs, another server or password may be meant.
    """

    account_id: int
    workspace_id: int
    email: str
    since: datetime
    revision: int


def readings(session: Session, workspace_id: int) -> tuple[ReadingView, ...]:
    """Return how the mailbox of each account of the workspace stands, in order of their addresses."""
    rows = session.connection().execute(
        select(
            _ACCOUNT.c.id,
            _ACCOUNT.c.email,
            _ACCOUNT.c.imap_host,
            _ACCOUNT.c.synced_at,
            _READING.c.failed_since,
            _READING.c.error_code,
            _READING.c.error_text,
        )
        .outerjoin_from(_ACCOUNT, _READING, _READING.c.account_id == _ACCOUNT.c.id)
        .where(_ACCOUNT.c.workspace_id == workspace_id, _ACCOUNT.c.removed_at.is_(None))
        .order_by(_ACCOUNT.c.email_key)
    )
    return tuple(
        ReadingView(
            row.id, row.email, bool(row.imap_host), row.synced_at, row.failed_since, row.error_code or "",
            row.error_text or "",
        )
        for row in rows
    )  # fmt: skip


def due(session: Session, owner: str, wall: datetime) -> Sequence[int]:
    """Return the accounts whose mailbox nobody reads just now and that are due; the longest unread first."""
    rows = session.connection().execute(
        select(_ACCOUNT.c.id)
        .outerjoin_from(_ACCOUNT, _READING, _READING.c.account_id == _ACCOUNT.c.id)
        .where(
            _READ,
            or_(
                _READING.c.account_id.is_(None),
                and_(
                    _free(owner, wall),
                    or_(
                        _READING.c.due_at.is_(None),
                        _READING.c.due_at <= wall,
                        _READING.c.due_at > wall + _FARTHEST,
                        _READING.c.account_revision != _ACCOUNT.c.revision,
                    ),
                ),
            ),
        )
        .order_by(_ACCOUNT.c.synced_at.asc().nulls_first(), _ACCOUNT.c.id)
    )
    return list(rows.scalars())


def _free(owner: str, wall: datetime) -> ColumnElement[bool]:
    until = _READING.c.lease_until
    return or_(until.is_(None), until < wall, until > wall + _FARTHEST, _READING.c.owner == owner)


def lease(session: Session, account_id: int, owner: str, wall: datetime) -> Leased | None:
    """Take a mailbox for three minutes, or keep it for three more; None when another process has it, or it is gone."""
    connection = session.connection()
    account = connection.execute(
        select(_ACCOUNT.c.workspace_id, _ACCOUNT.c.email, _ACCOUNT.c.created_at, _ACCOUNT.c.revision).where(
            _ACCOUNT.c.id == account_id, _READ
        )
    ).first()
    if account is None:
        return None
    insertion = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(_READING)
    connection.execute(
        insertion.on_conflict_do_nothing(),
        {
            "account_id": account_id,
            "workspace_id": account.workspace_id,
            "since": account.created_at,
            "owner": "",
            "account_revision": account.revision,
            "failures": 0,
            "error_code": "",
            "error_text": "",
        },
    )
    taken = connection.execute(
        update(_READING)
        .where(
            _READING.c.account_id == account_id,
            _free(owner, wall),
        )
        .values(owner=owner, lease_until=wall + LEASE, account_revision=account.revision)
        .returning(_READING.c.since)
    ).first()
    return (
        None
        if taken is None
        else Leased(account_id, account.workspace_id, account.email, taken.since, account.revision)
    )


def give_back(session: Session, account_id: int, owner: str, due_at: datetime | None) -> None:
    """Let others read a mailbox, not before `due_at` (wall)."""
    session.connection().execute(
        update(_READING)
        .where(_READING.c.account_id == account_id, _READING.c.owner == owner)
        .values(owner="", lease_until=None, due_at=due_at)
    )


def was_read(session: Session, account_id: int, now: datetime) -> None:
    """Note that a mailbox was read to its end; follow-ups that waited for that may leave."""
    connection = session.connection()
    # Also back to an earlier moment: a clock that was ahead must not make a mailbox look read for days.
    connection.execute(update(_ACCOUNT).where(_ACCOUNT.c.id == account_id).values(synced_at=now))
    connection.execute(
        update(_READING)
        .where(_READING.c.account_id == account_id, _READING.c.failures > 0)
        .values(failures=0, failed_since=None, error_code="", error_text="", due_at=None)
    )
    connection.execute(
        update(_MESSAGE)
        .where(
            _MESSAGE.c.account_id == account_id,
            _MESSAGE.c.status == "queued",
            _MESSAGE.c.due_at > now,
            _MESSAGE.c.reason == "mailbox_not_synced",
        )
        .values(due_at=now)
    )


def failed(
    session: Session, account_id: int, owner: str, failure: MailboxFailure, now: datetime, wall: datetime
) -> None:
    """Note why a mailbox could not be read and when it is tried again; the first moment of a row of failures stays."""
    connection = session.connection()
    row = connection.execute(select(_READING.c.failures).where(_READING.c.account_id == account_id)).first()
    failures = 0 if row is None else row.failures
    wait = timedelta(minutes=_STEPS_MIN[min(failures, len(_STEPS_MIN) - 1)])
    connection.execute(
        update(_READING)
        .where(_READING.c.account_id == account_id, _READING.c.owner == owner)
        .values(
            failures=failures + 1,
            failed_since=func.coalesce(_READING.c.failed_since, literal(now, UtcDateTime())),
            error_code=failure.code,
            error_text=failure.text[:_WORDS],
            owner="",
            lease_until=None,
            due_at=wall + wait,
        )
    )


def cursor(session: Session, account_id: int, folder: str) -> tuple[int, int] | None:
    """Return (uidvalidity, last uid) up to which a folder was read; None for one that was never read."""
    row = (
        session.connection()
        .execute(
            select(_FOLDER.c.uidvalidity, _FOLDER.c.last_uid).where(
                _FOLDER.c.account_id == account_id, _FOLDER.c.name == folder
            )
        )
        .first()
    )
    return None if row is None else (row.uidvalidity, row.last_uid)


def move_cursor(session: Session, account_id: int, folder: str, uidvalidity: int, last_uid: int) -> None:
    """Note that everything in a folder up to `last_uid` is settled; never goes back under the same uidvalidity."""
    connection = session.connection()
    moved = connection.execute(
        update(_FOLDER)
        .where(_FOLDER.c.account_id == account_id, _FOLDER.c.name == folder)
        .values(
            uidvalidity=uidvalidity,
            last_uid=case(
                (
                    and_(_FOLDER.c.uidvalidity == uidvalidity, _FOLDER.c.last_uid > last_uid),
                    _FOLDER.c.last_uid,
                ),
                else_=last_uid,
            ),
        )
    )
    if moved.rowcount == 0:
        row = {"account_id": account_id, "name": folder, "uidvalidity": uidvalidity, "last_uid": last_uid}
        connection.execute(insert(_FOLDER), row)
