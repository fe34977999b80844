"""All tables, declared once. Columns whose name ends in `_sealed` hold envelopes of `store.sealing`.

Ids are UUIDv4 text, times UTC. Soft-deleted rows keep their name; names are unique among what is not deleted.
"""

from __future__ import annotations

import sqlalchemy as sa

from genba_gateway.store.columns import JsonText, UtcTime

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

metadata = sa.MetaData(naming_convention=NAMING)

Id = sa.String(36)
NOT_DELETED = sa.text("deleted = 0")


def _id() -> sa.Column[str]:
    return sa.Column("id", Id, primary_key=True)


def _ref(name: str, target: str, *, nullable: bool = False, index: bool = False) -> sa.Column[str]:
    return sa.Column(name, Id, sa.ForeignKey(f"{target}.id"), nullable=nullable, index=index)


def _time(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, UtcTime, nullable=nullable)


def _text(name: str, *, default: str = "") -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, default=default)


def _flag(name: str, *, default: bool = False) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False, default=default)


settings = sa.Table(
    "settings",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

replicas = sa.Table(
    "replicas",
    metadata,
    _id(),
    _text("internal_url"),
    _time("seen_at"),
)

organizations = sa.Table(
    "organizations",
    metadata,
    _id(),
    _text("name"),
    _text("display_name"),
    _text("icon"),
    _text("description"),
    _flag("is_default"),
    _time("created_at"),
    _time("updated_at"),
    _flag("deleted"),
    sa.Index("uq_organizations_name", "name", unique=True, sqlite_where=NOT_DELETED),
)

users = sa.Table(
    "users",
    metadata,
    _id(),
    _text("username"),
    _text("email"),
    _text("name"),
    _text("password_hash"),
    _text("status", default="active"),
    _text("login_type", default="password"),
    _text("avatar_url"),
    _text("theme_preference"),
    sa.Column("roles", JsonText, nullable=False),
    _time("created_at"),
    _time("updated_at"),
    _time("last_seen_at"),
    _flag("deleted"),
    sa.Index("uq_users_username", sa.text("lower(username)"), unique=True, sqlite_where=NOT_DELETED),
    sa.Index("uq_users_email", sa.text("lower(email)"), unique=True, sqlite_where=NOT_DELETED),
)

organization_members = sa.Table(
    "organization_members",
    metadata,
    sa.Column("organization_id", Id, sa.ForeignKey("organizations.id"), primary_key=True),
    sa.Column("user_id", Id, sa.ForeignKey("users.id"), primary_key=True),
    sa.Column("roles", JsonText, nullable=False),
    _time("created_at"),
    _time("updated_at"),
)

api_keys = sa.Table(
    "api_keys",
    metadata,
    sa.Column("id", sa.String(10), primary_key=True),
    _ref("user_id", "users", index=True),
    sa.Column("hashed_secret", sa.LargeBinary, nullable=False, comment="SHA-256 of the secret"),
    _text("login_type"),
    _text("scope", default="all"),
    _text("token_name"),
    sa.Column("lifetime_seconds", sa.BigInteger, nullable=False),
    _text("ip_address"),
    _time("created_at"),
    _time("updated_at"),
    _time("last_used"),
    _time("expires_at"),
    sa.Index(
        "uq_api_keys_user_id_token_name", "user_id", "token_name", unique=True, sqlite_where=sa.text("token_name <> ''")
    ),
)

sign_in_links = sa.Table(
    "sign_in_links",
    metadata,
    sa.Column("hashed_secret", sa.LargeBinary, primary_key=True, comment="SHA-256 of the secret in the link"),
    _ref("user_id", "users"),
    _time("created_at"),
    _time("expires_at"),
)

git_ssh_keys = sa.Table(
    "git_ssh_keys",
    metadata,
    sa.Column("user_id", Id, sa.ForeignKey("users.id"), primary_key=True),
    _text("public_key"),
    sa.Column("private_key_sealed", sa.LargeBinary, nullable=False),
    _time("created_at"),
    _time("updated_at"),
)

audit_logs = sa.Table(
    "audit_logs",
    metadata,
    _id(),
    _time("time"),
    sa.Column("user_id", Id, nullable=True),
    sa.Column("organization_id", Id, nullable=True),
    _text("action"),
    _text("resource_type"),
    _text("resource_id"),
    _text("resource_target"),
    _text("ip_address"),
    _text("user_agent"),
    sa.Column("status_code", sa.Integer, nullable=False, default=0),
    sa.Column("additional_fields", JsonText, nullable=False),
    sa.Index("ix_audit_logs_time", "time"),
)

files = sa.Table(
    "files",
    metadata,
    _id(),
    _text("hash"),
    _ref("created_by", "users"),
    _time("created_at"),
    _text("mimetype"),
    sa.Column("data", sa.LargeBinary, nullable=False, comment="a tar archive"),
    sa.UniqueConstraint("hash", "created_by"),
)

provisioner_jobs = sa.Table(
    "provisioner_jobs",
    metadata,
    _id(),
    _ref("organization_id", "organizations"),
    _ref("initiator_id", "users"),
    _text("type"),
    _ref("file_id", "files"),
    sa.Column("tags", JsonText, nullable=False),
    sa.Column("input", JsonText, nullable=False),
    sa.Column("variables_sealed", sa.LargeBinary, nullable=True, comment="JSON object of the user's variable values"),
    _time("created_at"),
    _time("updated_at"),
    _time("started_at", nullable=True),
    _time("completed_at", nullable=True),
    _time("canceled_at", nullable=True),
    _text("error"),
    _text("error_code"),
    _text("worker_id"),
    sa.Index("ix_provisioner_jobs_queue", "completed_at", "started_at", "created_at"),
)

provisioner_job_logs = sa.Table(
    "provisioner_job_logs",
    metadata,
    sa.Column("job_id", Id, sa.ForeignKey("provisioner_jobs.id"), primary_key=True),
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False, comment="from 1, grows within the job"),
    _time("created_at"),
    _text("source"),
    _text("level"),
    _text("stage"),
    _text("output"),
)

