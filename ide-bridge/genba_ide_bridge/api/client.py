"""All nouns of the API over one transport."""

from __future__ import annotations

from genba_ide_bridge.api.agents import AgentsApi
from genba_ide_bridge.api.calls import Calls
from genba_ide_bridge.api.deployment import DeploymentApi
from genba_ide_bridge.api.templates import TemplatesApi
from genba_ide_bridge.api.users import UsersApi
from genba_ide_bridge.api.workspaces import WorkspacesApi


class GatewayClient:
    """What commands talk to. It does not own the transport."""

    def __init__(self, calls: Calls) -> None:
        self.calls = calls
        self.users = UsersApi(calls)
        self.templates = TemplatesApi(calls)
        self.workspaces = WorkspacesApi(calls)
        self.agents = AgentsApi(calls)
        self.deployment = DeploymentApi(calls)

    @property
    def base_url(self) -> str:
        """The gateway's address, without a slash at its end."""
        return self.calls.transport.options.base_url.rstrip("/")
