"""Messages about the deployment."""

from __future__ import annotations

from genba_wire.api.message import Message


class BuildInfo(Message, frozen=True, kw_only=True):
    """GET /api/v2/buildinfo (contract 0.2)."""

    external_url: str
    version: str
    dashboard_url: str
    telemetry: bool
    workspace_proxy: bool
    agent_api_version: str
    provisioner_api_version: str
    upgrade_message: str
    deployment_id: str
