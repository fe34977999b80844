"""Agents, as users see them (contract 1.14)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genba_ide_bridge.api.calls import in_path
from genba_wire.api.agents import WorkspaceAgent

if TYPE_CHECKING:
    from genba_ide_bridge.api.calls import Calls


class AgentsApi:
    """Routes below /workspaceagents/{id}."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def get_agent(self, agent_id: str) -> WorkspaceAgent:
        """One agent."""
        return await self._calls.fetch("GET", f"/workspaceagents/{in_path(agent_id)}", WorkspaceAgent)
