"""schedules and favorites of workspaces, timings of builds, presets of template versions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this revision."""
    # Not in a batch: that would copy the table, and lose its index on an expression.
    op.add_column("workspaces", sa.Column("next_start_at", sa.String(length=32), nullable=True))
    op.add_column("workspaces", sa.Column("favorite", sa.Boolean(), nullable=False, server_default="0"))
    op.create_table(
        "provisioner_job_timings",
        sa.Column("job_id", sa.String(length=36), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("started_at", sa.String(length=32), nullable=False),
        sa.Column("ended_at", sa.String(length=32), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["provisioner_jobs.id"], name=op.f("fk_provisioner_job_timings_job_id")),
        sa.PrimaryKeyConstraint("job_id", "position", name=op.f("pk_provisioner_job_timings")),
    )
    op.create_table(
        "workspace_agent_script_timings",
        sa.Column("script_id", sa.String(length=36), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("started_at", sa.String(length=32), nullable=False),
        sa.Column("ended_at", sa.String(length=32), nullable=False),
        sa.Column("exit_code", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["script_id"],
            ["workspace_agent_scripts.id"],
            name=op.f("fk_workspace_agent_script_timings_script_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("script_id", "stage", name=op.f("pk_workspace_agent_script_timings")),
    )
    op.add_column("workspace_builds", sa.Column("template_version_preset_id", sa.String(length=36), nullable=True))
    op.create_table(
        "template_version_presets",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("template_version_id", sa.String(length=36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["template_version_id"],
            ["template_versions.id"],
            name=op.f("fk_template_version_presets_template_version_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_template_version_presets")),
        sa.UniqueConstraint(
            "template_version_id", "name", name=op.f("uq_template_version_presets_template_version_id_name")
        ),
    )
