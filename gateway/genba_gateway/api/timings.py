"""Routes of how long the parts of builds took (contract 4.3)."""

from __future__ import annotations

from quart import Blueprint, Response

from genba_gateway.api.answers import answer, no_content, read_body
from genba_gateway.api.gate import current_agent, current_user, needs
from genba_gateway.domain.actors import Action, Permission, Resource, RouteAccess
from genba_gateway.domain.timings import BuildTimings, TimingStage
from genba_gateway.services.timings import Timings
from genba_gateway.services.visibility import parse_id
from genba_wire.api import timings as messages


def timings_message(timings: BuildTimings) -> messages.WorkspaceBuildTimings:
    """Timings as JSON."""
    return messages.WorkspaceBuildTimings(
        provisioner_timings=[
            messages.ProvisionerTiming(
                job_id=timings.job_id,
                started_at=each.started_at,
                ended_at=each.ended_at,
                stage=each.stage.value,
                source=each.source,
                action=each.action,
                resource=each.resource,
            )
            for each in timings.provisioner
        ],
        agent_script_timings=[
            messages.AgentScriptTiming(
                started_at=each.started_at,
                ended_at=each.ended_at,
                exit_code=each.exit_code,
                stage=each.stage.value,
                status=each.status.value,
                display_name=each.display_name,
                workspace_agent_id=each.agent_id,
                workspace_agent_name=each.agent_name,
            )
            for each in timings.scripts
        ],
        agent_connection_timings=[
            messages.AgentConnectionTiming(
                started_at=each.started_at,
                ended_at=each.ended_at,
                stage=TimingStage.CONNECT.value,
                workspace_agent_id=each.agent_id,
                workspace_agent_name=each.agent_name,
            )
            for each in timings.connections
        ],
    )


def make_blueprint(timings: Timings) -> Blueprint:
    """Routes on timings."""
    blueprint = Blueprint("timings", __name__)
    read = Permission(Resource.WORKSPACE, Action.READ)

    @blueprint.get("/api/v2/workspaces/<workspace>/timings")
    @needs(read)
    async def get_of_workspace(workspace: str) -> Response:
        found = await timings.get_of_workspace(current_user(), parse_id(workspace, "workspace"))
        return answer(timings_message(found))

    @blueprint.get("/api/v2/workspacebuilds/<build>/timings")
    @needs(read)
    async def get_of_build(build: str) -> Response:
        found = await timings.get_of_build(current_user(), parse_id(build, "workspacebuild"))
        return answer(timings_message(found))

    @blueprint.post("/api/v2/workspaceagents/me/script-timings")
    @needs(RouteAccess.AGENT)
    async def report_script() -> Response:
        await timings.report_script(current_agent(), await read_body(messages.ScriptTimingReport))
        return no_content()

    return blueprint
