"""Reading one mailbox to its end: every folder by UID, from where it stopped, never marking and never twice.

Runs in a thread of its own: the mailbox is spoken to outside any transaction, each mail takes effect in one.
"""

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.exc import DataError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel import Session

from fluenzr_app.clock import Clock
from fluenzr_app.contacts.models import Contact
from fluenzr_app.db.engine import Database
from fluenzr_app.db.tables import table_of
from fluenzr_app.inbox import reading
from fluenzr_app.inbox.interest import Known, is_interesting
from fluenzr_app.inbox.prepared import Place, prepare, prepare_head
from fluenzr_app.inbox.reading import Leased
from fluenzr_app.inbox.store import Wiring, store
from fluenzr_app.mail.addresses import email_key
from fluenzr_app.mail.incoming import IncomingMail, parse_headers
from fluenzr_app.mail.mailbox import MAX_ENVELOPES, Envelope, Folder, Mailbox, MailboxFailure
from fluenzr_app.sending.models import Message

log = logging.getLogger(__name__)
_MESSAGE = table_of(Message)
_CONTACT = table_of(Contact)

# Answers are looked for wherever a mailbox's own rules may have put them; what the user wrote or threw away is not.
_NOT_READ = frozenset({"sent", "drafts", "trash", "archive"})
_MOST_FOLDERS = 100
_AT_ONCE = 100
# Beyond this only the beginning of a mail is fetched: its words are there, the rest are attachments.
MOST_OCTETS = 30_000_000
_BEGINNING = 1_000_000
# A mail of 30 MB takes about 100 MB of memory while it is read: few of them at once, however many are watched.
_LARGE = 1_000_000
_large = threading.BoundedSemaphore(4)
# The clocks of servers differ from ours.
_SLACK = timedelta(minutes=2)


@dataclass(slots=True)
class Read:
    """What one reading did: mails looked at, those that took effect, those that could not be read."""

    seen: int = 0
    stored: int = 0
    unreadable: int = 0


class Stopped(Exception):
    """The process stops; what was read so far is settled and the rest is read by the next one."""


def read_mailbox(
    db: Database, clock: Clock, wiring: Wiring, leased: Leased, mailbox: Mailbox, stopping: Callable[[], bool]
) -> Read:
    """Read everything new in a mailbox and note that it was read; raises MailboxFailure, Stopped."""
    result = Read()
    # The moment before the first look: what arrives during it may have been missed.
    begun = clock.now()
    for folder in _folders(mailbox):
        _read_folder(db, clock, wiring, leased, mailbox, folder, result, stopping)
    db.transact(reading.was_read, leased.account_id, begun)
    return result


def _folders(mailbox: Mailbox) -> Sequence[Folder]:
    return [folder for folder in mailbox.folders() if folder.role not in _NOT_READ][:_MOST_FOLDERS]


def _read_folder(
    db: Database,
    clock: Clock,
    wiring: Wiring,
    leased: Leased,
    mailbox: Mailbox,
    folder: Folder,
    result: Read,
    stopping: Callable[[], bool],
) -> None:
    try:
        uidvalidity, after = _where_to_go_on(db, leased, mailbox, folder)
        for envelopes in _batches(mailbox, folder, after):
            if stopping():
                raise Stopped
            _take(db, clock, wiring, leased, mailbox, folder, uidvalidity, envelopes, result, stopping)
    except MailboxFailure as failure:
        # A folder that was renamed or deleted meanwhile keeps nobody from reading the others; the inbox must be there.
        if failure.code != "folder_missing" or folder.role == "inbox":
            raise
        log.info("a folder cannot be read", extra={"account_id": leased.account_id})


def _where_to_go_on(db: Database, leased: Leased, mailbox: Mailbox, folder: Folder) -> tuple[int, int]:
    """Return uidvalidity and the UID after which to read on; a folder seen for the first time begins at `since`."""
    state = mailbox.state(folder.name)
    with db.read() as session:
        known = reading.cursor(session, leased.account_id, folder.name)
    if known is not None and known[0] == state.uidvalidity:
        return known
    recent = mailbox.uids_since(folder.name, leased.since)
    after = recent[0] - 1 if recent else state.uidnext - 1
    db.transact(reading.move_cursor, leased.account_id, folder.name, state.uidvalidity, after)
    return state.uidvalidity, after


def _batches(mailbox: Mailbox, folder: Folder, after: int) -> Iterator[Sequence[Envelope]]:
    size = min(_AT_ONCE, MAX_ENVELOPES)
    while True:
        envelopes = mailbox.envelopes(folder.name, after, size)
        if envelopes:
            yield envelopes
        if len(envelopes) < size:
            return
        after = envelopes[-1].uid


