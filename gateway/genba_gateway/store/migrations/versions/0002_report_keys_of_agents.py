"""report keys of agents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this revision."""
    with op.batch_alter_table("workspace_agents", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("hashed_report_key", sa.LargeBinary(), nullable=True, comment="SHA-256 of its report key")
        )
        batch_op.create_index(batch_op.f("ix_workspace_agents_hashed_report_key"), ["hashed_report_key"], unique=False)
