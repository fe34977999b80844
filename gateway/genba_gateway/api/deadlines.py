"""Routes of when workspaces stop by themselves (contract 2.6)."""

from __future__ import annotations

from quart import Blueprint, Response

from genba_gateway.api.answers import no_content, read_body, say
from genba_gateway.api.gate import current_user, needs
from genba_gateway.domain.actors import Action, Permission, Resource
from genba_gateway.services.deadlines import Deadlines
from genba_gateway.services.visibility import parse_id
from genba_wire.api.workspaces import ExtendRequest, UpdateTTLRequest


def make_blueprint(deadlines: Deadlines) -> Blueprint:
    """Routes on deadlines."""
    blueprint = Blueprint("deadlines", __name__)
    base = "/api/v2/workspaces/<workspace>"

    @blueprint.put(f"{base}/ttl")
    @needs(Permission(Resource.WORKSPACE, Action.UPDATE))
    async def set_ttl(workspace: str) -> Response:
        body = await read_body(UpdateTTLRequest)
        await deadlines.set_ttl(current_user(), parse_id(workspace, "workspace"), body.ttl_ms)
        return no_content()

    @blueprint.put(f"{base}/extend")
    @needs(Permission(Resource.WORKSPACE, Action.UPDATE))
    async def extend(workspace: str) -> Response:
        body = await read_body(ExtendRequest)
        await deadlines.extend(current_user(), parse_id(workspace, "workspace"), body.deadline)
        return say("The workspace's deadline was changed.")

    return blueprint
