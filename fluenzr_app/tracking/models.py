"""Tables of tracking: what was asked of our public links, and who objected to being asked after."""

from datetime import datetime

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from fluenzr_app.db.types import BigId, Bytes, UtcDateTime

_UNJUDGED = text("judged_at IS NULL")
_JUDGED = text("judged_at IS NOT NULL")


class Hit(SQLModel, table=True):
    """A request for a pixel (`kind` open) or a link (click), stored before it is answered and judged a little later.

    `rule` says by what it was known as a machine, as a proxy or as a person; before the judgement it is what the
    request itself told, empty for nothing. `link` is the address as the author wrote it. Where the workspace keeps no
    details, `ip` and `user_agent` are empty and the row goes with its judgement; else all stay as long as the setting
    says.
    """

    __tablename__ = "hit"
    __table_args__ = (
        Index("ix_hit_unjudged", "at", "id", sqlite_where=_UNJUDGED, postgresql_where=_UNJUDGED),
        Index("ix_hit_judged", "workspace_id", "at", sqlite_where=_JUDGED, postgresql_where=_JUDGED),
        Index("ix_hit_contact", "contact_id", "at"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    workspace_id: int = Field(sa_type=BigId)
    kind: str
    message_id: int = Field(sa_type=BigId)
    contact_id: int = Field(sa_type=BigId)
    campaign_id: int = Field(sa_type=BigId)
    account_id: int = Field(sa_type=BigId)
    node_id: int = Field(sa_type=BigId)
    composed_at: datetime = Field(sa_type=UtcDateTime)
    at: datetime = Field(sa_type=UtcDateTime)
    rule: str = ""
    link: str = ""
    # A click in a mail that had a pixel: it tells of an opening as well.
    tracks_opens: bool = False
    machine: bool | None = None
    ip: str = ""
    user_agent: str = ""
    judged_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class TrackingObjection(SQLModel, table=True):
    """Somebody who objected to tracking, by the keyed hash of the address: it outlives the contact.

    The hash is the same as the suppression list's (contacts.md). Where there is a contact, it holds for them under
    whatever address they have by now.
    """

    __tablename__ = "tracking_objection"
    __table_args__ = (Index("ix_tracking_objection_contact", "contact_id"),)

    workspace_id: int = Field(foreign_key="workspace.id", primary_key=True, sa_type=BigId)
    email_hash: bytes = Field(primary_key=True, sa_type=Bytes)
    contact_id: int | None = Field(default=None, sa_type=BigId)
    at: datetime = Field(sa_type=UtcDateTime)