def _take(
    db: Database,
    clock: Clock,
    wiring: Wiring,
    leased: Leased,
    mailbox: Mailbox,
    folder: Folder,
    uidvalidity: int,
    envelopes: Sequence[Envelope],
    result: Read,
    stopping: Callable[[], bool],
) -> None:
    heads = [(envelope, parse_headers(envelope.head)) for envelope in envelopes if _is_new(envelope, leased)]
    with db.read() as session:
        known = _known_among(session, leased.workspace_id, [head for _, head in heads])
    for envelope, head in heads:
        if not is_interesting(head, known):
            continue
        if stopping():
            db.transact(reading.move_cursor, leased.account_id, folder.name, uidvalidity, envelope.uid - 1)
            raise Stopped
        place = Place(
            leased.workspace_id, leased.account_id, email_key(leased.email), folder.name, uidvalidity, envelope.uid,
            envelope.arrived_at,
        )  # fmt: skip
        _take_one(db, clock, wiring, mailbox, place, envelope, head, result)
    result.seen += len(envelopes)
    db.transact(reading.move_cursor, leased.account_id, folder.name, uidvalidity, envelopes[-1].uid)


def _take_one(
    db: Database,
    clock: Clock,
    wiring: Wiring,
    mailbox: Mailbox,
    place: Place,
    envelope: Envelope,
    head: IncomingMail,
    result: Read,
) -> None:
    """Let one mail take effect. Whatever is wrong with it, the others are read; only a broken connection stops."""
    size = envelope.size
    with _large if size > _LARGE else contextlib.nullcontext():
        try:
            raw = mailbox.fetch(place.folder, place.uid, MOST_OCTETS if size <= MOST_OCTETS else _BEGINNING)
        except MailboxFailure as failure:
            if failure.code != "message_gone":
                raise
            return
        try:
            now = clock.now()
            prepared = prepare(place, raw, size, now)
            del raw
            if db.transact(store, wiring, prepared, now) is not None:
                result.stored += 1
        except (DBAPIError, PoolTimeout) as error:
            # The database's trouble is not the mail's, and it is read again; a value that it takes from nobody is.
            if not isinstance(error, DataError):
                raise
            _take_head(db, clock, wiring, place, envelope, head, result, error)
        except Exception as error:
            _take_head(db, clock, wiring, place, envelope, head, result, error)


def _take_head(
    db: Database,
    clock: Clock,
    wiring: Wiring,
    place: Place,
    envelope: Envelope,
    head: IncomingMail,
    result: Read,
    error: Exception,
) -> None:
    """Let the headers of a mail that cannot be taken in take effect: an answer stops the sequence all the same."""
    result.unreadable += 1
    where = {"account_id": place.account_id, "uid": place.uid}
    log.error("a mail cannot be taken in", extra=where, exc_info=error)
    if head.content_type == "multipart/report":
        return
    try:
        prepared = prepare_head(place, envelope.head, envelope.size)
        if db.transact(store, wiring, prepared, clock.now()) is not None:
            result.stored += 1
    except (DBAPIError, PoolTimeout) as again:
        if not isinstance(again, DataError):
            raise
    except Exception:
        log.exception("not even its headers can be taken in", extra=where)


def _is_new(envelope: Envelope, leased: Leased) -> bool:
    return envelope.arrived_at >= leased.since - _SLACK


def _known_among(session: Session, workspace_id: int, heads: Sequence[IncomingMail]) -> Known:
    connection = session.connection()
    ids = {each for head in heads for each in (*head.in_reply_to, *head.references)}
    keys = {head.sender.key for head in heads if head.sender.key}
    domains = {key.rpartition("@")[2] for key in keys}
    mine = _CONTACT.c.workspace_id == workspace_id
    known_ids = (
        connection.execute(
            select(_MESSAGE.c.rfc_id).where(_MESSAGE.c.rfc_id.in_(ids), _MESSAGE.c.workspace_id == workspace_id)
        ).scalars()
        if ids
        else ()
    )
    known_keys = (
        connection.execute(select(_CONTACT.c.email_key).where(mine, _CONTACT.c.email_key.in_(keys))).scalars()
        if keys
        else ()
    )
    known_domains = (
        connection.execute(select(_CONTACT.c.domain).where(mine, _CONTACT.c.domain.in_(domains)).distinct()).scalars()
        if domains
        else ()
    )
    return Known(frozenset(known_ids), frozenset(known_keys), frozenset(known_domains))
