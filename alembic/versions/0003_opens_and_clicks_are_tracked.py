"""Opens and clicks are tracked"""

from collections.abc import Sequence

import sqlalchemy as sa
import sqlmodel

import fluenzr_app.db.types
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "hit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("workspace_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("contact_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("campaign_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("node_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("composed_at", fluenzr_app.db.types.UtcDateTime(), nullable=False),
        sa.Column("at", fluenzr_app.db.types.UtcDateTime(), nullable=False),
        sa.Column("rule", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("link", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("tracks_opens", sa.Boolean(), nullable=False),
        sa.Column("machine", sa.Boolean(), nullable=True),
        sa.Column("ip", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("user_agent", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("judged_at", fluenzr_app.db.types.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("hit", schema=None) as batch_op:
        batch_op.create_index("ix_hit_contact", ["contact_id", "at"], unique=False)
        batch_op.create_index(
            "ix_hit_judged",
            ["workspace_id", "at"],
            unique=False,
            sqlite_where=sa.text("judged_at IS NOT NULL"),
            postgresql_where=sa.text("judged_at IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_hit_unjudged",
            ["at", "id"],
            unique=False,
            sqlite_where=sa.text("judged_at IS NULL"),
            postgresql_where=sa.text("judged_at IS NULL"),
        )
    op.create_table(
        "tracking_objection",
        sa.Column("workspace_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("email_hash", sa.LargeBinary(), nullable=False),
        sa.Column("contact_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("at", fluenzr_app.db.types.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"]),
        sa.PrimaryKeyConstraint("workspace_id", "email_hash"),
    )
    with op.batch_alter_table("tracking_objection", schema=None) as batch_op:
        batch_op.create_index("ix_tracking_objection_contact", ["contact_id"])
    # Never made anew: SQLite would drop the table first, and rows of others point at it.
    with op.batch_alter_table("workspace", schema=None, recreate="never") as batch_op:
        batch_op.add_column(sa.Column("track_opens", sa.Boolean(), nullable=False, server_default=sa.true()))
        batch_op.add_column(sa.Column("track_clicks", sa.Boolean(), nullable=False, server_default=sa.true()))
        batch_op.add_column(sa.Column("tracking_details", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("tracking_details_days", sa.Integer(), nullable=False, server_default="90"))
        batch_op.add_column(
            sa.Column("proxy_opens", sqlmodel.sql.sqltypes.AutoString(), nullable=False, server_default="on_open")
        )
    op.create_table(
        "figures_check",
        sa.Column("workspace_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("checked_at", fluenzr_app.db.types.UtcDateTime(), nullable=False),
        sa.Column("repaired", sa.Integer(), nullable=False),
        sa.Column("repaired_at", fluenzr_app.db.types.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"]),
        sa.PrimaryKeyConstraint("workspace_id"),
    )
    op.create_table(
        "diagnosis_snooze",
        sa.Column("workspace_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("subject_kind", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("subject_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("since", fluenzr_app.db.types.UtcDateTime(), nullable=True),
        sa.Column("until", fluenzr_app.db.types.UtcDateTime(), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", fluenzr_app.db.types.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"]),
        sa.PrimaryKeyConstraint("workspace_id", "code", "subject_kind", "subject_id"),
    )
