"""Routes of small settings of workspaces (contract 2.2)."""

from __future__ import annotations

from quart import Blueprint, Response

from genba_gateway.api.answers import answer, no_content, read_body
from genba_gateway.api.gate import current_user, needs
from genba_gateway.api.workspaces import workspace_message
from genba_gateway.domain.actors import Action, Permission, Resource
from genba_gateway.services.visibility import Clock, parse_id
from genba_gateway.services.workspace_settings import WorkspaceSettings
from genba_gateway.services.workspaces import Workspaces
from genba_wire.api.workspaces import UpdateAutomaticUpdatesRequest, UpdateDormancyRequest


def make_blueprint(settings: WorkspaceSettings, workspaces: Workspaces, now: Clock) -> Blueprint:
    """Routes on settings of workspaces."""
    blueprint = Blueprint("workspace_settings", __name__)
    update = Permission(Resource.WORKSPACE, Action.UPDATE)
    base = "/api/v2/workspaces/<workspace>"

    @blueprint.put(f"{base}/autoupdates")
    @needs(update)
    async def set_automatic_updates(workspace: str) -> Response:
        body = await read_body(UpdateAutomaticUpdatesRequest)
        workspace_id = parse_id(workspace, "workspace")
        await settings.set_automatic_updates(current_user(), workspace_id, body.automatic_updates)
        return no_content()

    @blueprint.put(f"{base}/dormant")
    @needs(update)
    async def set_dormant(workspace: str) -> Response:
        workspace_id = parse_id(workspace, "workspace")
        body = await read_body(UpdateDormancyRequest)
        if not await settings.set_dormant(current_user(), workspace_id, dormant=body.dormant):
            return Response(b"", status=304)
        return answer(workspace_message(await workspaces.get(current_user(), workspace_id), now()))

    @blueprint.put(f"{base}/favorite")
    @needs(update)
    async def add_favorite(workspace: str) -> Response:
        await settings.set_favorite(current_user(), parse_id(workspace, "workspace"), favorite=True)
        return no_content()

    @blueprint.delete(f"{base}/favorite")
    @needs(update)
    async def remove_favorite(workspace: str) -> Response:
        await settings.set_favorite(current_user(), parse_id(workspace, "workspace"), favorite=False)
        return no_content()

    return blueprint
