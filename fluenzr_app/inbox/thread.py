"""One conversation from its first mail to its last: what came, what campaigns sent, what was answered by hand."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import select
from sqlmodel import Session

from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.campaigns.models import Campaign, Node
from fluenzr_app.db.tables import table_of
from fluenzr_app.events.models import Event
from fluenzr_app.inbox.conversations import get_conversation
from fluenzr_app.inbox.errors import ConversationNotFound
from fluenzr_app.inbox.models import Answer, AnswerFile, Conversation, Inbound, InboundContent
from fluenzr_app.mail.incoming import Attachment, attachment_content, parse
from fluenzr_app.mail.shown_html import ShownHtml, for_display
from fluenzr_app.sending.models import Message, SentMail
from fluenzr_app.tracking.own_links import OwnLinks

_CONVERSATION = table_of(Conversation)
_INBOUND = table_of(Inbound)
_CONTENT = table_of(InboundContent)
_ANSWER = table_of(Answer)
_FILE = table_of(AnswerFile)
_MESSAGE = table_of(Message)
_SENT = table_of(SentMail)
_NODE = table_of(Node)
_CAMPAIGN = table_of(Campaign)
_ACCOUNT = table_of(EmailAccount)
_EVENT = table_of(Event)

# How long an answer stays in the queue so that it can be taken back (inbox.md, Conversations).
UNDO_FOR = timedelta(seconds=10)
_MOST_OF_EACH = 200

Kind = Literal["mail", "answer", "reply", "automatic"]
# Of mails with the same moment the one that is answered stands first.
_RANK: Mapping[Kind, int] = {"mail": 0, "reply": 1, "automatic": 1, "answer": 2}


@dataclass(frozen=True, slots=True)
class FileView:
    """A file beside a mail. `index` is its place in an incoming mail, or the key of a file that goes with an answer."""

    index: int
    filename: str
    content_type: str
    size: int


@dataclass(frozen=True, slots=True)
class ThreadItem:
    """One mail of a conversation. Kind: mail (of a campaign), answer (by hand), reply, automatic.

    `id` is the key of the message or of the incoming mail. `status` is that of an outgoing mail (queued, claimed,
    sending, sent, uncertain, failed, cancelled), empty for one that came; `due_at` is when a queued one leaves,
    `detail` the server's words about one that failed. `quoted` is what was quoted, in full. `step` is the number of
    the campaign's mail. `can_undo`: it has not left yet and can be taken back. `opened_at` and `clicked_at` are when a
    person, never a machine, first opened it or followed a link in it, the first of which is `clicked_link`.
    """

    id: int
    kind: Kind
    at: datetime
    from_name: str
    from_address: str
    to_address: str
    subject: str
    text: str = ""
    quoted: str = ""
    has_html: bool = False
    truncated: bool = False
    files: tuple[FileView, ...] = ()
    status: str = ""
    reason: str = ""
    detail: str = ""
    due_at: datetime | None = None
    returns_on: date | None = None
    campaign_id: int | None = None
    campaign_name: str = ""
    step: int = 0
    can_undo: bool = False
    opened_at: datetime | None = None
    clicked_at: datetime | None = None
    clicked_link: str = ""


@dataclass(frozen=True, slots=True)
class _Read:
    opened_at: datetime | None = None
    clicked_at: datetime | None = None
    clicked_link: str = ""


def thread(session: Session, workspace_id: int, conversation_id: int) -> tuple[ThreadItem, ...]:
    """Return the mails of a conversation, oldest first, the latest 200 of each kind; raises ConversationNotFound."""
    line = get_conversation(session, workspace_id, conversation_id)
    items = [
        *_came(session, workspace_id, conversation_id, line.account_email),
        *_went(session, workspace_id, conversation_id, line.contact_id, line.account_id),
    ]
    return tuple(sorted(items, key=lambda item: (item.at, _RANK[item.kind], item.id)))


def shown_html(
    session: Session, links: OwnLinks, workspace_id: int, inbound_id: int, *, remote_images: bool
) -> ShownHtml:
    """Return an incoming mail's HTML as a document for a sandboxed frame; raises ConversationNotFound.

    What it quotes of ours is shown without pixel and without links that would count as the recipient's clicks.
    """
    raw = _raw(session, workspace_id, inbound_id)
    mail = parse(raw)
    inline: dict[str, tuple[str, bytes]] = {}
    for file in mail.attachments:
        if file.content_id and file.content_type.startswith("image/"):
            inline[file.content_id] = (file.content_type, attachment_content(raw, file.index)[1])
    return for_display(mail.html, remote_images=remote_images, inline=inline, plain=links.plain)


def incoming_file(session: Session, workspace_id: int, inbound_id: int, index: int) -> tuple[Attachment, bytes]:
    """Return a file of an incoming mail; raises ConversationNotFound where mail or file are not there."""
    raw = _raw(session, workspace_id, inbound_id)
    try:
        return attachment_content(raw, index)
    except LookupError:
        raise ConversationNotFound("There is no such file.") from None


def outgoing_file(session: Session, workspace_id: int, file_id: int) -> tuple[FileView, bytes]:
    """Return a file that goes, or went, with an answer; raises ConversationNotFound."""
    row = (
        session.connection()
        .execute(
            select(_FILE.c.id, _FILE.c.filename, _FILE.c.content_type, _FILE.c.size, _FILE.c.content).where(
                _FILE.c.id == file_id, _FILE.c.workspace_id == workspace_id
            )
        )
        .first()
    )
    if row is None:
        raise ConversationNotFound("There is no such file.")
    return FileView(*row[:4]), bytes(row.content)


def _raw(session: Session, workspace_id: int, inbound_id: int) -> bytes:
    row = (
        session.connection()
        .execute(
            select(_CONTENT.c.content)
            .join_from(_CONTENT, _INBOUND, _INBOUND.c.id == _CONTENT.c.inbound_id)
            .where(_INBOUND.c.id == inbound_id, _INBOUND.c.workspace_id == workspace_id)
        )
        .first()
    )
    if row is None:
        raise ConversationNotFound("There is no such mail.")
    return zlib.decompress(row.content)


def _came(session: Session, workspace_id: int, conversation_id: int, account_email: str) -> list[ThreadItem]:
    rows = session.connection().execute(
        select(_INBOUND)
        .where(_INBOUND.c.conversation_id == conversation_id, _INBOUND.c.workspace_id == workspace_id)
        .order_by(_INBOUND.c.arrived_at.desc(), _INBOUND.c.id.desc())
        .limit(_MOST_OF_EACH)
    )
    return [
        ThreadItem(
            id=row.id,
            kind="automatic" if row.kind == "automatic" else "reply",
            at=row.arrived_at,
            from_name=row.from_name,
            from_address=row.from_address,
            to_address=account_email,
            subject=row.subject,
            text=row.text,
            quoted=row.quoted,
            has_html=row.has_html,
            truncated=row.truncated,
            files=tuple(_file_view(each) for each in row.attachments),
            returns_on=row.returns_on,
        )
        for row in rows
    ]


def _went(
    session: Session, workspace_id: int, conversation_id: int, contact_id: int, account_id: int
) -> list[ThreadItem]:
    rows = (
        session.connection()
        .execute(
            select(
                _MESSAGE.c.id, _MESSAGE.c.kind, _MESSAGE.c.status, _MESSAGE.c.reason, _MESSAGE.c.detail,
                _MESSAGE.c.to_address, _MESSAGE.c.subject, _MESSAGE.c.due_at, _MESSAGE.c.sent_at,
                _MESSAGE.c.created_at, _MESSAGE.c.campaign_id, _MESSAGE.c.node_id,
                _CAMPAIGN.c.name.label("campaign_name"),
                _ACCOUNT.c.email, _ACCOUNT.c.display_name, _SENT.c.raw,
                _ANSWER.c.text, _ANSWER.c.conversation_id, _ANSWER.c.subject.label("answer_subject"),
            )
            .join_from(_MESSAGE, _ACCOUNT, _ACCOUNT.c.id == _MESSAGE.c.account_id)
            .outerjoin(_ANSWER, _ANSWER.c.message_id == _MESSAGE.c.id)
            .outerjoin(_SENT, _SENT.c.message_id == _MESSAGE.c.id)
            .outerjoin(_CAMPAIGN, _CAMPAIGN.c.id == _MESSAGE.c.campaign_id)
            .where(
                _MESSAGE.c.workspace_id == workspace_id,
                _MESSAGE.c.contact_id == contact_id,
                _MESSAGE.c.account_id == account_id,
                _MESSAGE.c.kind.in_(("campaign", "answer")),
                # A campaign's mail that never left is no part of what was said.
                (_MESSAGE.c.kind == "answer") | _MESSAGE.c.status.in_(("sending", "sent", "uncertain", "failed")),
            )
            .order_by(_MESSAGE.c.id.desc())
            .limit(_MOST_OF_EACH)
        )
        .all()
    )  # fmt: skip
    rows = [row for row in rows if row.kind == "campaign" or row.conversation_id == conversation_id]
    files = _files_of(session, [row.id for row in rows if row.kind == "answer"])
    steps = _steps(session, {row.campaign_id for row in rows if row.campaign_id})
    read = _read_by_contact(session, workspace_id, contact_id, [row.id for row in rows if row.kind == "campaign"])
    return [_outgoing(row, files.get(row.id, ()), steps.get(row.node_id, 0), read.get(row.id, _Read())) for row in rows]


def _outgoing(row: Any, files: tuple[FileView, ...], step: int, read: _Read) -> ThreadItem:
    waits = row.status in ("queued", "claimed")
    return ThreadItem(
        id=row.id,
        kind="answer" if row.kind == "answer" else "mail",
        at=row.sent_at or (row.due_at if waits else row.created_at),
        from_name=row.display_name,
        from_address=row.email,
        to_address=row.to_address,
        subject=row.subject or row.answer_subject or "",
        text=row.text if row.kind == "answer" else ("" if row.raw is None else parse(zlib.decompress(row.raw)).text),
        files=files,
        status=row.status,
        reason=row.reason,
        detail=row.detail,
        due_at=row.due_at if waits else None,
        campaign_id=row.campaign_id,
        campaign_name=row.campaign_name or "",
        step=step,
        can_undo=row.kind == "answer" and waits,
        opened_at=read.opened_at,
        clicked_at=read.clicked_at,
        clicked_link=read.clicked_link,
    )


def _read_by_contact(
    session: Session, workspace_id: int, contact_id: int, message_ids: Sequence[int]
) -> Mapping[int, _Read]:
    """Return which of the messages the contact opened and clicked in; each happens once to a message (see events)."""
    if not message_ids:
        return {}
    rows = session.connection().execute(
        select(_EVENT.c.message_id, _EVENT.c.type, _EVENT.c.at, _EVENT.c.data).where(
            _EVENT.c.contact_id == contact_id,
            _EVENT.c.workspace_id == workspace_id,
            _EVENT.c.message_id.in_(message_ids),
            _EVENT.c.type.in_(("email.opened", "email.clicked")),
            _EVENT.c.machine.is_(False),
        )
    )
    found: dict[int, _Read] = {}
    for row in rows:
        before = found.get(row.message_id, _Read())
        if row.type == "email.opened":
            found[row.message_id] = replace(before, opened_at=row.at)
        else:
            link = str((row.data or {}).get("link", ""))
            found[row.message_id] = replace(before, clicked_at=row.at, clicked_link=link)
    return found


def _files_of(session: Session, message_ids: Sequence[int]) -> Mapping[int, tuple[FileView, ...]]:
    if not message_ids:
        return {}
    found: dict[int, tuple[FileView, ...]] = {}
    rows = session.connection().execute(
        select(_FILE.c.message_id, _FILE.c.id, _FILE.c.filename, _FILE.c.content_type, _FILE.c.size)
        .where(_FILE.c.message_id.in_(message_ids))
        .order_by(_FILE.c.id)
    )
    for row in rows:
        found[row.message_id] = (*found.get(row.message_id, ()), FileView(*row[1:]))
    return found


def _steps(session: Session, campaign_ids: set[int]) -> dict[int, int]:
    """Return which number each mail has in its campaign, by node; mails that were taken out count where they stood."""
    if not campaign_ids:
        return {}
    rows = session.connection().execute(
        select(_NODE.c.id, _NODE.c.campaign_id)
        .where(_NODE.c.campaign_id.in_(campaign_ids), _NODE.c.kind == "email")
        .order_by(_NODE.c.campaign_id, _NODE.c.position, _NODE.c.id)
    )
    numbers: dict[int, int] = {}
    so_far: dict[int, int] = {}
    for row in rows:
        so_far[row.campaign_id] = so_far.get(row.campaign_id, 0) + 1
        numbers[row.id] = so_far[row.campaign_id]
    return numbers


def _file_view(stored: Mapping[str, Any]) -> FileView:
    return FileView(stored["index"], stored["filename"], stored["content_type"], stored["size"])
