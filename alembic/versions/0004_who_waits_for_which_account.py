"""Who waits for which account is found by an index"""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    walking = sa.text("status IN ('pending', 'in_progress')")
    op.create_index(
        "ix_enrollment_walking",
        "enrollment",
        ["campaign_id", "account_id", "due_at"],
        unique=False,
        sqlite_where=walking,
        postgresql_where=walking,
    )
