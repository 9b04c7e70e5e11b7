"""Tables of what comes back: how far each mailbox was read, incoming mails, conversations and answers to them."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import DDL, Index, UniqueConstraint, event, text
from sqlmodel import Field, SQLModel

from fluenzr_app.db.tables import table_of
from fluenzr_app.db.types import BigId, Bytes, Json, UtcDateTime

_SNOOZED = text("snoozed_until IS NOT NULL")
_STOP_ASKED = text("stop_asked_at IS NOT NULL")


class MailboxReading(SQLModel, table=True):
    """How an account's mailbox is read. `since`: nothing that arrived before is ever looked at.

    `lease_until` and `beat_at` are wall-clock time, also on a virtual clock: one process reads a mailbox at a time.
    `failed_since` is set while it cannot be read, `error_code` and `error_text` say why, `due_at` (wall) when it is
    tried again; a change of the account since (`account_revision`) is reason enough to try at once.
    """

    __tablename__ = "mailbox_reading"

    account_id: int = Field(foreign_key="email_account.id", primary_key=True, sa_type=BigId, ondelete="CASCADE")
    workspace_id: int = Field(sa_type=BigId)
    since: datetime = Field(sa_type=UtcDateTime)
    owner: str = ""
    lease_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    due_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    account_revision: int = 0
    failures: int = 0
    failed_since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    error_code: str = ""
    error_text: str = ""


class MailboxFolder(SQLModel, table=True):
    """How far one folder was read: everything up to `last_uid` under `uidvalidity` is settled (RFC 9051, 2.3.1.1)."""

    __tablename__ = "mailbox_folder"

    account_id: int = Field(foreign_key="email_account.id", primary_key=True, sa_type=BigId, ondelete="CASCADE")
    name: str = Field(primary_key=True)
    uidvalidity: int = Field(sa_type=BigId)
    last_uid: int = Field(sa_type=BigId)


class Conversation(SQLModel, table=True):
    """The thread with one contact through one email account.

    Status: unread, read, replied, archived. Label: empty, interested, not_interested, later. `campaign_id` and
    `enrollment_id` are those of the mail that was answered last. `last_kind` is what came last: reply, automatic,
    answer (ours). `stop_asked_at`: the contact's whole answer was a request to stop, and nobody has confirmed it yet.
    `returns_on`: the day that the last automatic answer named. `snoozed_until`: hidden from the unread until then.
    """

    __tablename__ = "conversation"
    __table_args__ = (
        UniqueConstraint("contact_id", "account_id", name="uq_conversation"),
        Index("ix_conversation_last", "workspace_id", "last_at", "id"),
        Index("ix_conversation_status", "workspace_id", "status", "last_at", "id"),
        Index("ix_conversation_campaign", "workspace_id", "campaign_id", "last_at", "id"),
        Index("ix_conversation_account", "workspace_id", "account_id", "last_at", "id"),
        Index("uq_conversation_rank", "search_rank", unique=True),
        Index("ix_conversation_snoozed", "snoozed_until", sqlite_where=_SNOOZED, postgresql_where=_SNOOZED),
        Index("ix_conversation_stop", "stop_asked_at", sqlite_where=_STOP_ASKED, postgresql_where=_STOP_ASKED),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    workspace_id: int = Field(foreign_key="workspace.id", sa_type=BigId)
    contact_id: int = Field(foreign_key="contact.id", sa_type=BigId, ondelete="CASCADE")
    account_id: int = Field(foreign_key="email_account.id", sa_type=BigId)
    campaign_id: int | None = Field(default=None, sa_type=BigId)
    enrollment_id: int | None = Field(default=None, sa_type=BigId)
    subject: str = ""
    preview: str = ""
    status: str = "unread"
    label: str = ""
    last_kind: str = "reply"
    last_at: datetime = Field(sa_type=UtcDateTime)
    last_inbound_at: datetime = Field(sa_type=UtcDateTime)
    returns_on: date | None = None
    stop_asked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    snoozed_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    # Grows with every change; a page that shows an older one reads again.
    revision: int = 1
    # Its row in SQLite's index of words, a later one with every mail: that index is read newest first only by its rows.
    search_rank: int | None = Field(default=None, sa_type=BigId)
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)


_FIND_WORDS = "fts5(place, words, tokenize='unicode61 remove_diacritics 2', prefix='2 3 4 5 6 7')"
# What the search looks into. Each database has its own kind of index for words, which no model can describe: a virtual
# table on SQLite (its rowid is the conversation's rank), a vector with an inverted index on PostgreSQL.
SEARCH_TABLES: dict[str, tuple[str, ...]] = {
    "sqlite": (f"CREATE VIRTUAL TABLE conversation_search USING {_FIND_WORDS}",),
    "postgresql": (
        """
        CREATE TABLE conversation_search (
            conversation_id BIGINT PRIMARY KEY REFERENCES conversation (id) ON DELETE CASCADE,
            words TSVECTOR NOT NULL
        )
        """,
        "CREATE INDEX ix_conversation_search ON conversation_search USING gin (words)",
    ),
}
for _dialect, _statements in SEARCH_TABLES.items():
    for _statement in _statements:
        event.listen(table_of(Conversation), "after_create", DDL(_statement).execute_if(dialect=_dialect))  # type: ignore[no-untyped-call]


class ConversationCount(SQLModel, table=True):
    """Conversations of a workspace by status, kept with every change, so that no page counts them."""

    __tablename__ = "conversation_count"

    workspace_id: int = Field(primary_key=True, sa_type=BigId)
    status: str = Field(primary_key=True)
    n: int = 0


class Inbound(SQLModel, table=True):
    """An incoming mail that concerned us, stored once however often it is seen.

    Kind: unsubscribe, bounce, delay, abuse, automatic, reply. `why` names the rule that told. `rfc_hash` is SHA-256 of
    its Message-ID, or of the whole mail where it has none. `text` is what its sender wrote, `quoted` what they quoted.
    Only replies and automatic answers keep words; of the others `data` holds what was read out of them.
    """

    __tablename__ = "inbound"
    __table_args__ = (
        UniqueConstraint("account_id", "folder", "uidvalidity", "uid", name="uq_inbound_place"),
        UniqueConstraint("account_id", "rfc_hash", name="uq_inbound_rfc"),
        Index("ix_inbound_conversation", "conversation_id", "arrived_at", "id"),
        Index("ix_inbound_contact", "contact_id", "id"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    workspace_id: int = Field(foreign_key="workspace.id", sa_type=BigId)
    account_id: int = Field(foreign_key="email_account.id", sa_type=BigId)
    folder: str
    uidvalidity: int = Field(sa_type=BigId)
    uid: int = Field(sa_type=BigId)
    rfc_id: str = ""
    rfc_hash: bytes = Field(sa_type=Bytes)
    kind: str
    why: str = ""
    contact_id: int | None = Field(default=None, foreign_key="contact.id", sa_type=BigId, ondelete="CASCADE")
    conversation_id: int | None = Field(default=None, foreign_key="conversation.id", sa_type=BigId, ondelete="CASCADE")
    message_id: int | None = Field(default=None, sa_type=BigId)
    campaign_id: int | None = Field(default=None, sa_type=BigId)
    enrollment_id: int | None = Field(default=None, sa_type=BigId)
    from_name: str = ""
    from_address: str = ""
    subject: str = ""
    text: str = ""
    quoted: str = ""
    has_html: bool = False
    attachments: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    # Message-IDs of its thread, oldest first, for the answer to it.
    references: list[str] = Field(default_factory=list, sa_type=Json)
    returns_on: date | None = None
    size: int = 0
    truncated: bool = False
    data: dict[str, Any] | None = Field(default=None, sa_type=Json)
    arrived_at: datetime = Field(sa_type=UtcDateTime)
    stored_at: datetime = Field(sa_type=UtcDateTime)


class InboundContent(SQLModel, table=True):
    """The mail itself, deflated, of those that are shown: its HTML and attachments are read from it when asked for."""

    __tablename__ = "inbound_content"

    inbound_id: int = Field(foreign_key="inbound.id", primary_key=True, sa_type=BigId, ondelete="CASCADE")
    content: bytes = Field(sa_type=Bytes)


class Answer(SQLModel, table=True):
    """What somebody wrote by hand in a conversation; it leaves as the message with the same key."""

    __tablename__ = "answer"
    __table_args__ = (Index("ix_answer_conversation", "conversation_id", "message_id"),)

    message_id: int = Field(foreign_key="message.id", primary_key=True, sa_type=BigId, ondelete="CASCADE")
    workspace_id: int = Field(foreign_key="workspace.id", sa_type=BigId)
    conversation_id: int = Field(foreign_key="conversation.id", sa_type=BigId, ondelete="CASCADE")
    user_id: int | None = Field(default=None, sa_type=BigId)
    subject: str
    html: str
    text: str
    in_reply_to: str = ""
    references: list[str] = Field(default_factory=list, sa_type=Json)
    created_at: datetime = Field(sa_type=UtcDateTime)


class AnswerDraft(SQLModel, table=True):
    """What somebody is writing in a conversation and has not sent; one for each person."""

    __tablename__ = "answer_draft"

    conversation_id: int = Field(foreign_key="conversation.id", primary_key=True, sa_type=BigId, ondelete="CASCADE")
    user_id: int = Field(foreign_key="user_account.id", primary_key=True, sa_type=BigId)
    workspace_id: int = Field(foreign_key="workspace.id", sa_type=BigId)
    html: str = ""
    updated_at: datetime = Field(sa_type=UtcDateTime)


class AnswerFile(SQLModel, table=True):
    """A file to go with an answer: of somebody's draft until it is sent (`user_id`), of the message from then on."""

    __tablename__ = "answer_file"
    __table_args__ = (
        Index("ix_answer_file_draft", "conversation_id", "user_id"),
        Index("ix_answer_file_message", "message_id"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    workspace_id: int = Field(foreign_key="workspace.id", sa_type=BigId)
    conversation_id: int = Field(foreign_key="conversation.id", sa_type=BigId, ondelete="CASCADE")
    user_id: int | None = Field(default=None, sa_type=BigId)
    message_id: int | None = Field(default=None, foreign_key="message.id", sa_type=BigId, ondelete="CASCADE")
    filename: str
    content_type: str
    size: int
    content: bytes = Field(sa_type=Bytes)
    created_at: datetime = Field(sa_type=UtcDateTime)


class SavedAnswer(SQLModel, table=True):
    """A text kept for use in answers; it may hold variables as mails do."""

    __tablename__ = "saved_answer"
    __table_args__ = (
        UniqueConstraint("workspace_id", "name_key", name="uq_saved_answer"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    workspace_id: int = Field(foreign_key="workspace.id", sa_type=BigId)
    name: str
    name_key: str
    html: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)
