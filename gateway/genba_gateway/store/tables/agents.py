"""Tables of agents: what they are, what they run, and what they reported."""

from __future__ import annotations

import sqlalchemy as sa

from genba_gateway.store.columns import JsonText
from genba_gateway.store.tables.base import Id, make_flag, make_id, make_ref, make_text, make_time, metadata

workspace_agents = sa.Table(
    "workspace_agents",
    metadata,
    make_id(),
    make_ref("resource_id", "workspace_resources", index=True),
    make_text("name"),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("hashed_token", sa.LargeBinary, nullable=True, index=True, comment="SHA-256 of the agent's token"),
    sa.Column("hashed_report_key", sa.LargeBinary, nullable=True, index=True, comment="SHA-256 of its report key"),
    make_text("instance_id"),
    make_text("architecture"),
    make_text("operating_system"),
    sa.Column("environment_sealed", sa.LargeBinary, nullable=False, comment="JSON object"),
    make_text("directory"),
    make_text("expanded_directory"),
    make_text("version"),
    make_text("api_version"),
    make_text("boot_id"),
    sa.Column("connection_timeout_s", sa.Integer, nullable=False),
    make_text("troubleshooting_url"),
    make_text("motd_file"),
    make_text("startup_script_behavior"),
    sa.Column("display_apps", JsonText, nullable=False),
    sa.Column("subsystems", JsonText, nullable=False),
    make_text("host_boot_id"),
    make_text("lifecycle_state", default="created"),
    make_text("disconnect_reason"),
    sa.Column("logs_length", sa.BigInteger, nullable=False, default=0),
    make_flag("logs_overflowed"),
    make_time("first_connected_at", nullable=True),
    make_time("last_connected_at", nullable=True),
    make_time("disconnected_at", nullable=True),
    make_time("started_at", nullable=True),
    make_time("ready_at", nullable=True),
    make_time("created_at"),
    make_time("updated_at"),
)

agent_connections = sa.Table(
    "agent_connections",
    metadata,
    sa.Column("agent_id", Id, sa.ForeignKey("workspace_agents.id"), primary_key=True),
    sa.Column("replica_id", Id, nullable=False),
    sa.Column("generation", sa.BigInteger, nullable=False),
    sa.Column("protocol", sa.Text, nullable=False, comment="of the agent's carriers, major.minor"),
    make_time("seen_at"),
)

workspace_agent_scripts = sa.Table(
    "workspace_agent_scripts",
    metadata,
    make_id(),
    make_ref("agent_id", "workspace_agents", index=True),
    sa.Column("log_source_id", Id, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    make_text("display_name"),
    make_text("log_path"),
    make_text("script"),
    make_text("cron"),
    make_flag("run_on_start"),
    make_flag("run_on_stop"),
    make_flag("start_blocks_login"),
    sa.Column("timeout_s", sa.Integer, nullable=False),
)

workspace_agent_script_timings = sa.Table(
    "workspace_agent_script_timings",
    metadata,
    sa.Column("script_id", Id, sa.ForeignKey("workspace_agent_scripts.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("stage", sa.Text, primary_key=True, comment="start, stop or cron: the latest run of each"),
    make_time("started_at"),
    make_time("ended_at"),
    sa.Column("exit_code", sa.Integer, nullable=False),
    make_text("status"),
)

workspace_agent_log_sources = sa.Table(
    "workspace_agent_log_sources",
    metadata,
    sa.Column("agent_id", Id, sa.ForeignKey("workspace_agents.id"), primary_key=True),
    sa.Column("id", Id, primary_key=True),
    make_text("display_name"),
    make_text("icon"),
    make_time("created_at"),
)

workspace_agent_logs = sa.Table(
    "workspace_agent_logs",
    metadata,
    sa.Column("agent_id", Id, sa.ForeignKey("workspace_agents.id"), primary_key=True),
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False, comment="from 1, grows within the agent"),
    make_time("created_at"),
    make_text("level"),
    sa.Column("source_id", Id, nullable=False),
    make_text("output"),
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
    make_text("display_name"),
    make_text("script"),
    sa.Column("interval_s", sa.Integer, nullable=False),
    sa.Column("timeout_s", sa.Integer, nullable=False),
    make_text("value"),
    make_text("error"),
    make_time("collected_at", nullable=True),
)

workspace_agent_stats = sa.Table(
    "workspace_agent_stats",
    metadata,
    make_id(),
    make_ref("agent_id", "workspace_agents", index=True),
    sa.Column("workspace_id", Id, nullable=False, index=True),
    sa.Column("user_id", Id, nullable=False),
    sa.Column("template_id", Id, nullable=False),
    make_time("created_at", index=True),
    sa.Column("stats", JsonText, nullable=False, comment="the body of report-stats (contract 1.4)"),
)

workspace_apps = sa.Table(
    "workspace_apps",
    metadata,
    make_id(),
    make_ref("agent_id", "workspace_agents", index=True),
    sa.Column("position", sa.Integer, nullable=False),
    make_text("slug"),
    make_text("display_name"),
    make_text("url"),
    make_text("command"),
    make_text("icon"),
    make_flag("external"),
    make_flag("subdomain"),
    make_text("sharing_level", default="owner"),
    make_text("healthcheck_url"),
    sa.Column("healthcheck_interval_s", sa.Integer, nullable=False, default=0),
    sa.Column("healthcheck_threshold", sa.Integer, nullable=False, default=0),
    make_text("health", default="disabled"),
    make_flag("hidden"),
    make_text("open_in", default="slim-window"),
)
