"""GET /debug/health: what the gateway finds out about itself (contract appendix B, `healthsdk`).

`severity` is `ok`, `warning` or `error`; an `error` begins with the contract's code for it, as in "EDB01: …".
"""

from __future__ import annotations

from datetime import datetime

from genba_wire.api.deployment import WorkspaceProxiesResponse
from genba_wire.api.message import Message


class HealthMessage(Message, frozen=True, kw_only=True):
    """A warning."""

    code: str
    message: str


class Section(Message, frozen=True, kw_only=True):
    """What all sections have."""

    severity: str
    warnings: list[HealthMessage]
    dismissed: bool
    error: str | None = None


class AccessUrlReport(Section, frozen=True, kw_only=True):
    """Whether the gateway reaches itself by the address that others are told."""

    healthy: bool
    access_url: str
    reachable: bool
    status_code: int
    healthz_response: str


class DatabaseReport(Section, frozen=True, kw_only=True):
    """Whether the database answers, and how soon."""

    healthy: bool
    reachable: bool
    latency: str
    latency_ms: int
    threshold_ms: int


class WebsocketReport(Section, frozen=True, kw_only=True):
    """Whether a websocket passes what is in front of the gateway."""

    healthy: bool
    body: str
    code: int


class DerpReport(Section, frozen=True, kw_only=True):
    """The relay, of which there is one: the gateway itself."""

    healthy: bool
    regions: dict[str, object]
    netcheck_logs: list[str]


class WorkspaceProxyReport(Section, frozen=True, kw_only=True):
    """Regions."""

    healthy: bool
    workspace_proxies: WorkspaceProxiesResponse


class ProvisionerDaemon(Message, frozen=True, kw_only=True):
    """Who runs Terraform: a gateway."""

    id: str
    organization_id: str
    created_at: datetime
    last_seen_at: datetime
    name: str
    version: str
    api_version: str
    provisioners: list[str]
    tags: dict[str, str]


class ProvisionerDaemonItem(Message, frozen=True, kw_only=True):
    """One of them."""

    provisioner_daemon: ProvisionerDaemon
    warnings: list[HealthMessage]


class ProvisionerDaemonsReport(Section, frozen=True, kw_only=True):
    """All of them."""

    items: list[ProvisionerDaemonItem]


class HealthcheckReport(Message, frozen=True, kw_only=True):
    """The whole report; `severity` is the worst of the sections'."""

    time: datetime
    healthy: bool
    severity: str
    derp: DerpReport
    access_url: AccessUrlReport
    websocket: WebsocketReport
    database: DatabaseReport
    workspace_proxy: WorkspaceProxyReport
    provisioner_daemons: ProvisionerDaemonsReport
    coder_version: str


class HealthSettingsMessage(Message, frozen=True, kw_only=True):
    """GET and PUT /debug/health/settings: sections that operators know about and don't want to hear of."""

    dismissed_healthchecks: list[str]
