"""Tickets for sessions with an agent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from genba_ide_bridge.api.calls import in_path

if TYPE_CHECKING:
    from genba_ide_bridge.api.calls import Calls
    from genba_wire.api.terminals import TicketResponse

Purpose: TypeAlias = Literal["terminal", "tunnel", "files", "ssh"]
"""What a ticket's carriers may be used for."""


class TerminalsApi:
    """The route below /workspaceagents/{id} that gives tickets."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def create_ticket(self, agent_id: str, purpose: Purpose = "terminal") -> TicketResponse:
        """A ticket for one purpose; it works for some minutes, for this agent only.

        Raises:
            GatewayUnreachable, GatewayRefused, BridgeError: see `Calls`. Status 409: the agent is not connected.
        """
        from genba_wire.api.terminals import TicketRequest, TicketResponse

        path = f"/workspaceagents/{in_path(agent_id)}/tickets"
        return await self._calls.fetch("POST", path, TicketResponse, body=TicketRequest(purpose=purpose))
