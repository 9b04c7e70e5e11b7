"""Tables of campaigns: the workflow and each contact's walk through it."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from fluenzr_app.db.types import BigId, Json, UtcDateTime

_FOLLOW_UP_DUE = text("due_at IS NOT NULL AND account_id IS NOT NULL")
_NEW_DUE = text("due_at IS NOT NULL AND account_id IS NULL")
_WALKING = text("status IN ('pending', 'in_progress')")


class Campaign(SQLModel, table=True):
    """A workflow plus its audience, accounts and timing. Status: draft, active, paused, completed, archived."""

    __tablename__ = "campaign"
    __table_args__ = (
        Index("ix_campaign_workspace", "workspace_id", "status", "id"),
        Index(
            "ix_campaign_active",
            "id",
            sqlite_where=text("status = 'active'"),
            postgresql_where=text("status = 'active'"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    workspace_id: int = Field(foreign_key="workspace.id", sa_type=BigId)
    name: str
    description: str = ""
    status: str = "draft"
    # See campaigns/settings.py for the typed form.
    settings: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    # Grows with every change of settings, workflow or state; what was claimed under an older one is claimed anew.
    revision: int = 1
    next_node_no: int = 1
    pause_reason: str = ""
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)
    started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    paused_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    resumed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    completed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class CampaignAccount(SQLModel, table=True):
    """An email account that a campaign sends from."""

    __tablename__ = "campaign_account"

    campaign_id: int = Field(foreign_key="campaign.id", primary_key=True, sa_type=BigId)
    account_id: int = Field(foreign_key="email_account.id", primary_key=True, sa_type=BigId, index=True)


class CampaignGroup(SQLModel, table=True):
    """A group linked to a campaign: its members are enrolled at the start, a dynamic group's also later."""

    __tablename__ = "campaign_group"

    campaign_id: int = Field(foreign_key="campaign.id", primary_key=True, sa_type=BigId)
    group_id: int = Field(foreign_key="contact_group.id", primary_key=True, sa_type=BigId, index=True)


class Node(SQLModel, table=True):
    """A node of a workflow. Kind: start, email, delay, condition, end. Removed ones stay, keys are never used twice."""

    __tablename__ = "node"
    __table_args__ = (
        UniqueConstraint("campaign_id", "key", name="uq_node_key"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    campaign_id: int = Field(foreign_key="campaign.id", sa_type=BigId)
    key: str
    kind: str
    data: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    position: int = 0
    removed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Edge(SQLModel, table=True):
    """An arrow between two nodes; `branch` is empty but for conditions (`yes`, `no`)."""

    __tablename__ = "edge"

    from_node_id: int = Field(foreign_key="node.id", primary_key=True, sa_type=BigId)
    branch: str = Field(default="", primary_key=True)
    to_node_id: int = Field(foreign_key="node.id", sa_type=BigId)


class Enrollment(SQLModel, table=True):
    """One contact's walk through one campaign.

    Status: pending, in_progress, completed, replied, bounced, unsubscribed, error, removed. `node_id` is the node to
    be worked on at `due_at`; no `due_at` means that something else has to happen first, and `wait_code` says what.
    `account_id` is set with the first attempt and stays: one contact hears from one account.
    """

    __tablename__ = "enrollment"
    __table_args__ = (
        UniqueConstraint("campaign_id", "contact_id", name="uq_enrollment"),
        # Two partial indexes instead of one: a paused campaign's due rows and a full queue of new contacts must not
        # be read over and over by the ticks of the others.
        Index(
            "ix_enrollment_follow_up",
            "campaign_id",
            "due_at",
            sqlite_where=_FOLLOW_UP_DUE,
            postgresql_where=_FOLLOW_UP_DUE,
        ),
        Index("ix_enrollment_new", "campaign_id", "due_at", "id", sqlite_where=_NEW_DUE, postgresql_where=_NEW_DUE),
        # Pages ask for all campaigns at once who waits for which account, and since when.
        Index(
            "ix_enrollment_walking",
            "campaign_id",
            "account_id",
            "due_at",
            sqlite_where=_WALKING,
            postgresql_where=_WALKING,
        ),
        Index("ix_enrollment_contact", "contact_id"),
        Index("ix_enrollment_status", "campaign_id", "status", "id"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    workspace_id: int = Field(sa_type=BigId)
    campaign_id: int = Field(foreign_key="campaign.id", sa_type=BigId)
    contact_id: int = Field(foreign_key="contact.id", sa_type=BigId)
    account_id: int | None = Field(default=None, sa_type=BigId)
    status: str = "pending"
    node_id: int | None = Field(default=None, sa_type=BigId)
    due_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    wait_code: str = ""
    end_reason: str = ""
    seed: int = Field(sa_type=BigId)
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class EnrollmentCount(SQLModel, table=True):
    """Enrollments of a campaign by status, kept with every change, so that a page never counts them."""

    __tablename__ = "enrollment_count"

    campaign_id: int = Field(foreign_key="campaign.id", primary_key=True, sa_type=BigId)
    status: str = Field(primary_key=True)
    n: int = 0


class EditorDraft(SQLModel, table=True):
    """What somebody typed in an editor and did not save yet; kept so that nothing typed is lost."""

    __tablename__ = "editor_draft"

    user_id: int = Field(foreign_key="user_account.id", primary_key=True, sa_type=BigId)
    workspace_id: int = Field(foreign_key="workspace.id", primary_key=True, sa_type=BigId)
    place: str = Field(primary_key=True)
    content: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    at: datetime = Field(sa_type=UtcDateTime)
