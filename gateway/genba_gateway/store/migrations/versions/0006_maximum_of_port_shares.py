"""the most that a template lets ports of its workspaces be shared."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this revision."""
    # Not in a batch: that would copy the table, and lose its index on an expression.
    op.add_column("templates", sa.Column("max_port_share_level", sa.Text(), nullable=False, server_default="public"))
