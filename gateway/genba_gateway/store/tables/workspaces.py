"""Tables of workspaces, their builds, and what those made."""

from __future__ import annotations

import sqlalchemy as sa

from genba_gateway.store.columns import JsonText
from genba_gateway.store.tables.base import (
    NOT_DELETED,
    Id,
    make_flag,
    make_id,
    make_ref,
    make_text,
    make_time,
    metadata,
)

workspaces = sa.Table(
    "workspaces",
    metadata,
    make_id(),
    make_ref("owner_id", "users"),
    make_ref("organization_id", "organizations"),
    make_ref("template_id", "templates", index=True),
    make_text("name"),
    sa.Column("autostart_schedule", sa.Text, nullable=True),
    make_time("next_start_at", nullable=True),
    sa.Column("ttl_ms", sa.BigInteger, nullable=True),
    make_text("automatic_updates", default="never"),
    make_time("last_used_at"),
    make_time("dormant_at", nullable=True),
    make_time("deleting_at", nullable=True),
    sa.Column("user_acl", JsonText, nullable=False),
    sa.Column("group_acl", JsonText, nullable=False),
    make_time("created_at"),
    make_time("updated_at"),
    make_flag("deleted"),
    sa.Column("favorite", sa.Boolean, nullable=False, default=False, comment="of its owner"),
    sa.Index("uq_workspaces_owner_id_name", "owner_id", sa.text("lower(name)"), unique=True, sqlite_where=NOT_DELETED),
)

workspace_builds = sa.Table(
    "workspace_builds",
    metadata,
    make_id(),
    make_ref("workspace_id", "workspaces"),
    make_ref("template_version_id", "template_versions", index=True),
    sa.Column("build_number", sa.Integer, nullable=False),
    make_text("transition"),
    make_ref("initiator_id", "users"),
    make_text("reason", default="initiator"),
    make_ref("job_id", "provisioner_jobs", index=True),
    make_time("deadline", nullable=True),
    make_time("max_deadline", nullable=True),
    sa.Column("state_sealed", sa.LargeBinary, nullable=True, comment="Terraform's state, compressed"),
    make_flag("orphan"),
    make_flag("debug"),
    sa.Column("template_version_preset_id", Id, nullable=True, comment="whose values it was made with"),
    make_time("created_at"),
    make_time("updated_at"),
    sa.UniqueConstraint("workspace_id", "build_number"),
)

workspace_build_parameters = sa.Table(
    "workspace_build_parameters",
    metadata,
    sa.Column("workspace_build_id", Id, sa.ForeignKey("workspace_builds.id"), primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value_sealed", sa.LargeBinary, nullable=False),
)

workspace_resources = sa.Table(
    "workspace_resources",
    metadata,
    make_id(),
    make_ref("job_id", "provisioner_jobs", index=True),
    sa.Column("position", sa.Integer, nullable=False),
    make_text("transition"),
    make_text("type"),
    make_text("name"),
    make_flag("hide"),
    make_text("icon"),
    sa.Column("daily_cost", sa.Integer, nullable=False, default=0),
    sa.Column("metadata", JsonText, nullable=False, comment="list of {key, value, sensitive}; sensitive values blank"),
    make_time("created_at"),
)
