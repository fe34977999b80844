"""first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this revision."""
    op.create_table(
        "audit_logs",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("time", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=True),
        sa.Column("organization_id", sa.String(length=36), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("resource_type", sa.Text(), nullable=False),
        sa.Column("resource_id", sa.Text(), nullable=False),
        sa.Column("resource_target", sa.Text(), nullable=False),
        sa.Column("ip_address", sa.Text(), nullable=False),
        sa.Column("user_agent", sa.Text(), nullable=False),
        sa.Column("status_code", sa.Integer(), nullable=False),
        sa.Column("additional_fields", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_logs")),
    )
    with op.batch_alter_table("audit_logs", schema=None) as batch_op:
        batch_op.create_index("ix_audit_logs_time", ["time"], unique=False)

    op.create_table(
        "organizations",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("icon", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.Column("updated_at", sa.String(length=32), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organizations")),
    )
    with op.batch_alter_table("organizations", schema=None) as batch_op:
        batch_op.create_index("uq_organizations_name", ["name"], unique=True, sqlite_where=sa.text("deleted = 0"))

    op.create_table(
        "replicas",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("internal_url", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_replicas")),
    )
    op.create_table(
        "settings",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_settings")),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("login_type", sa.Text(), nullable=False),
        sa.Column("avatar_url", sa.Text(), nullable=False),
        sa.Column("theme_preference", sa.Text(), nullable=False),
        sa.Column("roles", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.Column("updated_at", sa.String(length=32), nullable=False),
        sa.Column("last_seen_at", sa.String(length=32), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(length=10), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("hashed_secret", sa.LargeBinary(), nullable=False, comment="SHA-256 of the secret"),
        sa.Column("login_type", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("token_name", sa.Text(), nullable=False),
        sa.Column("lifetime_seconds", sa.BigInteger(), nullable=False),
        sa.Column("ip_address", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.Column("updated_at", sa.String(length=32), nullable=False),
        sa.Column("last_used", sa.String(length=32), nullable=False),
        sa.Column("expires_at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_api_keys_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
    )
    with op.batch_alter_table("api_keys", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_api_keys_user_id"), ["user_id"], unique=False)
        batch_op.create_index(
            "uq_api_keys_user_id_token_name",
            ["user_id", "token_name"],
            unique=True,
            sqlite_where=sa.text("token_name <> ''"),
        )

    op.create_table(
        "files",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("created_by", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.Column("mimetype", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False, comment="a tar archive"),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_files_created_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_files")),
        sa.UniqueConstraint("hash", "created_by", name=op.f("uq_files_hash_created_by")),
    )
    op.create_table(
        "git_ssh_keys",
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("private_key_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.Column("updated_at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_git_ssh_keys_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_git_ssh_keys")),
    )
    op.create_table(
        "organization_members",
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("roles", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.Column("updated_at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_organization_members_organization_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_organization_members_user_id")),
        sa.PrimaryKeyConstraint("organization_id", "user_id", name=op.f("pk_organization_members")),
    )
    op.create_table(
        "sign_in_links",
        sa.Column("hashed_secret", sa.LargeBinary(), nullable=False, comment="SHA-256 of the secret in the link"),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.Column("expires_at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sign_in_links_user_id")),
        sa.PrimaryKeyConstraint("hashed_secret", name=op.f("pk_sign_in_links")),
    )
    op.create_table(
        "templates",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("icon", sa.Text(), nullable=False),
        sa.Column("provisioner", sa.Text(), nullable=False),
        sa.Column("active_version_id", sa.String(length=36), nullable=False),
        sa.Column("created_by", sa.String(length=36), nullable=False),
        sa.Column("default_ttl_ms", sa.BigInteger(), nullable=False),
        sa.Column("activity_bump_ms", sa.BigInteger(), nullable=False),
        sa.Column("allow_user_cancel_workspace_jobs", sa.Boolean(), nullable=False),
        sa.Column("allow_user_autostart", sa.Boolean(), nullable=False),
        sa.Column("allow_user_autostop", sa.Boolean(), nullable=False),
        sa.Column("require_active_version", sa.Boolean(), nullable=False),
        sa.Column("deprecation_message", sa.Text(), nullable=False),
        sa.Column("user_acl", sa.Text(), nullable=False),
        sa.Column("group_acl", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.Column("updated_at", sa.String(length=32), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_templates_created_by")),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name=op.f("fk_templates_organization_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_templates")),
    )
    op.create_table(
        "provisioner_jobs",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("initiator_id", sa.String(length=36), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("file_id", sa.String(length=36), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("input", sa.Text(), nullable=False),
        sa.Column(
            "variables_sealed", sa.LargeBinary(), nullable=True, comment="JSON object of the user's variable values"
        ),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.Column("updated_at", sa.String(length=32), nullable=False),
        sa.Column("started_at", sa.String(length=32), nullable=True),
        sa.Column("completed_at", sa.String(length=32), nullable=True),
        sa.Column("canceled_at", sa.String(length=32), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("error_code", sa.Text(), nullable=False),
        sa.Column("worker_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["files.id"], name=op.f("fk_provisioner_jobs_file_id")),
        sa.ForeignKeyConstraint(["initiator_id"], ["users.id"], name=op.f("fk_provisioner_jobs_initiator_id")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_provisioner_jobs_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provisioner_jobs")),
    )
    with op.batch_alter_table("provisioner_jobs", schema=None) as batch_op:
        batch_op.create_index("ix_provisioner_jobs_queue", ["completed_at", "started_at", "created_at"], unique=False)

    op.create_table(
        "workspaces",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("owner_id", sa.String(length=36), nullable=False),
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("template_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("autostart_schedule", sa.Text(), nullable=True),
        sa.Column("ttl_ms", sa.BigInteger(), nullable=True),
        sa.Column("automatic_updates", sa.Text(), nullable=False),
        sa.Column("last_used_at", sa.String(length=32), nullable=False),
        sa.Column("dormant_at", sa.String(length=32), nullable=True),
        sa.Column("deleting_at", sa.String(length=32), nullable=True),
        sa.Column("user_acl", sa.Text(), nullable=False),
        sa.Column("group_acl", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.Column("updated_at", sa.String(length=32), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name=op.f("fk_workspaces_organization_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_workspaces_owner_id")),
        sa.ForeignKeyConstraint(["template_id"], ["templates.id"], name=op.f("fk_workspaces_template_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workspaces")),
    )
    with op.batch_alter_table("workspaces", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_workspaces_template_id"), ["template_id"], unique=False)

    op.create_table(
        "provisioner_job_logs",
        sa.Column("job_id", sa.String(length=36), nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False, comment="from 1, grows within the job"),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("output", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["provisioner_jobs.id"], name=op.f("fk_provisioner_job_logs_job_id")),
        sa.PrimaryKeyConstraint("job_id", "id", name=op.f("pk_provisioner_job_logs")),
    )
    op.create_table(
        "template_versions",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("template_id", sa.String(length=36), nullable=True),
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("readme", sa.Text(), nullable=False),
        sa.Column("job_id", sa.String(length=36), nullable=False),
        sa.Column("created_by", sa.String(length=36), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.Column("updated_at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_template_versions_created_by")),
        sa.ForeignKeyConstraint(["job_id"], ["provisioner_jobs.id"], name=op.f("fk_template_versions_job_id")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_template_versions_organization_id")
        ),
        sa.ForeignKeyConstraint(["template_id"], ["templates.id"], name=op.f("fk_template_versions_template_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_template_versions")),
    )
    with op.batch_alter_table("template_versions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_template_versions_job_id"), ["job_id"], unique=False)
        batch_op.create_index(
            "uq_template_versions_template_id_name",
            ["template_id", "name"],
            unique=True,
            sqlite_where=sa.text("template_id IS NOT NULL"),
        )

    op.create_table(
        "workspace_resources",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("job_id", sa.String(length=36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("transition", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("hide", sa.Boolean(), nullable=False),
        sa.Column("icon", sa.Text(), nullable=False),
        sa.Column("daily_cost", sa.Integer(), nullable=False),
        sa.Column(
            "metadata", sa.Text(), nullable=False, comment="list of {key, value, sensitive}; sensitive values blank"
        ),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["provisioner_jobs.id"], name=op.f("fk_workspace_resources_job_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workspace_resources")),
    )
    with op.batch_alter_table("workspace_resources", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_workspace_resources_job_id"), ["job_id"], unique=False)

    op.create_table(
        "template_version_parameters",
        sa.Column("template_version_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("spec", sa.Text(), nullable=False, comment="a domain.provisioning.TemplateParameter"),
        sa.ForeignKeyConstraint(
            ["template_version_id"],
            ["template_versions.id"],
            name=op.f("fk_template_version_parameters_template_version_id"),
        ),
        sa.PrimaryKeyConstraint("template_version_id", "name", name=op.f("pk_template_version_parameters")),
    )
    op.create_table(
        "template_version_variables",
        sa.Column("template_version_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("value_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("default_value", sa.Text(), nullable=False),
        sa.Column("required", sa.Boolean(), nullable=False),
        sa.Column("sensitive", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["template_version_id"],
            ["template_versions.id"],
            name=op.f("fk_template_version_variables_template_version_id"),
        ),
        sa.PrimaryKeyConstraint("template_version_id", "name", name=op.f("pk_template_version_variables")),
    )
    op.create_table(
        "workspace_agents",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("resource_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("hashed_token", sa.LargeBinary(), nullable=True, comment="SHA-256 of the agent's token"),
        sa.Column("instance_id", sa.Text(), nullable=False),
        sa.Column("architecture", sa.Text(), nullable=False),
        sa.Column("operating_system", sa.Text(), nullable=False),
        sa.Column("environment_sealed", sa.LargeBinary(), nullable=False, comment="JSON object"),
        sa.Column("directory", sa.Text(), nullable=False),
        sa.Column("expanded_directory", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("api_version", sa.Text(), nullable=False),
        sa.Column("boot_id", sa.Text(), nullable=False),
        sa.Column("connection_timeout_s", sa.Integer(), nullable=False),
        sa.Column("troubleshooting_url", sa.Text(), nullable=False),
        sa.Column("motd_file", sa.Text(), nullable=False),
        sa.Column("startup_script_behavior", sa.Text(), nullable=False),
        sa.Column("display_apps", sa.Text(), nullable=False),
        sa.Column("subsystems", sa.Text(), nullable=False),
        sa.Column("host_boot_id", sa.Text(), nullable=False),
        sa.Column("lifecycle_state", sa.Text(), nullable=False),
        sa.Column("disconnect_reason", sa.Text(), nullable=False),
        sa.Column("logs_length", sa.BigInteger(), nullable=False),
        sa.Column("logs_overflowed", sa.Boolean(), nullable=False),
        sa.Column("first_connected_at", sa.String(length=32), nullable=True),
        sa.Column("last_connected_at", sa.String(length=32), nullable=True),
        sa.Column("disconnected_at", sa.String(length=32), nullable=True),
        sa.Column("started_at", sa.String(length=32), nullable=True),
        sa.Column("ready_at", sa.String(length=32), nullable=True),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.Column("updated_at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["resource_id"], ["workspace_resources.id"], name=op.f("fk_workspace_agents_resource_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workspace_agents")),
    )
    with op.batch_alter_table("workspace_agents", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_workspace_agents_hashed_token"), ["hashed_token"], unique=False)
        batch_op.create_index(batch_op.f("ix_workspace_agents_resource_id"), ["resource_id"], unique=False)

    op.create_table(
        "workspace_builds",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("template_version_id", sa.String(length=36), nullable=False),
        sa.Column("build_number", sa.Integer(), nullable=False),
        sa.Column("transition", sa.Text(), nullable=False),
        sa.Column("initiator_id", sa.String(length=36), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("job_id", sa.String(length=36), nullable=False),
        sa.Column("deadline", sa.String(length=32), nullable=True),
        sa.Column("max_deadline", sa.String(length=32), nullable=True),
        sa.Column("state_sealed", sa.LargeBinary(), nullable=True, comment="Terraform's state, compressed"),
        sa.Column("orphan", sa.Boolean(), nullable=False),
        sa.Column("debug", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.Column("updated_at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["initiator_id"], ["users.id"], name=op.f("fk_workspace_builds_initiator_id")),
        sa.ForeignKeyConstraint(["job_id"], ["provisioner_jobs.id"], name=op.f("fk_workspace_builds_job_id")),
        sa.ForeignKeyConstraint(
            ["template_version_id"], ["template_versions.id"], name=op.f("fk_workspace_builds_template_version_id")
        ),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=op.f("fk_workspace_builds_workspace_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workspace_builds")),
        sa.UniqueConstraint("workspace_id", "build_number", name=op.f("uq_workspace_builds_workspace_id_build_number")),
    )
    with op.batch_alter_table("workspace_builds", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_workspace_builds_job_id"), ["job_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_workspace_builds_template_version_id"), ["template_version_id"], unique=False
        )

    op.create_table(
        "agent_connections",
        sa.Column("agent_id", sa.String(length=36), nullable=False),
        sa.Column("replica_id", sa.String(length=36), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["agent_id"], ["workspace_agents.id"], name=op.f("fk_agent_connections_agent_id")),
        sa.PrimaryKeyConstraint("agent_id", name=op.f("pk_agent_connections")),
    )
    op.create_table(
        "workspace_agent_log_sources",
        sa.Column("agent_id", sa.String(length=36), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("icon", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["agent_id"], ["workspace_agents.id"], name=op.f("fk_workspace_agent_log_sources_agent_id")
        ),
        sa.PrimaryKeyConstraint("agent_id", "id", name=op.f("pk_workspace_agent_log_sources")),
    )
    op.create_table(
        "workspace_agent_log_spools",
        sa.Column("agent_id", sa.String(length=36), nullable=False),
        sa.Column("boot_id", sa.String(length=36), nullable=False),
        sa.Column("next_line", sa.BigInteger(), nullable=False, comment="lines below this number are stored"),
        sa.ForeignKeyConstraint(
            ["agent_id"], ["workspace_agents.id"], name=op.f("fk_workspace_agent_log_spools_agent_id")
        ),
        sa.PrimaryKeyConstraint("agent_id", "boot_id", name=op.f("pk_workspace_agent_log_spools")),
    )
    op.create_table(
        "workspace_agent_logs",
        sa.Column("agent_id", sa.String(length=36), nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False, comment="from 1, grows within the agent"),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("source_id", sa.String(length=36), nullable=False),
        sa.Column("output", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["agent_id"], ["workspace_agents.id"], name=op.f("fk_workspace_agent_logs_agent_id")),
        sa.PrimaryKeyConstraint("agent_id", "id", name=op.f("pk_workspace_agent_logs")),
    )
    op.create_table(
        "workspace_agent_metadata",
        sa.Column("agent_id", sa.String(length=36), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("script", sa.Text(), nullable=False),
        sa.Column("interval_s", sa.Integer(), nullable=False),
        sa.Column("timeout_s", sa.Integer(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("collected_at", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["agent_id"], ["workspace_agents.id"], name=op.f("fk_workspace_agent_metadata_agent_id")
        ),
        sa.PrimaryKeyConstraint("agent_id", "key", name=op.f("pk_workspace_agent_metadata")),
    )
    op.create_table(
        "workspace_agent_scripts",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agent_id", sa.String(length=36), nullable=False),
        sa.Column("log_source_id", sa.String(length=36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("log_path", sa.Text(), nullable=False),
        sa.Column("script", sa.Text(), nullable=False),
        sa.Column("cron", sa.Text(), nullable=False),
        sa.Column("run_on_start", sa.Boolean(), nullable=False),
        sa.Column("run_on_stop", sa.Boolean(), nullable=False),
        sa.Column("start_blocks_login", sa.Boolean(), nullable=False),
        sa.Column("timeout_s", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["agent_id"], ["workspace_agents.id"], name=op.f("fk_workspace_agent_scripts_agent_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workspace_agent_scripts")),
    )
    with op.batch_alter_table("workspace_agent_scripts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_workspace_agent_scripts_agent_id"), ["agent_id"], unique=False)

    op.create_table(
        "workspace_agent_stats",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agent_id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("template_id", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.Column("stats", sa.Text(), nullable=False, comment="the body of report-stats (contract 1.4)"),
        sa.ForeignKeyConstraint(["agent_id"], ["workspace_agents.id"], name=op.f("fk_workspace_agent_stats_agent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workspace_agent_stats")),
    )
    with op.batch_alter_table("workspace_agent_stats", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_workspace_agent_stats_agent_id"), ["agent_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_workspace_agent_stats_workspace_id"), ["workspace_id"], unique=False)

    op.create_table(
        "workspace_apps",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agent_id", sa.String(length=36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("command", sa.Text(), nullable=False),
        sa.Column("icon", sa.Text(), nullable=False),
        sa.Column("external", sa.Boolean(), nullable=False),
        sa.Column("subdomain", sa.Boolean(), nullable=False),
        sa.Column("sharing_level", sa.Text(), nullable=False),
        sa.Column("healthcheck_url", sa.Text(), nullable=False),
        sa.Column("healthcheck_interval_s", sa.Integer(), nullable=False),
        sa.Column("healthcheck_threshold", sa.Integer(), nullable=False),
        sa.Column("health", sa.Text(), nullable=False),
        sa.Column("hidden", sa.Boolean(), nullable=False),
        sa.Column("open_in", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["agent_id"], ["workspace_agents.id"], name=op.f("fk_workspace_apps_agent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workspace_apps")),
    )
    with op.batch_alter_table("workspace_apps", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_workspace_apps_agent_id"), ["agent_id"], unique=False)

    op.create_table(
        "workspace_build_parameters",
        sa.Column("workspace_build_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value_sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_build_id"],
            ["workspace_builds.id"],
            name=op.f("fk_workspace_build_parameters_workspace_build_id"),
        ),
        sa.PrimaryKeyConstraint("workspace_build_id", "name", name=op.f("pk_workspace_build_parameters")),
    )
    op.create_index(
        "uq_users_email", "users", [sa.literal_column("lower(email)")], unique=True, sqlite_where=sa.text("deleted = 0")
    )
    op.create_index(
        "uq_users_username",
        "users",
        [sa.literal_column("lower(username)")],
        unique=True,
        sqlite_where=sa.text("deleted = 0"),
    )
    op.create_index(
        "uq_templates_organization_id_name",
        "templates",
        ["organization_id", sa.literal_column("lower(name)")],
        unique=True,
        sqlite_where=sa.text("deleted = 0"),
    )
    op.create_index(
        "uq_workspaces_owner_id_name",
        "workspaces",
        ["owner_id", sa.literal_column("lower(name)")],
        unique=True,
        sqlite_where=sa.text("deleted = 0"),
    )
