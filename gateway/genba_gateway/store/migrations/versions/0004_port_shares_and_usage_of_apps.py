"""port shares and usage of apps."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this revision."""
    op.create_table(
        "workspace_app_stats",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=True, comment="NULL for somebody who was not signed in"),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("agent_id", sa.String(length=36), nullable=False),
        sa.Column("access_method", sa.Text(), nullable=False),
        sa.Column("slug_or_port", sa.Text(), nullable=False),
        sa.Column(
            "session_id", sa.String(length=36), nullable=False, comment="of the 30 s in which these requests came"
        ),
        sa.Column("session_started_at", sa.String(length=32), nullable=False),
        sa.Column("session_ended_at", sa.String(length=32), nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workspace_app_stats")),
    )
    with op.batch_alter_table("workspace_app_stats", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_workspace_app_stats_user_id"), ["user_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_workspace_app_stats_workspace_id"), ["workspace_id"], unique=False)

    op.create_table(
        "workspace_agent_port_shares",
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column(
            "agent_name", sa.Text(), nullable=False, comment="in lower case: it stays over builds, agents do not"
        ),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("share_level", sa.Text(), nullable=False),
        sa.Column("protocol", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("fk_workspace_agent_port_shares_workspace_id")
        ),
        sa.PrimaryKeyConstraint("workspace_id", "agent_name", "port", name=op.f("pk_workspace_agent_port_shares")),
    )
