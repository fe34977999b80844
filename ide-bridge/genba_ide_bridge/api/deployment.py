"""The deployment as a whole (contract 2.1.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genba_wire.api.deployment import SSHConfigResponse

if TYPE_CHECKING:
    from genba_ide_bridge.api.calls import Calls


class DeploymentApi:
    """Routes that belong to no noun."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def get_ssh_config(self) -> SSHConfigResponse:
        """What goes into users' ssh config, and the authority for host keys."""
        return await self._calls.fetch("GET", "/deployment/ssh", SSHConfigResponse)
