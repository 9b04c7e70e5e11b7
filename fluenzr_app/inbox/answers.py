"""Writing in a conversation: drafts that are kept, files, sending through the one queue, taking back."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from fluenzr_app.contacts.models import Contact
from fluenzr_app.contacts.suppression import suppressed_contacts
from fluenzr_app.db.tables import table_of
from fluenzr_app.inbox import search
from fluenzr_app.inbox.conversations import ConversationLine, get_conversation, move
from fluenzr_app.inbox.errors import AnswerRefused
from fluenzr_app.inbox.models import Answer, AnswerDraft, AnswerFile, Inbound
from fluenzr_app.inbox.thread import UNDO_FOR, FileView
from fluenzr_app.mail.addresses import email_key
from fluenzr_app.mail.bodies import clean_html
from fluenzr_app.mail.compose import AttachedFile, reply_subject
from fluenzr_app.mail.errors import BadAddress
from fluenzr_app.mail.html_text import html_to_text
from fluenzr_app.sending.enqueue import enqueue
from fluenzr_app.sending.models import Message

_INBOUND = table_of(Inbound)
_CONTACT = table_of(Contact)
_ANSWER = table_of(Answer)
_DRAFT = table_of(AnswerDraft)
_FILE = table_of(AnswerFile)
_MESSAGE = table_of(Message)

MOST_LETTERS = 200_000
MOST_FILES = 10
# Providers take 25 MB as it travels, a third of which is the encoding.
MOST_OCTETS = 18_000_000
_PREVIEW = 200
_LATEST = timedelta(days=365)
_FORBIDDING = ("unsubscribed", "bounced", "blocked", "archived")


@dataclass(frozen=True, slots=True)
class DraftView:
    """What somebody has written so far and not sent; `updated_at` is absent when nothing was kept yet."""

    html: str
    files: tuple[FileView, ...]
    updated_at: datetime | None


def why_not(session: Session, line: ConversationLine) -> str | None:
    """Return the code of why nobody can answer in a conversation (see AnswerRefused), or None."""
    if line.account_status == "removed":
        return "account_removed"
    if line.contact_status in _FORBIDDING:
        return line.contact_status
    return "suppressed" if suppressed_contacts(session, line.workspace_id, [line.contact_id]) else None


def draft_of(session: Session, workspace_id: int, conversation_id: int, user_id: int) -> DraftView:
    """Return somebody's draft in a conversation, an empty one where there is none."""
    row = (
        session.connection()
        .execute(select(_DRAFT.c.html, _DRAFT.c.updated_at).where(*_own_draft(workspace_id, conversation_id, user_id)))
        .first()
    )
    files = _draft_files(session, workspace_id, conversation_id, user_id)
    return DraftView("" if row is None else row.html, files, None if row is None else row.updated_at)


def save_draft(
    session: Session, workspace_id: int, conversation_id: int, user_id: int, html: str, now: datetime
) -> None:
    """Keep what was written so far; raises ConversationNotFound, AnswerRefused ``too_long``."""
    get_conversation(session, workspace_id, conversation_id)
    if len(html) > MOST_LETTERS:
        raise AnswerRefused("too_long", f"An answer has {MOST_LETTERS} characters at most.")
    connection = session.connection()
    insertion = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(_DRAFT)
    connection.execute(
        insertion.on_conflict_do_update(
            index_elements=["conversation_id", "user_id"],
            set_={"html": insertion.excluded.html, "updated_at": insertion.excluded.updated_at},
        ),
        {
            "conversation_id": conversation_id,
            "user_id": user_id,
            "workspace_id": workspace_id,
            "html": html,
            "updated_at": now,
        },
    )


def add_file(
    session: Session,
    workspace_id: int,
    conversation_id: int,
    user_id: int,
    filename: str,
    content_type: str,
    content: bytes,
    now: datetime,
) -> FileView:
    """Put a file beside somebody's draft; raises ConversationNotFound, AnswerRefused for what would not travel."""
    get_conversation(session, workspace_id, conversation_id)
    present = _draft_files(session, workspace_id, conversation_id, user_id)
    name = _file_that_travels(filename, content, [each.size for each in present])
    file = AnswerFile(
        workspace_id=workspace_id, conversation_id=conversation_id, user_id=user_id, filename=name,
        content_type=content_type[:100] or "application/octet-stream", size=len(content), content=content,
        created_at=now,
    )  # fmt: skip
    session.add(file)
    session.flush()
    return FileView(file.id or 0, file.filename, file.content_type, file.size)


def remove_file(session: Session, workspace_id: int, conversation_id: int, user_id: int, file_id: int) -> None:
    """Take a file away from somebody's draft; one that is not there is no fault."""
    session.connection().execute(
        delete(_FILE).where(*_own_files(workspace_id, conversation_id, user_id), _FILE.c.id == file_id)
    )


