"""protocol of carriers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this revision."""
    with op.batch_alter_table("agent_connections", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "protocol",
                sa.Text(),
                nullable=False,
                server_default="",
                comment="of the agent's carriers, major.minor",
            )
        )
