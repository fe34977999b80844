"""Routes on shared ports of workspaces (contract 3.5)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final

from quart import Blueprint, Response

from genba_gateway.api.answers import answer, read_body
from genba_gateway.api.gate import current_user, needs
from genba_gateway.domain.actors import Action, Permission, Resource
from genba_gateway.domain.port_shares import PortShare
from genba_gateway.services.port_shares import PortShares
from genba_gateway.services.visibility import parse_id
from genba_wire.api.port_shares import (
    DeleteWorkspaceAgentPortShareRequest,
    UpsertWorkspaceAgentPortShareRequest,
    WorkspaceAgentPortShare,
    WorkspaceAgentPortShares,
)

_PATH: Final = "/api/v2/workspaces/<workspace>/port-share"


def make_blueprint(port_shares: PortShares) -> Blueprint:
    """The routes."""
    blueprint = Blueprint("port_shares", __name__)

    @blueprint.get(_PATH)
    @needs(Permission(Resource.WORKSPACE, Action.READ))
    async def list_shares(workspace: str) -> Response:
        found = await port_shares.list_shares(current_user(), parse_id(workspace, "workspace"))
        return answer(WorkspaceAgentPortShares(shares=[_message(share) for share in found]))

    @blueprint.post(_PATH)
    @needs(Permission(Resource.WORKSPACE, Action.UPDATE))
    async def share(workspace: str) -> Response:
        body = await read_body(UpsertWorkspaceAgentPortShareRequest)
        wanted = PortShare(
            workspace_id=parse_id(workspace, "workspace"),
            agent_name=body.agent_name.lower(),
            port=body.port,
            share_level=body.share_level,
            protocol=body.protocol or "http",
        )
        await port_shares.share(current_user(), wanted)
        return answer(_message(wanted))

    @blueprint.delete(_PATH)
    @needs(Permission(Resource.WORKSPACE, Action.UPDATE))
    async def unshare(workspace: str) -> Response:
        body = await read_body(DeleteWorkspaceAgentPortShareRequest)
        workspace_id = parse_id(workspace, "workspace")
        await port_shares.unshare(current_user(), workspace_id, body.agent_name.lower(), body.port)
        return Response(b"", status=200)

    return blueprint


def _message(share: PortShare) -> WorkspaceAgentPortShare:
    return WorkspaceAgentPortShare(**asdict(share))
