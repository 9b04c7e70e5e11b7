"""The table of findings that somebody does not want to see for a while."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from fluenzr_app.db.types import BigId, UtcDateTime


class DiagnosisSnooze(SQLModel, table=True):
    """A finding put aside until a time; `subject_id` 0 stands for what there is one of.

    `since` is when its cause began as it was put aside (absent: it tells no such time); a cause that began later is
    another one.
    """

    __tablename__ = "diagnosis_snooze"

    workspace_id: int = Field(foreign_key="workspace.id", primary_key=True, sa_type=BigId)
    code: str = Field(primary_key=True)
    subject_kind: str = Field(primary_key=True)
    subject_id: int = Field(primary_key=True, sa_type=BigId)
    since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    until: datetime = Field(sa_type=UtcDateTime)
    user_id: int | None = Field(default=None, sa_type=BigId)
    created_at: datetime = Field(sa_type=UtcDateTime)
