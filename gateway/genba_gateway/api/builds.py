"""Routes of workspace builds (contract 4.3)."""

from __future__ import annotations

from datetime import datetime

from quart import Blueprint, Response, request

from genba_gateway.api.answers import answer, read_body, say
from genba_gateway.api.gate import current_user, needs
from genba_gateway.api.jobs import answer_logs, follow_logs, job_message
from genba_gateway.api.paging import read_page
from genba_gateway.api.resources import resource_message
from genba_gateway.domain.actors import Action, Permission, Resource
from genba_gateway.domain.times import parse_time
from genba_gateway.domain.workspaces import Build, explain_build
from genba_gateway.errors import BadRequest, FieldProblem
from genba_gateway.services.builds import Builds
from genba_gateway.services.jobs import Jobs
from genba_gateway.services.users import Users
from genba_gateway.services.visibility import Clock, parse_id
from genba_gateway.services.workspaces import Workspaces
from genba_wire.api import workspaces as messages
from genba_wire.api.jobs import JobMetadata, MatchedProvisioners


def build_message(build: Build, now: datetime) -> messages.WorkspaceBuild:
    """A build as JSON."""
    metadata = JobMetadata(
        template_version_name=build.template_version_name,
        template_id=build.template_id,
        template_name=build.template_name,
        template_display_name=build.template_display_name,
        template_icon=build.template_icon,
        workspace_id=build.workspace_id,
        workspace_name=build.workspace_name,
    )
    return messages.WorkspaceBuild(
        id=build.id,
        created_at=build.created_at,
        updated_at=build.updated_at,
        workspace_id=build.workspace_id,
        workspace_name=build.workspace_name,
        workspace_owner_id=build.owner_id,
        workspace_owner_name=build.owner_name,
        workspace_owner_avatar_url=build.owner_avatar_url,
        template_version_id=build.template_version_id,
        template_version_name=build.template_version_name,
        build_number=build.build_number,
        transition=build.transition.value,
        initiator_id=build.initiator_id,
        initiator_name=build.initiator_name,
        job=job_message(build.job, metadata),
        reason=build.reason,
        resources=[resource_message(resource, now) for resource in build.resources],
        template_version_preset_id=build.template_version_preset_id,
        deadline=build.deadline,
        max_deadline=build.max_deadline,
        status=build.status.value,
        status_reason=explain_build(build),
        daily_cost=sum(resource.daily_cost for resource in build.resources),
        matched_provisioners=MatchedProvisioners(count=1, available=1),
    )


def _read_since() -> datetime | None:
    text = request.args.get("since")
    if not text:
        return None
    try:
        return parse_time(text)
    except ValueError as error:
        raise BadRequest(f"since: {error}.", validations=[FieldProblem("since", str(error))]) from error


def make_blueprint(builds: Builds, workspaces: Workspaces, users: Users, jobs: Jobs, now: Clock) -> Blueprint:
    """Routes on builds."""
    blueprint = Blueprint("builds", __name__)
    read = Permission(Resource.WORKSPACE, Action.READ)
    update = Permission(Resource.WORKSPACE, Action.UPDATE)
    base = "/api/v2/workspacebuilds/<build>"

    async def find(build: str) -> Build:
        return await builds.get(current_user(), parse_id(build, "workspacebuild"))

    @blueprint.post("/api/v2/workspaces/<workspace>/builds")
    @needs(update)
    async def create(workspace: str) -> Response:
        body = await read_body(messages.CreateBuildRequest)
        made = await builds.create(current_user(), parse_id(workspace, "workspace"), body)
        return answer(build_message(made, now()), 201)

    @blueprint.get("/api/v2/workspaces/<workspace>/builds")
    @needs(read)
    async def list_of_workspace(workspace: str) -> Response:
        found_workspace = await workspaces.get(current_user(), parse_id(workspace, "workspace"), include_deleted=True)
        page = read_page()
        found = await builds.list_of_workspace(
            found_workspace, after_id=page.after_id, since=_read_since(), limit=page.limit, offset=page.offset
        )
        return answer([build_message(build, now()) for build in found])

    @blueprint.get("/api/v2/users/<user>/workspace/<name>/builds/<number>")
    @needs(read)
    async def get_by_number(user: str, name: str, number: str) -> Response:
        owner = await users.resolve_user(current_user(), user)
        workspace = await workspaces.get_by_name(current_user(), owner, name, include_deleted=True)
        if not number.isascii() or not number.isdigit() or len(number) > 9:
            raise BadRequest(f"Build number {number!r} is not a number.")
        return answer(build_message(await builds.get_by_number(current_user(), workspace, int(number)), now()))

    @blueprint.get(base)
    @needs(read)
    async def get(build: str) -> Response:
        return answer(build_message(await find(build), now()))

    @blueprint.patch(f"{base}/cancel")
    @needs(update)
    async def cancel(build: str) -> Response:
        await builds.cancel(current_user(), parse_id(build, "workspacebuild"))
        return say("Job has been marked as canceled.")

    @blueprint.get(f"{base}/parameters")
    @needs(read)
    async def list_parameters(build: str) -> Response:
        values = await builds.list_parameters(current_user(), parse_id(build, "workspacebuild"))
        return answer([messages.BuildParameter(name=name, value=value) for name, value in values.items()])

    @blueprint.get(f"{base}/resources")
    @needs(read)
    async def list_resources(build: str) -> Response:
        return answer([resource_message(resource, now()) for resource in (await find(build)).resources])

    @blueprint.get(f"{base}/state")
    @needs(read)
    async def get_state(build: str) -> Response:
        state = await builds.get_state(current_user(), parse_id(build, "workspacebuild"))
        return Response(state, content_type="application/octet-stream")

    @blueprint.get(f"{base}/logs")
    @needs(read)
    async def list_logs(build: str) -> Response:
        return await answer_logs(jobs, (await find(build)).job.id)

    @blueprint.websocket(f"{base}/logs")
    @needs(read)
    async def watch_logs(build: str) -> None:
        await follow_logs(jobs, (await find(build)).job.id)

    return blueprint
