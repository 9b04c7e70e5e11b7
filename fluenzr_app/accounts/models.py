"""Tables of the mailboxes that send."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from fluenzr_app.db.types import BigId, Json, UtcDateTime

_NOT_REMOVED = text("removed_at IS NULL")


class EmailAccount(SQLModel, table=True):
    """A connected mailbox that sends. Status: connected, error, paused, removed (accounts.md, States).

    `next_send_at` is the earliest next send by gap or plan; `backoff_until` holds the account after a fault of its
    provider; `daily_limit` counts attempts in a rolling 24 h, `hourly_limit` in a rolling 60 min (absent: none).
    """

    __tablename__ = "email_account"
    __table_args__ = (
        # Connected once in an installation, so that its caps hold.
        Index(
            "uq_email_account_address",
            "email_key",
            unique=True,
            sqlite_where=_NOT_REMOVED,
            postgresql_where=_NOT_REMOVED,
        ),
        Index("ix_email_account_workspace", "workspace_id", "id"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    workspace_id: int = Field(foreign_key="workspace.id", sa_type=BigId)
    email: str
    email_key: str
    display_name: str = ""
    provider: str = "smtp"
    status: str = "connected"
    error_code: str | None = None
    error_message: str = ""
    error_since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    paused_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    pause_reason: str = ""
    smtp_host: str = ""
    smtp_port: int = 587
    smtp_encryption: str = "starttls"
    smtp_username: str = ""
    smtp_secret_id: str | None = Field(default=None, foreign_key="secret.id")
    imap_host: str = ""
    imap_port: int = 993
    imap_encryption: str = "ssl"
    imap_username: str = ""
    imap_secret_id: str | None = Field(default=None, foreign_key="secret.id")
    daily_limit: int = 200
    hourly_limit: int | None = None
    min_gap_seconds: int = 90
    warming_share: int = 0
    ramp_enabled: bool = True
    first_campaign_send_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    next_send_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    backoff_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    backoff_step: int = 0
    backoff_reason: str = ""
    # When its mailbox was last read to the end; follow-ups leave only shortly after (campaigns.md, guarantee 3).
    synced_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    copy_to_sent: bool = True
    signature: str = ""
    # Grows with every change of settings or state; what was claimed under an older one is claimed anew.
    revision: int = 1
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)
    removed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class AccountDay(SQLModel, table=True):
    """An account's day, rolled once, stored and shown (campaigns.md, guarantee 5).

    `slots` are the planned moments as seconds since 1970; `inputs` is what they were rolled from, so that a changed
    limit, gap or window rolls the rest of the day anew.
    """

    __tablename__ = "account_day"

    account_id: int = Field(foreign_key="email_account.id", primary_key=True, sa_type=BigId)
    day: date = Field(primary_key=True)
    opens_at: datetime = Field(sa_type=UtcDateTime)
    closes_at: datetime = Field(sa_type=UtcDateTime)
    room: int
    inputs: str
    slots: list[float] = Field(default_factory=list, sa_type=Json)
    rolled_at: datetime = Field(sa_type=UtcDateTime)


class ProbeRun(SQLModel, table=True):
    """The last staged probe of an account, kept so that the page can show it after a reload."""

    __tablename__ = "probe_run"
    __table_args__ = (Index("ix_probe_account", "account_id", "id"), {"sqlite_autoincrement": True})

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    account_id: int = Field(foreign_key="email_account.id", sa_type=BigId)
    at: datetime = Field(sa_type=UtcDateTime)
    passed: bool
    stages: list[Any] = Field(default_factory=list, sa_type=Json)
