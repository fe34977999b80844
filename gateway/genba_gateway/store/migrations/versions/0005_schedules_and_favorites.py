"""schedules and favorites of workspaces."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this revision."""
    # Not in a batch: that would copy the table, and lose its index on an expression.
    op.add_column("workspaces", sa.Column("next_start_at", sa.String(length=32), nullable=True))
    op.add_column("workspaces", sa.Column("favorite", sa.Boolean(), nullable=False, server_default="0"))
