"""Tables of what happened, and of the counts kept of it."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from fluenzr_app.db.types import BigId, Json, UtcDateTime


class Event(SQLModel, table=True):
    """Something that happened to a message or contact; never changed. `dedupe_key` makes it happen once."""

    __tablename__ = "event"
    __table_args__ = (
        Index("uq_event_dedupe", "workspace_id", "dedupe_key", unique=True),
        Index("ix_event_campaign", "campaign_id", "type", "at"),
        Index("ix_event_contact", "contact_id", "at"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    workspace_id: int = Field(sa_type=BigId)
    type: str
    message_id: int | None = Field(default=None, sa_type=BigId)
    contact_id: int | None = Field(default=None, sa_type=BigId)
    campaign_id: int | None = Field(default=None, sa_type=BigId)
    account_id: int | None = Field(default=None, sa_type=BigId)
    # The step that the message belonged to, so that the counts of a step can be recounted.
    node_id: int | None = Field(default=None, sa_type=BigId)
    dedupe_key: str
    machine: bool = False
    at: datetime = Field(sa_type=UtcDateTime)
    data: dict[str, Any] | None = Field(default=None, sa_type=Json)


class Rollup(SQLModel, table=True):
    """A count that changes in the transaction of its events. `hour` is hours since 1970, UTC.

    Scopes: `workspace`, `campaign`, `account`, `node`; `scope_id` is that thing's key.
    """

    __tablename__ = "rollup"

    workspace_id: int = Field(primary_key=True, sa_type=BigId)
    scope: str = Field(primary_key=True)
    scope_id: int = Field(primary_key=True, sa_type=BigId)
    metric: str = Field(primary_key=True)
    hour: int = Field(primary_key=True)
    n: int = 0


class FiguresCheck(SQLModel, table=True):
    """The nightly comparison of a workspace's counts with its events.

    `checked_at` is when it was last made; `repaired` counts that differed when some last did, at `repaired_at`.
    """

    __tablename__ = "figures_check"

    workspace_id: int = Field(foreign_key="workspace.id", primary_key=True, sa_type=BigId)
    checked_at: datetime = Field(sa_type=UtcDateTime)
    repaired: int = 0
    repaired_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
