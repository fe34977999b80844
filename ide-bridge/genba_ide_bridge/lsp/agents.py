"""Finds the workspace that an agent belongs to: the gateway's messages about agents don't name it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genba_ide_bridge.lsp.workspaces import MINE
from genba_wire.errors import GatewayRefused

if TYPE_CHECKING:
    from genba_ide_bridge.api.client import GatewayClient
    from genba_wire.api.workspaces import Workspace


async def find_workspace_of(client: GatewayClient, agent_id: str) -> Workspace | None:
    """The workspace whose latest build has that agent, or None.

    Raises:
        GatewayUnreachable, GatewayRefused, BridgeError: see `Calls`.
    """
    # One's own first: those of others are many, and rarely meant.
    for query in (MINE, ""):
        for workspace in await client.workspaces.list_workspaces(query):
            if has_agent(workspace, agent_id):
                return workspace
    return None


async def get_workspace_of(client: GatewayClient, agent_id: str) -> Workspace:
    """The workspace whose latest build has that agent.

    Raises:
        GatewayRefused: status 404, there is none.
        GatewayUnreachable, BridgeError: see `Calls`.
    """
    workspace = await find_workspace_of(client, agent_id)
    if workspace is None:
        raise GatewayRefused(
            404, "This agent is not there any more.", "Its workspace was stopped, restarted or deleted."
        )
    return workspace


def has_agent(workspace: Workspace, agent_id: str) -> bool:
    """Whether the workspace's latest build has that agent."""
    return any(agent.id == agent_id for resource in workspace.latest_build.resources for agent in resource.agents)
