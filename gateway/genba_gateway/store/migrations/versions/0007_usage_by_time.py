"""indexes by which old usage is found."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this revision."""
    op.create_index(op.f("ix_workspace_app_stats_session_started_at"), "workspace_app_stats", ["session_started_at"])
    op.create_index(op.f("ix_workspace_agent_stats_created_at"), "workspace_agent_stats", ["created_at"])
