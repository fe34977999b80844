"""Messages that users read about agents (contract 1.14, appendix B)."""

from __future__ import annotations

from datetime import datetime

from genba_wire.api.message import Message


class Healthcheck(Message, frozen=True, kw_only=True):
    """How the agent finds out that an app is well; seconds."""

    url: str
    interval: int
    threshold: int


class WorkspaceApp(Message, frozen=True, kw_only=True):
    """One app of an agent."""

    id: str
    url: str
    external: bool
    slug: str
    display_name: str
    subdomain: bool
    sharing_level: str
    healthcheck: Healthcheck
    health: str
    hidden: bool
    open_in: str
    command: str = ""
    icon: str = ""
    subdomain_name: str = ""


class LogSource(Message, frozen=True, kw_only=True):
    """Where lines of an agent's log come from."""

    workspace_agent_id: str
    id: str
    created_at: datetime
    display_name: str
    icon: str


class AgentScript(Message, frozen=True, kw_only=True):
    """One script of an agent; `timeout` in nanoseconds."""

    id: str
    log_source_id: str
    log_path: str
    script: str
    cron: str
    run_on_start: bool
    run_on_stop: bool
    start_blocks_login: bool
    timeout: int
    display_name: str


class AgentHealth(Message, frozen=True, kw_only=True):
    """Whether an agent is well, and why not."""

    healthy: bool
    reason: str = ""


class DERPRegionLatency(Message, frozen=True, kw_only=True):
    """Latency of an agent to a relay region."""

    preferred: bool
    latency_ms: float


class WorkspaceAgent(Message, frozen=True, kw_only=True):
    """One agent of a workspace. `status_reason` is Genba's own: why the status is what it is."""

    id: str
    created_at: datetime
    updated_at: datetime
    status: str
    lifecycle_state: str
    name: str
    resource_id: str
    architecture: str
    environment_variables: dict[str, str]
    operating_system: str
    logs_length: int
    logs_overflowed: bool
    version: str
    api_version: str
    apps: list[WorkspaceApp]
    connection_timeout_seconds: int
    troubleshooting_url: str
    subsystems: list[str]
    health: AgentHealth
    display_apps: list[str]
    log_sources: list[LogSource]
    scripts: list[AgentScript]
    startup_script_behavior: str
    first_connected_at: datetime | None = None
    last_connected_at: datetime | None = None
    disconnected_at: datetime | None = None
    started_at: datetime | None = None
    ready_at: datetime | None = None
    instance_id: str = ""
    directory: str = ""
    expanded_directory: str = ""
    latency: dict[str, DERPRegionLatency] = {}
    status_reason: str = ""


class AgentLog(Message, frozen=True, kw_only=True):
    """One line of an agent's log; ids grow within an agent."""

    id: int
    created_at: datetime
    output: str
    level: str
    source_id: str


class MetadataDescription(Message, frozen=True, kw_only=True):
    """What a metadata item is; seconds."""

    display_name: str
    key: str
    script: str
    interval: int
    timeout: int


class MetadataResult(Message, frozen=True, kw_only=True):
    """What was collected; `age` in seconds."""

    collected_at: datetime
    age: int
    value: str
    error: str


class AgentMetadata(Message, frozen=True, kw_only=True):
    """One item as watched by users."""

    result: MetadataResult
    description: MetadataDescription


class ListeningPort(Message, frozen=True, kw_only=True):
    """A port of the workspace that a program listens on; its name is empty where the agent may not know it."""

    process_name: str
    network: str
    port: int


class ListeningPorts(Message, frozen=True, kw_only=True):
    """GET /workspaceagents/{id}/listening-ports, and the agent's answer on a "ports" stream (contract 1.14)."""

    ports: list[ListeningPort] = []