templates = sa.Table(
    "templates",
    metadata,
    _id(),
    _ref("organization_id", "organizations"),
    _text("name"),
    _text("display_name"),
    _text("description"),
    _text("icon"),
    _text("provisioner", default="terraform"),
    sa.Column("active_version_id", Id, nullable=False),
    _ref("created_by", "users"),
    sa.Column("default_ttl_ms", sa.BigInteger, nullable=False, default=0),
    sa.Column("activity_bump_ms", sa.BigInteger, nullable=False, default=3_600_000),
    _flag("allow_user_cancel_workspace_jobs", default=True),
    _flag("allow_user_autostart", default=True),
    _flag("allow_user_autostop", default=True),
    _flag("require_active_version"),
    _text("deprecation_message"),
    sa.Column("user_acl", JsonText, nullable=False),
    sa.Column("group_acl", JsonText, nullable=False),
    _time("created_at"),
    _time("updated_at"),
    _flag("deleted"),
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
    _id(),
    _ref("template_id", "templates", nullable=True),
    _ref("organization_id", "organizations"),
    _text("name"),
    _text("message"),
    _text("readme"),
    _ref("job_id", "provisioner_jobs", index=True),
    _ref("created_by", "users"),
    _flag("archived"),
    _time("created_at"),
    _time("updated_at"),
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

template_version_variables = sa.Table(
    "template_version_variables",
    metadata,
    sa.Column("template_version_id", Id, sa.ForeignKey("template_versions.id"), primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
    _text("description"),
    _text("type"),
    sa.Column("value_sealed", sa.LargeBinary, nullable=False),
    _text("default_value"),
    _flag("required"),
    _flag("sensitive"),
)

workspaces = sa.Table(
    "workspaces",
    metadata,
    _id(),
    _ref("owner_id", "users"),
    _ref("organization_id", "organizations"),
    _ref("template_id", "templates", index=True),
    _text("name"),
    sa.Column("autostart_schedule", sa.Text, nullable=True),
    sa.Column("ttl_ms", sa.BigInteger, nullable=True),
    _text("automatic_updates", default="never"),
    _time("last_used_at"),
    _time("dormant_at", nullable=True),
    _time("deleting_at", nullable=True),
    sa.Column("user_acl", JsonText, nullable=False),
    sa.Column("group_acl", JsonText, nullable=False),
    _time("created_at"),
    _time("updated_at"),
    _flag("deleted"),
    sa.Index("uq_workspaces_owner_id_name", "owner_id", sa.text("lower(name)"), unique=True, sqlite_where=NOT_DELETED),
)

workspace_builds = sa.Table(
    "workspace_builds",
    metadata,
    _id(),
    _ref("workspace_id", "workspaces"),
    _ref("template_version_id", "template_versions", index=True),
    sa.Column("build_number", sa.Integer, nullable=False),
    _text("transition"),
    _ref("initiator_id", "users"),
    _text("reason", default="initiator"),
    _ref("job_id", "provisioner_jobs", index=True),
    _time("deadline", nullable=True),
    _time("max_deadline", nullable=True),
    sa.Column("state_sealed", sa.LargeBinary, nullable=True, comment="Terraform's state, compressed"),
    _flag("orphan"),
    _flag("debug"),
    _time("created_at"),
    _time("updated_at"),
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
    _id(),
    _ref("job_id", "provisioner_jobs", index=True),
    sa.Column("position", sa.Integer, nullable=False),
    _text("transition"),
    _text("type"),
    _text("name"),
    _flag("hide"),
    _text("icon"),
    sa.Column("daily_cost", sa.Integer, nullable=False, default=0),
    sa.Column("metadata", JsonText, nullable=False, comment="list of {key, value, sensitive}; sensitive values blank"),
    _time("created_at"),
)

workspace_agents = sa.Table(
    "workspace_agents",
    metadata,
    _id(),
    _ref("resource_id", "workspace_resources", index=True),
    _text("name"),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("hashed_token", sa.LargeBinary, nullable=True, index=True, comment="SHA-256 of the agent's token"),
    sa.Column("hashed_report_key", sa.LargeBinary, nullable=True, index=True, comment="SHA-256 of its report key"),
    _text("instance_id"),
    _text("architecture"),
    _text("operating_system"),
    sa.Column("environment_sealed", sa.LargeBinary, nullable=False, comment="JSON object"),
    _text("directory"),
    _text("expanded_directory"),
    _text("version"),
    _text("api_version"),
    _text("boot_id"),
    sa.Column("connection_timeout_s", sa.Integer, nullable=False),
    _text("troubleshooting_url"),
    _text("motd_file"),
    _text("startup_script_behavior"),
    sa.Column("display_apps", JsonText, nullable=False),
    sa.Column("subsystems", JsonText, nullable=False),
    _text("host_boot_id"),
    _text("lifecycle_state", default="created"),
    _text("disconnect_reason"),
    sa.Column("logs_length", sa.BigInteger, nullable=False, default=0),
    _flag("logs_overflowed"),
    _time("first_connected_at", nullable=True),
    _time("last_connected_at", nullable=True),
    _time("disconnected_at", nullable=True),
    _time("started_at", nullable=True),
    _time("ready_at", nullable=True),
    _time("created_at"),
    _time("updated_at"),
)

agent_connections = sa.Table(
    "agent_connections",
    metadata,
    sa.Column("agent_id", Id, sa.ForeignKey("workspace_agents.id"), primary_key=True),
    sa.Column("replica_id", Id, nullable=False),
    sa.Column("generation", sa.BigInteger, nullable=False),
    sa.Column("protocol", sa.Text, nullable=False, comment="of the agent's carriers, major.minor"),
    _time("seen_at"),
)

workspace_agent_scripts = sa.Table(
    "workspace_agent_scripts",
    metadata,
    _id(),
    _ref("agent_id", "workspace_agents", index=True),
    sa.Column("log_source_id", Id, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    _text("display_name"),
    _text("log_path"),
    _text("script"),
    _text("cron"),
    _flag("run_on_start"),
    _flag("run_on_stop"),
    _flag("start_blocks_login"),
    sa.Column("timeout_s", sa.Integer, nullable=False),
)

workspace_agent_log_sources = sa.Table(
    "workspace_agent_log_sources",
    metadata,
    sa.Column("agent_id", Id, sa.ForeignKey("workspace_agents.id"), primary_key=True),
    sa.Column("id", Id, primary_key=True),
    _text("display_name"),
    _text("icon"),
    _time("created_at"),
)

workspace_agent_logs = sa.Table(
    "workspace_agent_logs",
    metadata,
    sa.Column("agent_id", Id, sa.ForeignKey("workspace_agents.id"), primary_key=True),
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False, comment="from 1, grows within the agent"),
    _time("created_at"),
    _text("level"),
    sa.Column("source_id", Id, nullable=False),
    _text("output"),
)

workspace_agent_log_spools = sa.Table(
    "workspace_agent_log_spools",
    metadata,
    sa.Column("agent_id", Id, sa.ForeignKey("workspace_agents.id"), primary_key=True),
    sa.Column("boot_id", Id, primary_key=True),
    sa.Column("next_line", sa.BigInteger, nullable=False, comment="lines below this number are stored"),
)

workspace_agent_metadata = sa.Table(
    "workspace_agent_metadata",
    metadata,
    sa.Column("agent_id", Id, sa.ForeignKey("workspace_agents.id"), primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
    _text("display_name"),
    _text("script"),
    sa.Column("interval_s", sa.Integer, nullable=False),
    sa.Column("timeout_s", sa.Integer, nullable=False),
    _text("value"),
    _text("error"),
    _time("collected_at", nullable=True),
)

workspace_agent_stats = sa.Table(
    "workspace_agent_stats",
    metadata,
    _id(),
    _ref("agent_id", "workspace_agents", index=True),
    sa.Column("workspace_id", Id, nullable=False, index=True),
    sa.Column("user_id", Id, nullable=False),
    sa.Column("template_id", Id, nullable=False),
    _time("created_at"),
    sa.Column("stats", JsonText, nullable=False, comment="the body of report-stats (contract 1.4)"),
)

workspace_apps = sa.Table(
    "workspace_apps",
    metadata,
    _id(),
    _ref("agent_id", "workspace_agents", index=True),
    sa.Column("position", sa.Integer, nullable=False),
    _text("slug"),
    _text("display_name"),
    _text("url"),
    _text("command"),
    _text("icon"),
    _flag("external"),
    _flag("subdomain"),
    _text("sharing_level", default="owner"),
    _text("healthcheck_url"),
    sa.Column("healthcheck_interval_s", sa.Integer, nullable=False, default=0),
    sa.Column("healthcheck_threshold", sa.Integer, nullable=False, default=0),
    _text("health", default="disabled"),
    _flag("hidden"),
    _text("open_in", default="slim-window"),
)
