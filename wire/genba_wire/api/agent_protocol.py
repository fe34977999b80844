"""Messages between an agent and the gateway under /api/v2/workspaceagents/me (contract 1.2 to 1.6)."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from genba_wire.api.agents import MetadataDescription, WorkspaceApp
from genba_wire.api.message import Message

LOG_BATCH_HEADER: Final = "Genba-Log-Batch"
"""Header of our agent's PATCH /logs: `<boot id>/<number of the batch's first line>`.

The boot id names one spool of the agent (a UUID), numbers count its lines from 0. The gateway stores only lines
whose number it has not stored for that boot id, in the same transaction as the lines, so a batch that was stored
before a crash is acknowledged and not stored twice. Requests without the header behave as the contract says.
"""

EXTERNAL_LOG_SOURCE_ID: Final = "3b579bf4-1ed8-4b99-87a8-e9a1e3410410"
"""What a nil log source becomes (contract 1.6)."""

MAX_LOGS_BYTES: Final = 1_048_576
"""Output of one agent over all sources, after which its logs overflow (contract 1.6)."""

MAX_METADATA_VALUE_BYTES: Final = 2048
"""What the gateway keeps of a metadata value or error (contract 1.6)."""

CONTROL_PATH: Final = "/api/v2/workspaceagents/me/control"
"""The agent's one websocket; its life is the agent's connection status, pinged both ways."""


class ManifestScript(Message, frozen=True, kw_only=True):
    """One script to run; `timeout` in nanoseconds, 0 for none."""

    log_source_id: str
    log_path: str
    script: str
    cron: str
    run_on_start: bool
    run_on_stop: bool
    start_blocks_login: bool
    timeout: int
    id: str = ""
    display_name: str = ""


class Manifest(Message, frozen=True, kw_only=True):
    """GET /me/manifest: all that an agent has to know."""

    agent_id: str
    agent_name: str
    owner_name: str
    workspace_id: str
    workspace_name: str
    git_auth_configs: int
    vscode_port_proxy_uri: str
    apps: list[WorkspaceApp]
    derpmap: dict[str, object] | None
    derp_force_websockets: bool
    environment_variables: dict[str, str]
    directory: str
    motd_file: str
    disable_direct_connections: bool
    metadata: list[MetadataDescription]
    scripts: list[ManifestScript]


class StartupRequest(Message, frozen=True, kw_only=True):
    """POST /me/startup."""

    version: str
    expanded_directory: str
    subsystems: list[str] = []


class LifecycleRequest(Message, frozen=True, kw_only=True):
    """POST /me/report-lifecycle."""

    state: str
    changed_at: datetime


class LogLine(Message, frozen=True, kw_only=True):
    """One line of PATCH /me/logs."""

    created_at: datetime
    output: str
    level: str = ""


class PatchLogsRequest(Message, frozen=True, kw_only=True):
    """PATCH /me/logs."""

    log_source_id: str
    logs: list[LogLine]


class LogSourceRequest(Message, frozen=True, kw_only=True):
    """POST /me/log-source."""

    id: str
    display_name: str
    icon: str


class MetadataReport(Message, frozen=True, kw_only=True):
    """One collected item; `age` in seconds."""

    key: str
    collected_at: datetime
    age: int
    value: str
    error: str


class MetadataRequest(Message, frozen=True, kw_only=True):
    """POST /me/metadata."""

    metadata: list[MetadataReport]


class AppHealthRequest(Message, frozen=True, kw_only=True):
    """POST /me/app-health; the capital H is the contract's."""

    Healths: dict[str, str]


class StatsMetricLabel(Message, frozen=True, kw_only=True):
    """A label of a metric."""

    name: str
    value: str


class StatsMetric(Message, frozen=True, kw_only=True):
    """A metric that the gateway forwards."""

    name: str
    type: str
    value: float
    labels: list[StatsMetricLabel] = []


class StatsRequest(Message, frozen=True, kw_only=True):
    """POST /me/report-stats; `connections_by_proto: null` only asks for the interval."""

    connections_by_proto: dict[str, int] | None
    connection_count: int = 0
    connection_median_latency_ms: float = -0.001
    rx_packets: int = 0
    rx_bytes: int = 0
    tx_packets: int = 0
    tx_bytes: int = 0
    session_count_vscode: int = 0
    session_count_jetbrains: int = 0
    session_count_reconnecting_pty: int = 0
    session_count_ssh: int = 0
    metrics: list[StatsMetric] | None = None


class StatsResponse(Message, frozen=True, kw_only=True):
    """Answer of report-stats; nanoseconds."""

    report_interval: int


class AgentGitSSHKey(Message, frozen=True, kw_only=True):
    """GET /me/gitsshkey: both halves, OpenSSH format."""

    public_key: str
    private_key: str


class SSHHostCertificateRequest(Message, frozen=True, kw_only=True):
    """POST /me/ssh-host-certificate: the public half of the agent's SSH host key, OpenSSH format."""

    public_key: str


class SSHHostCertificateResponse(Message, frozen=True, kw_only=True):
    """The certificate in OpenSSH's format, for the names of this agent's workspace, and until when it is valid.

    The agent asks at its start and then daily: a renamed workspace or owner is in the next one.
    """

    certificate: str
    valid_before: datetime
