"""Ports that a workspace listens on (contract 1.14)."""

from __future__ import annotations

from quart import Blueprint, Response

from genba_gateway.api.answers import answer
from genba_gateway.api.gate import current_user, needs
from genba_gateway.domain.session_grants import USE_AGENT
from genba_gateway.services.listening_ports import ListeningPortsOf


def make_blueprint(listening_ports: ListeningPortsOf) -> Blueprint:
    """The one route."""
    blueprint = Blueprint("listening_ports", __name__)

    @blueprint.get("/api/v2/workspaceagents/<agent_id>/listening-ports")
    @needs(USE_AGENT, hidden=True)
    async def list_ports(agent_id: str) -> Response:
        return answer(await listening_ports.list_ports(current_user(), agent_id))

    return blueprint