def send_answer(
    session: Session,
    workspace_id: int,
    conversation_id: int,
    html: str,
    now: datetime,
    rng: random.Random,
    *,
    user_id: int | None = None,
    at: datetime | None = None,
    files: Sequence[AttachedFile] = (),
) -> int:
    """Put an answer, with `files` and those of the user's draft, into the queue and return its message id.

    It leaves ten seconds from now, or at `at`, from the account of the conversation and in its thread; until then
    `take_back` returns it. Raises ConversationNotFound, AnswerRefused.
    """
    line = get_conversation(session, workspace_id, conversation_id)
    refused = why_not(session, line)
    if refused is not None:
        raise AnswerRefused(refused, "Nobody may write to this contact from this account any more.")
    body, text = _checked(html)
    if at is not None and not now <= at <= now + _LATEST:
        raise AnswerRefused("bad_time", "Choose a moment between now and a year from now.")
    last = _last_inbound(session, conversation_id)
    to_address = _addressee(line, last)
    refused = _who_wrote_said_no(session, line, to_address)
    if refused is not None:
        raise AnswerRefused(refused, "Whoever wrote last is a contact who may not be written to any more.")
    message_id = enqueue(
        session, workspace_id=workspace_id, kind="answer", account_id=line.account_id, sender_key=line.account_email,
        to_address=to_address, due_at=at or now + UNDO_FOR, now=now, rng=rng, contact_id=line.contact_id,
    )  # fmt: skip
    references = [] if last is None else [*last.references, *([last.rfc_id] if last.rfc_id else [])]
    session.add(
        Answer(
            message_id=message_id, workspace_id=workspace_id, conversation_id=conversation_id, user_id=user_id,
            subject=reply_subject(line.subject), html=body, text=text,
            in_reply_to="" if last is None else last.rfc_id, references=references, created_at=now,
        )
    )  # fmt: skip
    session.flush()
    _attach(session, workspace_id, conversation_id, message_id, files, now)
    if user_id is not None:
        session.connection().execute(
            update(_FILE)
            .where(*_own_files(workspace_id, conversation_id, user_id))
            .values(message_id=message_id, user_id=None)
        )
        session.connection().execute(delete(_DRAFT).where(*_own_draft(workspace_id, conversation_id, user_id)))
    preview = " ".join(text.split())[:_PREVIEW]
    move(session, workspace_id, [conversation_id], "replied", now, last_at=now, last_kind="answer", preview=preview,
         snoozed_until=None)  # fmt: skip
    search.remember(session, conversation_id)
    return message_id


def _addressee(line: ConversationLine, last: Inbound | None) -> str:
    """Return whoever wrote last; the contact where what stands there is no address that anything can be sent to."""
    try:
        email_key(last.from_address if last is not None else "")
    except BadAddress:
        return line.email
    return last.from_address if last is not None else line.email


def _who_wrote_said_no(session: Session, line: ConversationLine, to_address: str) -> str | None:
    """Return the code of why an answer cannot go to somebody who wrote in place of the contact, or None."""
    row = (
        session.connection()
        .execute(
            select(_CONTACT.c.id, _CONTACT.c.status).where(
                _CONTACT.c.workspace_id == line.workspace_id, _CONTACT.c.email_key == email_key(to_address)
            )
        )
        .first()
    )
    if row is None or row.id == line.contact_id:
        return None
    if row.status in _FORBIDDING:
        return str(row.status)
    return "suppressed" if suppressed_contacts(session, line.workspace_id, [row.id]) else None


def take_back(session: Session, workspace_id: int, message_id: int, user_id: int, now: datetime) -> int:
    """Take an answer out of the queue before it left and make it the user's draft again; return its conversation.

    Raises AnswerRefused: ``no_such_answer``, or ``too_late`` once a server may have it.
    """
    connection = session.connection()
    row = connection.execute(
        select(_ANSWER.c.conversation_id, _ANSWER.c.html).where(
            _ANSWER.c.message_id == message_id, _ANSWER.c.workspace_id == workspace_id
        )
    ).first()
    if row is None:
        raise AnswerRefused("no_such_answer", "There is no such answer.")
    # A claimed one is not on the network yet: its mark finds that it is no longer claimed.
    taken = connection.execute(
        update(_MESSAGE)
        .where(
            _MESSAGE.c.id == message_id,
            _MESSAGE.c.workspace_id == workspace_id,
            _MESSAGE.c.status.in_(("queued", "claimed")),
            _MESSAGE.c.attempts == 0,
        )
        .values(status="cancelled", reason="taken_back", worker_id=None)
    )
    if taken.rowcount != 1:
        raise AnswerRefused("too_late", "It has left already.")
    connection.execute(update(_FILE).where(_FILE.c.message_id == message_id).values(message_id=None, user_id=user_id))
    kept = draft_of(session, workspace_id, row.conversation_id, user_id)
    # What somebody has begun to write since is not lost either.
    html = f"{row.html}<p></p>{kept.html}" if kept.html.strip() else row.html
    save_draft(session, workspace_id, row.conversation_id, user_id, html[:MOST_LETTERS], now)
    connection.execute(delete(_ANSWER).where(_ANSWER.c.message_id == message_id))
    connection.execute(delete(_MESSAGE).where(_MESSAGE.c.id == message_id))
    _look_back(session, workspace_id, row.conversation_id, now)
    search.remember(session, row.conversation_id)
    return int(row.conversation_id)


