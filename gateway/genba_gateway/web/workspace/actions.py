"""The buttons of a workspace: start, stop, restart, update, cancel, delete."""

from __future__ import annotations

from typing import Final

from quart import Blueprint, Response

from genba_gateway.api.gate import current_user, needs
from genba_gateway.domain.actors import Action, Permission, Resource, UserActor
from genba_gateway.domain.workspaces import Workspace
from genba_gateway.errors import BadRequest, GenbaError
from genba_gateway.services.visibility import not_found
from genba_gateway.web.error_texts import say_error
from genba_gateway.web.forms import read_form
from genba_gateway.web.languages import mark, translate
from genba_gateway.web.pages import Pages
from genba_gateway.web.workspace.shown import ShownWorkspaces
from genba_gateway.web.workspace.view import is_outdated, path_of
from genba_wire.api.workspaces import CreateBuildRequest

REASON: Final = "dashboard"
_TRANSITIONS: Final = {"start": "start", "stop": "stop"}


def make_blueprint(pages: Pages, shown: ShownWorkspaces) -> Blueprint:
    """/@owner/workspace/actions/…"""
    blueprint = pages.blueprint("workspace actions")
    builds = shown.services.builds

    async def begin(actor: UserActor, workspace: Workspace, action: str) -> None:
        if action == "cancel":
            await builds.cancel(actor, workspace.latest_build.id)
        elif action == "restart":
            await shown.services.restarts.restart(actor, workspace.id)
        elif action in _TRANSITIONS:
            request = CreateBuildRequest(transition=_TRANSITIONS[action], reason=REASON)
            await builds.create(actor, workspace.id, request)
        else:
            raise not_found()

    @blueprint.post("/@<owner>/<name>/actions/<action>")
    @needs(Permission(Resource.WORKSPACE, Action.UPDATE))
    async def act(owner: str, name: str, action: str) -> Response:
        await read_form()
        actor = current_user()
        workspace = await shown.find(actor, owner, name)
        path = path_of(workspace)
        if action == "update":
            return await update(actor, workspace)
        try:
            await begin(actor, workspace, action)
        except GenbaError as error:
            if error.status == 404:
                raise
            return pages.go(path, bad=say_error(error.message))
        return pages.go(path)

    async def update(actor: UserActor, workspace: Workspace) -> Response:
        """Build with the template's active version; with its form before, where it asks for more than is known."""
        path = path_of(workspace)
        if not is_outdated(workspace):
            return pages.go(path, good=translate("It has its template's newest version already."))
        version_id = workspace.template_active_version_id
        try:
            request = CreateBuildRequest(transition="start", reason=REASON, template_version_id=version_id)
            await builds.create(actor, workspace.id, request)
        except BadRequest as error:
            return pages.go(f"{path}/settings/parameters?update=true", bad=say_error(error.message))
        except GenbaError as error:
            return pages.go(path, bad=say_error(error.message))
        return pages.go(path)

    @blueprint.post("/@<owner>/<name>/delete")
    @needs(Permission(Resource.WORKSPACE, Action.DELETE))
    async def delete(owner: str, name: str) -> Response:
        form = await read_form()
        actor = current_user()
        workspace = await shown.find(actor, owner, name)
        path = path_of(workspace)
        if form.get("name", "") != workspace.name:
            text = mark("Nothing was deleted: type the workspace's name, %(name)s, to delete it.")
            return pages.go(f"{path}/settings", bad=translate(text) % {"name": workspace.name})
        try:
            await builds.create(actor, workspace.id, CreateBuildRequest(transition="delete", reason=REASON))
        except GenbaError as error:
            if error.status == 404:
                raise
            return pages.go(f"{path}/settings", bad=say_error(error.message))
        return pages.go(path)

    return blueprint
