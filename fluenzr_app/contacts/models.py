"""Tables of the people who may be written to, and of those who said no."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from fluenzr_app.contacts.folding import search_default
from fluenzr_app.db.types import BigId, Bytes, Json, UtcDateTime


class Contact(SQLModel, table=True):
    """A person who may be written to. Status: active, unsubscribed, bounced, replied, blocked, archived."""

    __tablename__ = "contact"
    __table_args__ = (
        UniqueConstraint("workspace_id", "email_key", name="uq_contact_email"),
        Index("ix_contact_created", "workspace_id", "created_at", "id"),
        Index("ix_contact_status", "workspace_id", "status", "id"),
        Index("ix_contact_last_name", "workspace_id", "last_name", "id"),
        Index("ix_contact_company", "workspace_id", "company", "id"),
        Index("ix_contact_domain", "workspace_id", "domain"),
        Index("ix_contact_stage", "workspace_id", "stage_id", "id"),
        Index(
            "ix_contact_import",
            "import_id",
            sqlite_where=text("import_id IS NOT NULL"),
            postgresql_where=text("import_id IS NOT NULL"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    workspace_id: int = Field(foreign_key="workspace.id", sa_type=BigId)
    email: str
    email_key: str
    # HMACs under the workspace's suppression key, kept so that a claim compares without computing.
    email_hash: bytes = Field(sa_type=Bytes)
    domain_hash: bytes = Field(sa_type=Bytes)
    domain: str
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    job_title: str = ""
    phone: str = ""
    website: str = ""
    linkedin_url: str = ""
    city: str = ""
    country: str = ""
    language: str = ""
    timezone: str = ""
    owner_id: int | None = Field(default=None, sa_type=BigId)
    stage_id: int | None = Field(default=None, sa_type=BigId)
    stage_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    status: str = "active"
    consent_source: str = "not_specified"
    consent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    consent_notes: str = ""
    notes: str = ""
    fields: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    import_id: int | None = Field(default=None, sa_type=BigId)
    revision: int = 1
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)
    # Names, company and address without case and accents, for the search; filled by the insert itself.
    search: str | None = Field(default=None, sa_column_kwargs={"default": search_default})


class Suppression(SQLModel, table=True):
    """An address or domain never to be written to again, as a keyed hash that outlives the contact.

    `kind` is `email` or `domain`; `shown` is the readable form while it may be kept, empty after an erasure.
    """

    __tablename__ = "suppression"
    __table_args__ = (
        UniqueConstraint("workspace_id", "kind", "hash", name="uq_suppression"),
        Index("ix_suppression_at", "workspace_id", "at"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    workspace_id: int = Field(foreign_key="workspace.id", sa_type=BigId)
    kind: str
    hash: bytes = Field(sa_type=Bytes)
    shown: str = ""
    reason: str
    at: datetime = Field(sa_type=UtcDateTime)


class Group(SQLModel, table=True):
    """A named set of contacts. `kind` is `static` or `dynamic`."""

    __tablename__ = "contact_group"
    __table_args__ = (
        UniqueConstraint("workspace_id", "name_key", name="uq_group_name"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    workspace_id: int = Field(foreign_key="workspace.id", sa_type=BigId)
    name: str
    name_key: str
    description: str = ""
    color: str = "gray"
    kind: str = "static"
    created_at: datetime = Field(sa_type=UtcDateTime)


class PipelineStage(SQLModel, table=True):
    """A stage of a workspace's pipeline, in order of `position`.

    `kind` is lead, qualified, proposal, negotiation, won, lost, or empty for one that the workspace added; a name that
    is empty is that of its kind, in the reader's language.
    """

    __tablename__ = "pipeline_stage"
    __table_args__ = (
        Index("ix_stage_workspace", "workspace_id", "position"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    workspace_id: int = Field(foreign_key="workspace.id", sa_type=BigId)
    kind: str = ""
    name: str = ""
    color: str = "gray"
    position: int = 0
    created_at: datetime = Field(sa_type=UtcDateTime)


class GroupMember(SQLModel, table=True):
    """A contact's place in a group."""

    __tablename__ = "group_member"

    group_id: int = Field(foreign_key="contact_group.id", primary_key=True, sa_type=BigId)
    contact_id: int = Field(foreign_key="contact.id", primary_key=True, sa_type=BigId, index=True, ondelete="CASCADE")


class Tag(SQLModel, table=True):
    """A word put on contacts."""

    __tablename__ = "tag"
    __table_args__ = (
        UniqueConstraint("workspace_id", "name_key", name="uq_tag_name"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    workspace_id: int = Field(foreign_key="workspace.id", sa_type=BigId)
    name: str
    name_key: str


class ContactTag(SQLModel, table=True):
    """A tag on a contact."""

    __tablename__ = "contact_tag"

    tag_id: int = Field(foreign_key="tag.id", primary_key=True, sa_type=BigId)
    contact_id: int = Field(foreign_key="contact.id", primary_key=True, sa_type=BigId, index=True, ondelete="CASCADE")


class CustomField(SQLModel, table=True):
    """A workspace's own field. `name` is technical and fixed, `type`: text, number, date, dropdown, checkbox, url."""

    __tablename__ = "custom_field"
    __table_args__ = (
        UniqueConstraint("workspace_id", "name", name="uq_custom_field_name"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    workspace_id: int = Field(foreign_key="workspace.id", sa_type=BigId)
    name: str
    label: str
    type: str = "text"
    required: bool = False
    default_value: str = ""
    options: list[str] = Field(default_factory=list, sa_type=Json)
    created_at: datetime = Field(sa_type=UtcDateTime)


class ContactCount(SQLModel, table=True):
    """Contacts by status, group or tag, kept with every change. `kind` is status, group or tag; `key` says which."""

    __tablename__ = "contact_count"

    workspace_id: int = Field(primary_key=True, sa_type=BigId)
    kind: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    n: int = 0


class ContactImport(SQLModel, table=True):
    """One CSV import. Status: draft, ready, running, done, cancelled, failed."""

    __tablename__ = "contact_import"
    __table_args__ = (
        Index("ix_import_workspace", "workspace_id", "created_at"),
        Index(
            "ix_import_running",
            "id",
            sqlite_where=text("status = 'running'"),
            postgresql_where=text("status = 'running'"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    workspace_id: int = Field(foreign_key="workspace.id", sa_type=BigId)
    user_id: int | None = Field(default=None, sa_type=BigId)
    status: str = "draft"
    file_name: str
    file_path: str
    file_bytes: int = 0
    analysis: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    mapping: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    options: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    consent_certified: bool = False
    rows_total: int = 0
    rows_done: int = 0
    imported: int = 0
    updated: int = 0
    duplicates: int = 0
    skipped: int = 0
    errors: int = 0
    # Of the skipped ones, those on the suppression list.
    suppressed: int = 0
    # How far the checked rows are stored: chunks so far, and the byte of the staged file where the next begins.
    chunks: int = 0
    next_byte: int = Field(default=0, sa_type=BigId)
    failure: str = ""
    worker: str = ""
    created_at: datetime = Field(sa_type=UtcDateTime)
    started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class ImportChunk(SQLModel, table=True):
    """A chunk of an import that was stored, written in its transaction, so that no row goes in twice."""

    __tablename__ = "import_chunk"

    import_id: int = Field(foreign_key="contact_import.id", primary_key=True, sa_type=BigId)
    no: int = Field(primary_key=True)
    rows: int = 0
    errors: list[Any] = Field(default_factory=list, sa_type=Json)
    at: datetime = Field(sa_type=UtcDateTime)