def _look_back(session: Session, workspace_id: int, conversation_id: int, now: datetime) -> None:
    """Show what came last again, now that the answer to it was taken back."""
    last = _last_inbound(session, conversation_id)
    if last is not None:
        kind = "automatic" if last.kind == "automatic" else "reply"
        preview = " ".join((last.text or last.subject).split())[:_PREVIEW]
        move(session, workspace_id, [conversation_id], "read", now, last_at=last.arrived_at, last_kind=kind,
             preview=preview)  # fmt: skip


def _checked(html: str) -> tuple[str, str]:
    if len(html) > MOST_LETTERS:
        raise AnswerRefused("too_long", f"An answer has {MOST_LETTERS} characters at most.")
    body = clean_html(html)
    text = html_to_text(body)
    if not text.strip():
        raise AnswerRefused("empty", "The answer is empty.")
    return body, text


def _attach(
    session: Session,
    workspace_id: int,
    conversation_id: int,
    message_id: int,
    files: Sequence[AttachedFile],
    now: datetime,
) -> None:
    sizes: list[int] = []
    for file in files:
        name = _file_that_travels(file.filename, file.content, sizes)
        sizes.append(len(file.content))
        session.add(
            AnswerFile(
                workspace_id=workspace_id, conversation_id=conversation_id, message_id=message_id, filename=name,
                content_type=file.content_type[:100] or "application/octet-stream", size=len(file.content),
                content=file.content, created_at=now,
            )
        )  # fmt: skip
    session.flush()


def _last_inbound(session: Session, conversation_id: int) -> Inbound | None:
    """Return the mail that an answer answers: the last one a person wrote, else the last one."""
    person_first = (_INBOUND.c.kind == "automatic").asc()
    statement = (
        select(Inbound)
        .where(_INBOUND.c.conversation_id == conversation_id)
        .order_by(person_first, _INBOUND.c.arrived_at.desc(), _INBOUND.c.id.desc())
        .limit(1)
    )
    return session.execute(statement).scalars().first()


def _draft_files(session: Session, workspace_id: int, conversation_id: int, user_id: int) -> tuple[FileView, ...]:
    rows = session.connection().execute(
        select(_FILE.c.id, _FILE.c.filename, _FILE.c.content_type, _FILE.c.size)
        .where(*_own_files(workspace_id, conversation_id, user_id))
        .order_by(_FILE.c.id)
    )
    return tuple(FileView(*row) for row in rows)


def _own_draft(workspace_id: int, conversation_id: int, user_id: int) -> Sequence[ColumnElement[bool]]:
    return (
        _DRAFT.c.workspace_id == workspace_id,
        _DRAFT.c.conversation_id == conversation_id,
        _DRAFT.c.user_id == user_id,
    )


def _own_files(workspace_id: int, conversation_id: int, user_id: int) -> Sequence[ColumnElement[bool]]:
    return (
        _FILE.c.workspace_id == workspace_id,
        _FILE.c.conversation_id == conversation_id,
        _FILE.c.user_id == user_id,
        _FILE.c.message_id.is_(None),
    )


def _file_that_travels(filename: str, content: bytes, beside: Sequence[int]) -> str:
    """Return the name under which a file goes along; `beside` are the sizes of those that are there already."""
    name = _file_name(filename)
    if len(beside) >= MOST_FILES:
        raise AnswerRefused("too_many_files", f"An answer takes {MOST_FILES} files at most.")
    if not content:
        raise AnswerRefused("bad_file", f"“{name}” is empty.")
    if sum(beside) + len(content) > MOST_OCTETS:
        code = "file_too_large" if len(content) > MOST_OCTETS else "files_too_large"
        raise AnswerRefused(code, f"Files may have {MOST_OCTETS // 1_000_000} MB in all: mailboxes refuse more.")
    return name


def _file_name(filename: str) -> str:
    name = filename.replace("\\", "/").rpartition("/")[2]
    name = "".join(letter for letter in name if letter.isprintable()).strip()[:150]
    if not name or name in (".", ".."):
        raise AnswerRefused("bad_file", "The file has no name.")
    return name
