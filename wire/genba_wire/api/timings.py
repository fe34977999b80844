"""Messages about how long the parts of builds took (contract 4.3, appendix B)."""

from __future__ import annotations

from datetime import datetime

from genba_wire.api.message import Message


class ScriptTimingReport(Message, frozen=True, kw_only=True):
    """POST /workspaceagents/me/script-timings: one run of a script, by the agent's clock; Genba's own.

    `stage` is `start`, `stop` or `cron`; `status` is `ok`, `exit_failure` or `timed_out`.
    """

    script_id: str
    started_at: datetime
    ended_at: datetime
    exit_code: int
    stage: str
    status: str


class ProvisionerTiming(Message, frozen=True, kw_only=True):
    """One command of Terraform, or what it did to one resource."""

    job_id: str
    started_at: datetime
    ended_at: datetime
    stage: str
    source: str
    action: str
    resource: str


class AgentScriptTiming(Message, frozen=True, kw_only=True):
    """One run of a script of an agent."""

    started_at: datetime
    ended_at: datetime
    exit_code: int
    stage: str
    status: str
    display_name: str
    workspace_agent_id: str
    workspace_agent_name: str


class AgentConnectionTiming(Message, frozen=True, kw_only=True):
    """How long an agent took to connect."""

    started_at: datetime
    ended_at: datetime
    stage: str
    workspace_agent_id: str
    workspace_agent_name: str


class WorkspaceBuildTimings(Message, frozen=True, kw_only=True):
    """GET /workspacebuilds/{build}/timings, and of a workspace's latest build."""

    provisioner_timings: list[ProvisionerTiming]
    agent_script_timings: list[AgentScriptTiming]
    agent_connection_timings: list[AgentConnectionTiming]
