"""The route by which clients say that a workspace is used (contract 2.6)."""

from __future__ import annotations

from quart import Blueprint, Response, request

from genba_gateway.api.answers import no_content, read_body
from genba_gateway.api.gate import current_user, needs
from genba_gateway.domain.actors import Action, Permission, Resource
from genba_gateway.services.activity import Activity
from genba_gateway.services.visibility import parse_id
from genba_wire.api.message import NIL_UUID
from genba_wire.api.workspaces import UsageRequest


def make_blueprint(activity: Activity) -> Blueprint:
    """The route."""
    blueprint = Blueprint("activity", __name__)

    @blueprint.post("/api/v2/workspaces/<workspace>/usage")
    @needs(Permission(Resource.WORKSPACE, Action.UPDATE))
    async def report_usage(workspace: str) -> Response:
        has_body = bool(await request.get_data())
        body = await read_body(UsageRequest) if has_body else UsageRequest()
        agent_id = "" if body.agent_id in {"", NIL_UUID} else parse_id(body.agent_id, "agent_id")
        await activity.report_usage(current_user(), parse_id(workspace, "workspace"), agent_id, body.app_name)
        return no_content()

    return blueprint
