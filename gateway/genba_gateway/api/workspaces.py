"""Routes of workspaces (contract 2.3, 4.3)."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime

from quart import Blueprint, Response, request

from genba_gateway.api.answers import answer, no_content, read_body
from genba_gateway.api.builds import build_message
from genba_gateway.api.gate import current_user, needs
from genba_gateway.api.paging import read_page
from genba_gateway.api.streams import send_events, stream_events
from genba_gateway.domain.actors import Action, Permission, Resource, UserActor
from genba_gateway.domain.agents import agent_health, agent_status
from genba_gateway.domain.workspaces import Workspace, WorkspaceStatus
from genba_gateway.services.organizations import Organizations
from genba_gateway.services.users import Users
from genba_gateway.services.visibility import Clock, parse_id
from genba_gateway.services.workspaces import Workspaces
from genba_wire.api import workspaces as messages
from genba_wire.api.message import Message, encode_message


@dataclass(frozen=True, slots=True)
class _Health:
    healthy: bool
    failing: list[str]


class UpdateWorkspaceRequest(Message, frozen=True, kw_only=True):
    """PATCH /workspaces/{workspace}."""

    name: str = ""


def workspace_message(workspace: Workspace, now: datetime) -> messages.Workspace:
    """A workspace as JSON."""
    health = _health_of(workspace, now)
    return messages.Workspace(
        id=workspace.id,
        created_at=workspace.created_at,
        updated_at=workspace.updated_at,
        owner_id=workspace.owner_id,
        owner_name=workspace.owner_name,
        owner_avatar_url=workspace.owner_avatar_url,
        organization_id=workspace.organization_id,
        organization_name=workspace.organization_name,
        template_id=workspace.template_id,
        template_name=workspace.template_name,
        template_display_name=workspace.template_display_name,
        template_icon=workspace.template_icon,
        template_allow_user_cancel_workspace_jobs=workspace.template_allow_user_cancel_workspace_jobs,
        template_active_version_id=workspace.template_active_version_id,
        template_require_active_version=workspace.template_require_active_version,
        latest_build=build_message(workspace.latest_build, now),
        outdated=workspace.latest_build.template_version_id != workspace.template_active_version_id,
        name=workspace.name,
        autostart_schedule=workspace.autostart_schedule,
        next_start_at=workspace.next_start_at,
        ttl_ms=workspace.ttl_ms,
        last_used_at=workspace.last_used_at,
        deleting_at=workspace.deleting_at,
        dormant_at=workspace.dormant_at,
        health=messages.WorkspaceHealth(healthy=health.healthy, failing_agents=health.failing),
        automatic_updates=workspace.automatic_updates,
        allow_renames=True,
        favorite=workspace.favorite,
    )


def _health_of(workspace: Workspace, now: datetime) -> _Health:
    """Agents count only while the workspace runs (contract 1.6)."""
    build = workspace.latest_build
    if build.status is not WorkspaceStatus.RUNNING:
        return _Health(True, [])
    failing = [
        agent.id
        for resource in build.resources
        for agent in resource.agents
        if not agent_health(agent, agent_status(agent, now)[0]).healthy
    ]
    return _Health(not failing, failing)


def _include_deleted() -> bool:
    return request.args.get("include_deleted", "") == "true"


def make_blueprint(workspaces: Workspaces, users: Users, organizations: Organizations, now: Clock) -> Blueprint:
    """Routes on workspaces."""
    blueprint = Blueprint("workspaces", __name__)
    read = Permission(Resource.WORKSPACE, Action.READ)
    base = "/api/v2/workspaces/<workspace>"

    async def create_for(user: str) -> Response:
        owner = await users.resolve_user(current_user(), user)
        body = await read_body(messages.CreateWorkspaceRequest)
        made = await workspaces.create(current_user(), owner, body)
        return answer(workspace_message(made, now()), 201)

    @blueprint.post("/api/v2/users/<user>/workspaces")
    @needs(Permission(Resource.WORKSPACE, Action.CREATE))
    async def create(user: str) -> Response:
        return await create_for(user)

    @blueprint.post("/api/v2/organizations/<organization>/members/<user>/workspaces")
    @needs(Permission(Resource.WORKSPACE, Action.CREATE))
    async def create_in_organization(organization: str, user: str) -> Response:
        await organizations.resolve_organization(organization)
        return await create_for(user)

    @blueprint.get("/api/v2/workspaces")
    @needs(read)
    async def list_workspaces() -> Response:
        page = read_page()
        found = await workspaces.list_matching(
            current_user(), request.args.get("q", ""), limit=page.limit, offset=page.offset
        )
        listed = [workspace_message(workspace, now()) for workspace in found.workspaces]
        return answer(messages.WorkspacesResponse(workspaces=listed, count=found.count))

    @blueprint.get(base)
    @needs(read)
    async def get(workspace: str) -> Response:
        found = await workspaces.get(
            current_user(), parse_id(workspace, "workspace"), include_deleted=_include_deleted()
        )
        return answer(workspace_message(found, now()))

    @blueprint.get("/api/v2/users/<user>/workspace/<name>")
    @needs(read)
    async def get_by_name(user: str, name: str) -> Response:
        owner = await users.resolve_user(current_user(), user)
        found = await workspaces.get_by_name(current_user(), owner, name, include_deleted=_include_deleted())
        return answer(workspace_message(found, now()))

    @blueprint.patch(base)
    @needs(Permission(Resource.WORKSPACE, Action.UPDATE))
    async def update(workspace: str) -> Response:
        body = await read_body(UpdateWorkspaceRequest)
        await workspaces.rename(current_user(), parse_id(workspace, "workspace"), body.name)
        return no_content()

    async def changes(actor: UserActor, workspace_id: str) -> AsyncGenerator[messages.Workspace]:
        """Each state that differs from the one before as JSON."""
        last = b""
        async for workspace in workspaces.watch(actor, workspace_id):
            message = workspace_message(workspace, now())
            encoded = encode_message(message)
            if encoded != last:
                yield message
                last = encoded

    @blueprint.get(f"{base}/watch")
    @needs(read)
    async def watch(workspace: str) -> Response:
        found = await workspaces.get(current_user(), parse_id(workspace, "workspace"))
        return await stream_events(changes(current_user(), found.id))

    @blueprint.websocket(f"{base}/watch-ws")
    @needs(read)
    async def watch_ws(workspace: str) -> None:
        found = await workspaces.get(current_user(), parse_id(workspace, "workspace"))
        await send_events(changes(current_user(), found.id), ping_messages=False)

    return blueprint
