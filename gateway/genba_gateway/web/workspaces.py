"""The page of all workspaces."""

from __future__ import annotations

from quart import Blueprint, Response

from genba_gateway.api.gate import current_user, needs
from genba_gateway.domain.actors import Action, Permission, Resource
from genba_gateway.web.pages import Pages
from genba_gateway.web.rows import WorkspaceRows


def make_blueprint(pages: Pages, rows: WorkspaceRows) -> Blueprint:
    """/workspaces."""
    blueprint = pages.blueprint("workspaces")

    @blueprint.get("/workspaces")
    @needs(Permission(Resource.WORKSPACE, Action.READ))
    async def list_workspaces() -> Response:
        return pages.show("workspaces/list.html", workspaces=await rows.list_rows(current_user()))

    return blueprint
