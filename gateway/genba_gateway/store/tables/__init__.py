"""All tables, each declared once. Columns whose name ends in `_sealed` hold envelopes of `store.sealing`.

Ids are UUIDv4 text, times UTC. Soft-deleted rows keep their name; names are unique among what is not deleted.

* deployment: what the deployment keeps about itself
* users: users, what they belong to, and what signs them in
* jobs: uploaded files, and the jobs that work on them
* templates: templates and their versions
* workspaces: workspaces, their builds, and what those made
* agents: agents: what they are, what they run, and what they reported
* apps: who may use ports of workspaces, and who used which app
* base: what they share
"""

from __future__ import annotations

from genba_gateway.store.tables.agents import (
    agent_connections,
    workspace_agent_log_sources,
    workspace_agent_log_spools,
    workspace_agent_logs,
    workspace_agent_metadata,
    workspace_agent_script_timings,
    workspace_agent_scripts,
    workspace_agent_stats,
    workspace_agents,
    workspace_apps,
)
from genba_gateway.store.tables.apps import workspace_agent_port_shares, workspace_app_stats
from genba_gateway.store.tables.base import metadata
from genba_gateway.store.tables.deployment import audit_logs, replicas, settings
from genba_gateway.store.tables.jobs import files, provisioner_job_logs, provisioner_job_timings, provisioner_jobs
from genba_gateway.store.tables.templates import (
    template_version_parameters,
    template_version_presets,
    template_version_variables,
    template_versions,
    templates,
)
from genba_gateway.store.tables.users import (
    api_keys,
    git_ssh_keys,
    organization_members,
    organizations,
    sign_in_links,
    users,
)
from genba_gateway.store.tables.workspaces import (
    workspace_build_parameters,
    workspace_builds,
    workspace_resources,
    workspaces,
)

__all__ = [
    "agent_connections",
    "api_keys",
    "audit_logs",
    "files",
    "git_ssh_keys",
    "metadata",
    "organization_members",
    "organizations",
    "provisioner_job_logs",
    "provisioner_job_timings",
    "provisioner_jobs",
    "replicas",
    "settings",
    "sign_in_links",
    "template_version_parameters",
    "template_version_presets",
    "template_version_variables",
    "template_versions",
    "templates",
    "users",
    "workspace_agent_log_sources",
    "workspace_agent_log_spools",
    "workspace_agent_logs",
    "workspace_agent_metadata",
    "workspace_agent_port_shares",
    "workspace_agent_script_timings",
    "workspace_agent_scripts",
    "workspace_agent_stats",
    "workspace_agents",
    "workspace_app_stats",
    "workspace_apps",
    "workspace_build_parameters",
    "workspace_builds",
    "workspace_resources",
    "workspaces",
]
