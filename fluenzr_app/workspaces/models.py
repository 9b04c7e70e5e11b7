"""Tables of who is asking: workspaces, users, sessions, keys, secrets, audit."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from fluenzr_app.db.types import BigId, Bytes, Json, UtcDateTime


class Workspace(SQLModel, table=True):
    """One customer's data; everything belongs to exactly one."""

    __tablename__ = "workspace"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    name: str
    postal_address: str = ""
    timezone: str = "Europe/Paris"
    language: str = "fr"
    signature: str = ""
    plan: str = "self-hosted"
    # Pipeline automations (contacts.md): who is enrolled becomes a lead, who answers is qualified.
    lead_on_enrollment: bool = True
    qualify_on_reply: bool = True
    # Tracking (tracking.md): whether openings and clicks are asked after at all; whether more is kept than the dates of
    # the first ones, and for how many days; which openings through a provider's image proxy count: `all`, `none`, or
    # `on_open`, those of proxies that fetch when the mail is opened.
    track_opens: bool = True
    track_clicks: bool = True
    tracking_details: bool = False
    tracking_details_days: int = 90
    proxy_opens: str = "on_open"
    # HMAC key of the suppression list, sealed; never rotated and part of the backup (contacts.md, Suppression list).
    suppression_key_id: str
    created_at: datetime = Field(sa_type=UtcDateTime)


class User(SQLModel, table=True):
    """A person who signs in; may belong to several workspaces."""

    __tablename__ = "user_account"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    email: str
    email_key: str = Field(unique=True)
    first_name: str = ""
    last_name: str = ""
    password_hash: str
    language: str = "fr"
    created_at: datetime = Field(sa_type=UtcDateTime)
    disabled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Membership(SQLModel, table=True):
    """A user's role in one workspace: `admin` or `member`."""

    __tablename__ = "membership"

    workspace_id: int = Field(foreign_key="workspace.id", primary_key=True, sa_type=BigId)
    user_id: int = Field(foreign_key="user_account.id", primary_key=True, sa_type=BigId, index=True)
    role: str
    created_at: datetime = Field(sa_type=UtcDateTime)


class UserSession(SQLModel, table=True):
    """A signed-in browser; the cookie's token is kept as a hash."""

    __tablename__ = "user_session"
    __table_args__ = (Index("ix_user_session_user", "user_id"), {"sqlite_autoincrement": True})

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    token_hash: str = Field(unique=True)
    user_id: int = Field(foreign_key="user_account.id", sa_type=BigId)
    workspace_id: int = Field(foreign_key="workspace.id", sa_type=BigId)
    browser: str = ""
    created_at: datetime = Field(sa_type=UtcDateTime)
    seen_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class SignInTicket(SQLModel, table=True):
    """The one-time step from a checked password to a cookie, bound to a nonce of that browser (platform.md)."""

    __tablename__ = "sign_in_ticket"

    token_hash: str = Field(primary_key=True)
    nonce_hash: str
    user_id: int = Field(foreign_key="user_account.id", sa_type=BigId)
    workspace_id: int = Field(foreign_key="workspace.id", sa_type=BigId)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class SetupLink(SQLModel, table=True):
    """The one-time link with which the first owner is made in the browser."""

    __tablename__ = "setup_link"

    token_hash: str = Field(primary_key=True)
    created_at: datetime = Field(sa_type=UtcDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Throttle(SQLModel, table=True):
    """Failures counted for one address or account, so that guessing stays slow across restarts."""

    __tablename__ = "throttle"

    key: str = Field(primary_key=True)
    failures: int = 0
    blocked_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)


class Secret(SQLModel, table=True):
    """A sealed value; its associated data is `id|workspace|kind` (accounts.md, Secrets)."""

    __tablename__ = "secret"

    id: str = Field(primary_key=True)
    workspace_id: int | None = Field(default=None, sa_type=BigId, index=True)
    kind: str
    sealed: bytes = Field(sa_type=Bytes)
    created_at: datetime = Field(sa_type=UtcDateTime)


class ApiKey(SQLModel, table=True):
    """A key of the REST API; shown once, kept as a hash. `permission` is `all` or `read`."""

    __tablename__ = "api_key"
    __table_args__ = (Index("ix_api_key_workspace", "workspace_id"), {"sqlite_autoincrement": True})

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    workspace_id: int = Field(foreign_key="workspace.id", sa_type=BigId)
    name: str
    key_hash: str = Field(unique=True)
    hint: str
    permission: str
    created_by: int | None = Field(default=None, sa_type=BigId)
    created_at: datetime = Field(sa_type=UtcDateTime)
    last_used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Idempotency(SQLModel, table=True):
    """An answer already given to a write, kept sealed for 24 h (api.md)."""

    __tablename__ = "idempotency"

    api_key_id: int = Field(foreign_key="api_key.id", primary_key=True, sa_type=BigId)
    key: str = Field(primary_key=True)
    fingerprint: str
    status: int | None = None
    sealed: bytes | None = Field(default=None, sa_type=Bytes)
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)


class AuditEntry(SQLModel, table=True):
    """Who did what of consequence: keys, accounts, exports, deletions, campaign starts."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index("ix_audit_workspace_at", "workspace_id", "at"), {"sqlite_autoincrement": True})

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    workspace_id: int = Field(foreign_key="workspace.id", sa_type=BigId)
    user_id: int | None = Field(default=None, sa_type=BigId)
    api_key_id: int | None = Field(default=None, sa_type=BigId)
    action: str
    subject: str = ""
    data: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    at: datetime = Field(sa_type=UtcDateTime)
