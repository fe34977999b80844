"""Routes of when workspaces start by themselves (contract 2.6)."""

from __future__ import annotations

from quart import Blueprint, Response

from genba_gateway.api.answers import answer, no_content, read_body
from genba_gateway.api.gate import current_user, needs
from genba_gateway.domain.actors import Action, Permission, Resource
from genba_gateway.services.autostart import Autostarts
from genba_gateway.services.visibility import parse_id
from genba_wire.api.workspaces import ResolveAutostartResponse, UpdateAutostartRequest


def make_blueprint(autostarts: Autostarts) -> Blueprint:
    """Routes on schedules."""
    blueprint = Blueprint("autostart", __name__)
    base = "/api/v2/workspaces/<workspace>"

    @blueprint.put(f"{base}/autostart")
    @needs(Permission(Resource.WORKSPACE, Action.UPDATE))
    async def set_schedule(workspace: str) -> Response:
        body = await read_body(UpdateAutostartRequest)
        await autostarts.set_schedule(current_user(), parse_id(workspace, "workspace"), body.schedule)
        return no_content()

    @blueprint.get(f"{base}/resolve-autostart")
    @needs(Permission(Resource.WORKSPACE, Action.READ))
    async def resolve(workspace: str) -> Response:
        lacks = await autostarts.lacks_parameters(current_user(), parse_id(workspace, "workspace"))
        return answer(ResolveAutostartResponse(parameter_mismatch=lacks))

    return blueprint
