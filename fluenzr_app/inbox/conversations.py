"""The list of conversations, and what a person does with one: read, archive, label, put off, confirm a stop."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, func, select, update
from sqlmodel import Session

from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.campaigns.models import Campaign
from fluenzr_app.contacts.listing import COUNTED_TO
from fluenzr_app.contacts.models import Contact
from fluenzr_app.db.tables import table_of
from fluenzr_app.inbox import counts as kept
from fluenzr_app.inbox import search
from fluenzr_app.inbox.errors import BadFilter, ConversationNotFound
from fluenzr_app.inbox.models import Answer, Conversation
from fluenzr_app.sending.models import Message

_CONVERSATION = table_of(Conversation)
_CONTACT = table_of(Contact)
_CAMPAIGN = table_of(Campaign)
_ACCOUNT = table_of(EmailAccount)
_ANSWER = table_of(Answer)
_MESSAGE = table_of(Message)

Status = Literal["unread", "read", "replied", "archived"]
STATUSES = ("unread", "read", "replied", "archived")
LABELS = ("", "interested", "not_interested", "later")
MOST_PER_PAGE = 100
_NOT_SENT = ("failed", "cancelled", "uncertain")

_LINES: Select[Any] = (
    select(
        _CONVERSATION,
        _CONTACT.c.email,
        _CONTACT.c.first_name,
        _CONTACT.c.last_name,
        _CONTACT.c.company,
        _CONTACT.c.status.label("contact_status"),
        _CAMPAIGN.c.name.label("campaign_name"),
        _ACCOUNT.c.email.label("account_email"),
        _ACCOUNT.c.status.label("account_status"),
    )
    .join_from(_CONVERSATION, _CONTACT, _CONTACT.c.id == _CONVERSATION.c.contact_id)
    .join(_ACCOUNT, _ACCOUNT.c.id == _CONVERSATION.c.account_id)
    .outerjoin(_CAMPAIGN, _CAMPAIGN.c.id == _CONVERSATION.c.campaign_id)
)


@dataclass(frozen=True, slots=True)
class Filters:
    """Which conversations: everything given must hold. Without a status the archived ones are left out.

    `since` and `until` bound the last mail of the conversation (half-open); `query` looks at contact, company,
    campaigns and everything written.
    """

    status: str = ""
    archived_too: bool = False
    campaign_id: int | None = None
    account_id: int | None = None
    contact_id: int | None = None
    label: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    query: str = ""


@dataclass(frozen=True, slots=True)
class ConversationLine:
    """A conversation as a list shows it; see `models.Conversation` for its states.

    `contact_name` is empty where only the address is known; `campaign_name` is empty when no campaign is concerned.
    """

    id: int
    workspace_id: int
    contact_id: int
    contact_name: str
    company: str
    email: str
    contact_status: str
    account_id: int
    account_email: str
    account_status: str
    campaign_id: int | None
    campaign_name: str
    enrollment_id: int | None
    subject: str
    preview: str
    status: str
    label: str
    last_kind: str
    last_at: datetime
    last_inbound_at: datetime
    returns_on: date | None
    stop_asked_at: datetime | None
    snoozed_until: datetime | None
    revision: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ConversationPage:
    """One page, newest first, and how many match in all; with `total_is_lower_bound` there are more than `total`."""

    lines: tuple[ConversationLine, ...]
    total: int
    total_is_lower_bound: bool
    page: int
    per_page: int

    @property
    def total_pages(self) -> int:
        """How many pages there are at least."""
        return max(1, -(-self.total // self.per_page))


def list_conversations(
    session: Session, workspace_id: int, filters: Filters | None = None, *, page: int = 1, per_page: int = 50
) -> ConversationPage:
    """Return a page of conversations; raises BadFilter for a status or label that does not exist."""
    wanted = filters or Filters()
    page, per_page = max(page, 1), max(1, min(per_page, MOST_PER_PAGE))
    conditions = _conditions(wanted)
    if wanted.query.strip():
        return _searched(session, workspace_id, wanted.query, conditions, page, per_page)
    rows = (
        session.connection()
        .execute(
            _LINES.where(_CONVERSATION.c.workspace_id == workspace_id, *conditions)
            .order_by(_CONVERSATION.c.last_at.desc(), _CONVERSATION.c.id.desc())
            .limit(per_page)
            .offset((page - 1) * per_page)
        )
        .all()
    )
    if 0 < len(rows) < per_page or (not rows and page == 1):
        total, more = (page - 1) * per_page + len(rows), False
    else:
        total, more = _count(session, workspace_id, wanted, conditions)
    return ConversationPage(tuple(map(_line, rows)), total, more, page, per_page)


def get_conversation(session: Session, workspace_id: int, conversation_id: int) -> ConversationLine:
    """Return one conversation; raises ConversationNotFound."""
    row = (
        session.connection()
        .execute(_LINES.where(_CONVERSATION.c.workspace_id == workspace_id, _CONVERSATION.c.id == conversation_id))
        .first()
    )
    if row is None:
        raise ConversationNotFound("There is no such conversation.")
    return _line(row)


def unread_count(session: Session, workspace_id: int) -> int:
    """Return how many conversations wait to be read."""
    return kept.counts(session, workspace_id)["unread"]


def not_sent(session: Session, workspace_id: int, conversation_ids: Sequence[int]) -> dict[int, str]:
    """Return those of the conversations whose last answer is failed, cancelled or uncertain, with which it is."""
    rows = session.connection().execute(
        select(_ANSWER.c.conversation_id, _MESSAGE.c.status)
        .join_from(_ANSWER, _MESSAGE, _MESSAGE.c.id == _ANSWER.c.message_id)
        .where(_ANSWER.c.workspace_id == workspace_id, _ANSWER.c.conversation_id.in_(list(conversation_ids)))
        .order_by(_ANSWER.c.message_id)
    )
    last = {row.conversation_id: row.status for row in rows}
    return {conversation_id: status for conversation_id, status in last.items() if status in _NOT_SENT}


def set_status(session: Session, workspace_id: int, conversation_ids: Sequence[int], status: str, now: datetime) -> int:
    """Give conversations a status and return how many changed; a snooze ends with it. Raises BadFilter."""
    if status not in STATUSES:
        raise BadFilter("status", f"“{status[:40]}” is no status; choose one of {', '.join(STATUSES)}.")
    return move(session, workspace_id, conversation_ids, status, now, snoozed_until=None)


def mark_all_read(session: Session, workspace_id: int, now: datetime) -> int:
    """Mark every unread conversation as read; return how many that were."""
    ids = session.connection().execute(
        select(_CONVERSATION.c.id).where(
            _CONVERSATION.c.workspace_id == workspace_id, _CONVERSATION.c.status == "unread"
        )
    )
    return set_status(session, workspace_id, list(ids.scalars()), "read", now)


def set_label(session: Session, workspace_id: int, conversation_ids: Sequence[int], label: str, now: datetime) -> int:
    """Label conversations (empty takes the label off) and return how many changed; raises BadFilter."""
    if label not in LABELS:
        raise BadFilter("label", f"“{label[:40]}” is no label; choose one of {', '.join(filter(None, LABELS))}.")
    changed = session.connection().execute(
        update(_CONVERSATION)
        .where(
            _CONVERSATION.c.workspace_id == workspace_id,
            _CONVERSATION.c.id.in_(list(conversation_ids)),
            _CONVERSATION.c.label != label,
        )
        .values(label=label, updated_at=now, revision=_CONVERSATION.c.revision + 1)
    )
    return int(changed.rowcount)


def snooze(session: Session, workspace_id: int, conversation_id: int, until: datetime, now: datetime) -> None:
    """Put a conversation away until a moment, at which it is unread again.

    Raises BadFilter for a moment that is over, ConversationNotFound.
    """
    if until <= now:
        raise BadFilter("until", "Choose a moment that is still to come.")
    get_conversation(session, workspace_id, conversation_id)
    move(session, workspace_id, [conversation_id], "archived", now, snoozed_until=until)


def something_is_over(session: Session, asked_before: datetime, now: datetime) -> bool:
    """Return whether a snooze has ended at `now`, or a request to stop from before `asked_before` is undecided."""
    over = (_CONVERSATION.c.snoozed_until.is_not(None) & (_CONVERSATION.c.snoozed_until <= now)) | (
        _CONVERSATION.c.stop_asked_at.is_not(None) & (_CONVERSATION.c.stop_asked_at <= asked_before)
    )
    return session.connection().execute(select(_CONVERSATION.c.id).where(over).limit(1)).first() is not None


def end_snoozes(session: Session, now: datetime, limit: int = 500) -> int:
    """Bring back the conversations whose time has come, in all workspaces; return how many."""
    rows = session.connection().execute(
        select(_CONVERSATION.c.workspace_id, _CONVERSATION.c.id)
        .where(_CONVERSATION.c.snoozed_until.is_not(None), _CONVERSATION.c.snoozed_until <= now)
        .order_by(_CONVERSATION.c.id)
        .limit(limit)
    )
    by_workspace: dict[int, list[int]] = {}
    for workspace_id, conversation_id in rows.all():
        by_workspace.setdefault(workspace_id, []).append(conversation_id)
    return sum(move(session, each, ids, "unread", now, snoozed_until=None) for each, ids in by_workspace.items())


def move(
    session: Session, workspace_id: int, conversation_ids: Sequence[int], status: str, now: datetime, **values: Any
) -> int:
    """Give conversations a status and other values, with the counts that go with it; return how many changed."""
    connection = session.connection()
    rows = connection.execute(
        select(_CONVERSATION.c.id, _CONVERSATION.c.status, _CONVERSATION.c.snoozed_until)
        .where(_CONVERSATION.c.workspace_id == workspace_id, _CONVERSATION.c.id.in_(list(conversation_ids)))
        .order_by(_CONVERSATION.c.id)
        .with_for_update()
    ).all()
    changed = [row for row in rows if row.status != status or (values and _differs(row, values))]
    if not changed:
        return 0
    connection.execute(
        update(_CONVERSATION)
        .where(_CONVERSATION.c.id.in_([row.id for row in changed]))
        .values(status=status, updated_at=now, revision=_CONVERSATION.c.revision + 1, **values)
    )
    changes: Counter[str] = Counter()
    for row in changed:
        changes[row.status] -= 1
        changes[status] += 1
    kept.add(session, workspace_id, changes)
    return len(changed)


def contacts_deleted(session: Session, workspace_id: int, contact_ids: Sequence[int], now: datetime) -> None:
    """Let the conversations of contacts that are about to be deleted go with them, out of counts and search too."""
    rows = (
        session.connection()
        .execute(
            select(_CONVERSATION.c.id, _CONVERSATION.c.status)
            .where(_CONVERSATION.c.workspace_id == workspace_id, _CONVERSATION.c.contact_id.in_(list(contact_ids)))
            .order_by(_CONVERSATION.c.id)
            .with_for_update()
        )
        .all()
    )
    changes: Counter[str] = Counter()
    for row in rows:
        changes[row.status] -= 1
    search.forget(session, [row.id for row in rows])
    kept.add(session, workspace_id, changes)


def _differs(row: Any, values: dict[str, Any]) -> bool:
    return any(name != "snoozed_until" or row.snoozed_until != value for name, value in values.items())


def _searched(
    session: Session,
    workspace_id: int,
    query: str,
    conditions: Sequence[ColumnElement[bool]],
    page: int,
    per_page: int,
) -> ConversationPage:
    up_to = page * per_page
    found = search.find(session, workspace_id, query, conditions, up_to + 1)
    ids = found[up_to - per_page : up_to]
    rows = session.connection().execute(_LINES.where(_CONVERSATION.c.id.in_(ids))).all() if ids else []
    by_id = {row.id: _line(row) for row in rows}
    more = len(found) > up_to
    return ConversationPage(tuple(by_id[each] for each in ids), min(len(found), up_to), more, page, per_page)


def _count(
    session: Session, workspace_id: int, wanted: Filters, conditions: Sequence[ColumnElement[bool]]
) -> tuple[int, bool]:
    if wanted == Filters(status=wanted.status, archived_too=wanted.archived_too):
        counts = kept.counts(session, workspace_id)
        if wanted.status:
            return counts[wanted.status], False
        return sum(n for status, n in counts.items() if wanted.archived_too or status != "archived"), False
    some = (
        select(_CONVERSATION.c.id)
        .where(_CONVERSATION.c.workspace_id == workspace_id, *conditions)
        .limit(COUNTED_TO + 1)
        .subquery()
    )
    found = int(session.connection().execute(select(func.count()).select_from(some)).scalar_one())
    return min(found, COUNTED_TO), found > COUNTED_TO


def _conditions(wanted: Filters) -> list[ColumnElement[bool]]:
    if wanted.status and wanted.status not in STATUSES:
        raise BadFilter("status", f"“{wanted.status[:40]}” is no status; choose one of {', '.join(STATUSES)}.")
    if wanted.label is not None and wanted.label not in LABELS:
        raise BadFilter("label", f"“{wanted.label[:40]}” is no label.")
    found: list[ColumnElement[bool]] = []
    if wanted.status:
        found.append(_CONVERSATION.c.status == wanted.status)
    elif not wanted.archived_too:
        found.append(_CONVERSATION.c.status != "archived")
    for column, value in (
        (_CONVERSATION.c.campaign_id, wanted.campaign_id),
        (_CONVERSATION.c.account_id, wanted.account_id),
        (_CONVERSATION.c.contact_id, wanted.contact_id),
        (_CONVERSATION.c.label, wanted.label),
    ):
        if value is not None:
            found.append(column == value)
    if wanted.since is not None:
        found.append(_CONVERSATION.c.last_at >= wanted.since)
    if wanted.until is not None:
        found.append(_CONVERSATION.c.last_at < wanted.until)
    return found


def _line(row: Any) -> ConversationLine:
    return ConversationLine(
        id=row.id,
        workspace_id=row.workspace_id,
        contact_id=row.contact_id,
        contact_name=" ".join(part for part in (row.first_name, row.last_name) if part),
        company=row.company,
        email=row.email,
        contact_status=row.contact_status,
        account_id=row.account_id,
        account_email=row.account_email,
        account_status=row.account_status,
        campaign_id=row.campaign_id,
        campaign_name=row.campaign_name or "",
        enrollment_id=row.enrollment_id,
        subject=row.subject,
        preview=row.preview,
        status=row.status,
        label=row.label,
        last_kind=row.last_kind,
        last_at=row.last_at,
        last_inbound_at=row.last_inbound_at,
        returns_on=row.returns_on,
        stop_asked_at=row.stop_asked_at,
        snoozed_until=row.snoozed_until,
        revision=row.revision,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
