"""Tables of templates and their versions."""

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

templates = sa.Table(
    "templates",
    metadata,
    make_id(),
    make_ref("organization_id", "organizations"),
    make_text("name"),
    make_text("display_name"),
    make_text("description"),
    make_text("icon"),
    make_text("provisioner", default="terraform"),
    sa.Column("active_version_id", Id, nullable=False),
    make_ref("created_by", "users"),
    sa.Column("default_ttl_ms", sa.BigInteger, nullable=False, default=0),
    sa.Column("activity_bump_ms", sa.BigInteger, nullable=False, default=3_600_000),
    make_flag("allow_user_cancel_workspace_jobs", default=True),
    make_flag("allow_user_autostart", default=True),
    make_flag("allow_user_autostop", default=True),
    make_flag("require_active_version"),
    make_text("max_port_share_level", default="public"),
    make_text("deprecation_message"),
    sa.Column("user_acl", JsonText, nullable=False),
    sa.Column("group_acl", JsonText, nullable=False),
    make_time("created_at"),
    make_time("updated_at"),
    make_flag("deleted"),
    sa.Index(
        "uq_templates_organization_id_name",
        "organization_id",
        sa.text("lower(name)"),
        unique=True,
        sqlite_where=NOT_DELETED,
    ),
)

template_versions = sa.Table(
    "template_versions",
    metadata,
    make_id(),
    make_ref("template_id", "templates", nullable=True),
    make_ref("organization_id", "organizations"),
    make_text("name"),
    make_text("message"),
    make_text("readme"),
    make_ref("job_id", "provisioner_jobs", index=True),
    make_ref("created_by", "users"),
    make_flag("archived"),
    make_time("created_at"),
    make_time("updated_at"),
    sa.Index(
        "uq_template_versions_template_id_name",
        "template_id",
        "name",
        unique=True,
        sqlite_where=sa.text("template_id IS NOT NULL"),
    ),
)

template_version_parameters = sa.Table(
    "template_version_parameters",
    metadata,
    sa.Column("template_version_id", Id, sa.ForeignKey("template_versions.id"), primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("spec", JsonText, nullable=False, comment="a domain.provisioning.TemplateParameter"),
)

template_version_presets = sa.Table(
    "template_version_presets",
    metadata,
    make_id(),
    make_ref("template_version_id", "template_versions"),
    sa.Column("position", sa.Integer, nullable=False),
    make_text("name"),
    sa.Column("spec", JsonText, nullable=False, comment="a domain.provisioning.TemplatePreset"),
    sa.UniqueConstraint("template_version_id", "name"),
)

template_version_variables = sa.Table(
    "template_version_variables",
    metadata,
    sa.Column("template_version_id", Id, sa.ForeignKey("template_versions.id"), primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
    make_text("description"),
    make_text("type"),
    sa.Column("value_sealed", sa.LargeBinary, nullable=False),
    make_text("default_value"),
    make_flag("required"),
    make_flag("sensitive"),
)
