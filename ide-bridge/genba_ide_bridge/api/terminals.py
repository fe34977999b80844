"""Tickets for sessions with an agent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genba_ide_bridge.api.calls import in_path

if TYPE_CHECKING:
    from genba_ide_bridge.api.calls import Calls
    from genba_wire.api.terminals import TicketResponse


class TerminalsApi:
    """The route below /workspaceagents/{id} that gives tickets."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def create_ticket(self, agent_id: str) -> TicketResponse:
        """A ticket for a terminal; it works for some minutes, for this agent only.

        Raises:
            GatewayUnreachable, GatewayRefused, BridgeError: see `Calls`. Status 409: the agent is not connected.
        """
        from genba_wire.api.terminals import TicketRequest, TicketResponse

        path = f"/workspaceagents/{in_path(agent_id)}/tickets"
        return await self._calls.fetch("POST", path, TicketResponse, body=TicketRequest(purpose="terminal"))
