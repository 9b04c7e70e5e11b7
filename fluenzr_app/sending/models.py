"""Tables of the queue: messages, attempts, mails as they left, workers, and the installation's generation."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from fluenzr_app.db.types import BigId, Bytes, UtcDateTime

_QUEUED = text("status = 'queued'")
_IN_HAND = text("status IN ('claimed', 'sending')")
_OPEN = text("status IN ('queued', 'claimed', 'sending', 'uncertain')")
_UNCERTAIN = text("status = 'uncertain'")
_COPY_DUE = text("copy_due_at IS NOT NULL")


class Message(SQLModel, table=True):
    """One outgoing e-mail. Status: queued, claimed, sending, sent, uncertain, failed, cancelled.

    `kind` is campaign, test or answer (written by hand in a conversation); a lower `priority` goes first (0 follow-up,
    1 new contact); `due_at` is the earliest
    moment for the next attempt; `rfc_id` is the Message-ID, fixed before the first attempt and kept by every retry.
    """

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("enrollment_id", "node_id", name="uq_message_step"),
        UniqueConstraint("rfc_id", name="uq_message_rfc_id"),
        CheckConstraint(
            "kind <> 'campaign' OR (campaign_id IS NOT NULL AND enrollment_id IS NOT NULL AND node_id IS NOT NULL)",
            name="ck_message_campaign",
        ),
        Index(
            "ix_message_queue",
            "account_id",
            "campaign_id",
            "priority",
            "due_at",
            "id",
            sqlite_where=_QUEUED,
            postgresql_where=_QUEUED,
        ),
        Index("ix_message_in_hand_account", "account_id", sqlite_where=_IN_HAND, postgresql_where=_IN_HAND),
        Index("ix_message_in_hand_worker", "worker_id", sqlite_where=_IN_HAND, postgresql_where=_IN_HAND),
        Index("ix_message_open_campaign", "campaign_id", "status", sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_message_contact", "contact_id", "id"),
        Index("ix_message_uncertain", "account_id", sqlite_where=_UNCERTAIN, postgresql_where=_UNCERTAIN),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    workspace_id: int = Field(sa_type=BigId)
    kind: str = "campaign"
    account_id: int = Field(foreign_key="email_account.id", sa_type=BigId)
    contact_id: int | None = Field(default=None, sa_type=BigId)
    campaign_id: int | None = Field(default=None, sa_type=BigId)
    enrollment_id: int | None = Field(default=None, sa_type=BigId)
    node_id: int | None = Field(default=None, sa_type=BigId)
    to_address: str
    to_domain: str
    rfc_id: str
    subject: str = ""
    priority: int = 1
    status: str = "queued"
    due_at: datetime = Field(sa_type=UtcDateTime)
    attempts: int = 0
    soft_bounces: int = 0
    worker_id: int | None = Field(default=None, sa_type=BigId)
    # What the claim was made under; a change of either since sends the message back to be claimed anew.
    account_revision: int = 0
    campaign_revision: int = 0
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    # The last thing that held it or ended it: a machine code, and the server's words where there are any.
    reason: str = ""
    detail: str = ""
    created_at: datetime = Field(sa_type=UtcDateTime)


class Attempt(SQLModel, table=True):
    """One try to hand a message to a server, stored before the network is touched; it counts towards every cap.

    `outcome`: accepted, refused, deferred, fault, uncertain; absent while under way.
    """

    __tablename__ = "attempt"
    __table_args__ = (
        UniqueConstraint("message_id", "no", name="uq_attempt_no"),
        Index("ix_attempt_account", "account_id", "started_at"),
        Index("ix_attempt_campaign", "campaign_id", "started_at"),
        Index("ix_attempt_domain", "campaign_id", "to_domain", "started_at"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    message_id: int = Field(foreign_key="message.id", sa_type=BigId)
    no: int
    account_id: int = Field(sa_type=BigId)
    campaign_id: int | None = Field(default=None, sa_type=BigId)
    to_domain: str
    first_mail: bool = False
    started_at: datetime = Field(sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    outcome: str | None = None
    code: int | None = None
    text: str = ""


class SentMail(SQLModel, table=True):
    """A mail as it left an account whose mailbox is read, deflated: for the Sent folder and for the conversation.

    `copy_due_at` is when its copy is put into the Sent folder, absent once that is done or was given up.
    """

    __tablename__ = "sent_mail"
    __table_args__ = (
        Index("ix_sent_mail_copy", "account_id", "copy_due_at", sqlite_where=_COPY_DUE, postgresql_where=_COPY_DUE),
    )

    message_id: int = Field(foreign_key="message.id", primary_key=True, sa_type=BigId, ondelete="CASCADE")
    account_id: int = Field(sa_type=BigId)
    raw: bytes = Field(sa_type=Bytes)
    sent_at: datetime = Field(sa_type=UtcDateTime)
    copy_due_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    copy_tries: int = 0


class Worker(SQLModel, table=True):
    """A process that sends. `beat_at` is wall-clock time, also where the engine runs on a virtual clock."""

    __tablename__ = "worker"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    name: str = Field(unique=True)
    started_at: datetime = Field(sa_type=UtcDateTime)
    beat_at: datetime = Field(sa_type=UtcDateTime)


class Installation(SQLModel, table=True):
    """The one row that tells a restored database from a running one (campaigns.md, guarantee 10).

    `generation` grows while mail is sent, `mark` is drawn anew with it; both also stand in the data directory.
    `held_since` is set while everything due waits for `fluenzr release`; `beat_at` is wall-clock time.
    """

    __tablename__ = "installation"

    id: int = Field(default=1, primary_key=True)
    generation: int = 0
    mark: str = ""
    held_since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    held_reason: str = ""
    beat_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
