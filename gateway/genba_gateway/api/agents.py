"""What users read about agents (contract 1.14), and what Coder's clients ask of the relay (contract 3.2, 3.3)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from quart import Blueprint, Response, request, websocket

from genba_gateway.api.answers import answer, say
from genba_gateway.api.gate import current_user, needs
from genba_gateway.api.streams import send_events, send_messages, stream_events
from genba_gateway.domain.actors import Action, Permission, Resource, RouteAccess
from genba_gateway.domain.agent_reports import AgentLogLine, MetadataItem
from genba_gateway.domain.agents import Agent, App, LogSource, Script, agent_health, agent_status
from genba_gateway.errors import BadRequest, FieldProblem, UpgradeRequired
from genba_gateway.services.agents import Agents
from genba_wire.api import agents as messages
from genba_wire.api.message import encode_message

NEVER_COLLECTED: Final = datetime(1, 1, 1, tzinfo=UTC)
"""The zero time of the contract's types: this metadata was not collected yet."""

_READ: Final = Permission(Resource.WORKSPACE, Action.READ)
_NO_RELAY: Final = (
    "This server has no DERP relay. Use Genba's own command line (genba login, then genba ssh) or editor extension."
)


def agent_message(agent: Agent, now: datetime) -> messages.WorkspaceAgent:
    """An agent as JSON; status and health are those at `now`."""
    status, reason = agent_status(agent, now)
    health = agent_health(agent, status)
    return messages.WorkspaceAgent(
        id=agent.id,
        created_at=agent.created_at,
        updated_at=agent.updated_at,
        first_connected_at=agent.first_connected_at,
        last_connected_at=agent.last_connected_at,
        disconnected_at=agent.disconnected_at,
        started_at=agent.started_at,
        ready_at=agent.ready_at,
        status=status,
        status_reason=reason,
        lifecycle_state=agent.lifecycle_state,
        name=agent.name,
        resource_id=agent.resource_id,
        instance_id=agent.instance_id,
        architecture=agent.architecture,
        environment_variables=dict(agent.environment),
        operating_system=agent.operating_system,
        logs_length=agent.logs_length,
        logs_overflowed=agent.logs_overflowed,
        directory=agent.directory,
        expanded_directory=agent.expanded_directory,
        version=agent.version,
        api_version=agent.api_version,
        apps=[app_message(app) for app in agent.apps],
        connection_timeout_seconds=agent.connection_timeout_s,
        troubleshooting_url=agent.troubleshooting_url,
        subsystems=list(agent.subsystems),
        health=messages.AgentHealth(healthy=health.healthy, reason=health.reason),
        display_apps=list(agent.display_apps),
        log_sources=[log_source_message(source) for source in agent.log_sources],
        scripts=[_script_message(script) for script in agent.scripts],
        startup_script_behavior=agent.startup_script_behavior,
    )


def app_message(app: App) -> messages.WorkspaceApp:
    """An app as JSON."""
    check = app.healthcheck
    return messages.WorkspaceApp(
        id=app.id,
        url=app.url,
        external=app.external,
        slug=app.slug,
        display_name=app.display_name,
        command=app.command,
        icon=app.icon,
        subdomain=app.subdomain,
        sharing_level=app.sharing_level,
        healthcheck=messages.Healthcheck(
            url=check.url if check else "",
            interval=check.interval_s if check else 0,
            threshold=check.threshold if check else 0,
        ),
        health=app.health,
        hidden=app.hidden,
        open_in=app.open_in,
        subdomain_name=app.subdomain_name,
    )


def log_source_message(source: LogSource) -> messages.LogSource:
    """A log source as JSON."""
    return messages.LogSource(
        workspace_agent_id=source.agent_id,
        id=source.id,
        created_at=source.created_at,
        display_name=source.display_name,
        icon=source.icon,
    )


def metadata_description(item: MetadataItem) -> messages.MetadataDescription:
    """What a metadata item is, as JSON."""
    return messages.MetadataDescription(
        display_name=item.display_name,
        key=item.key,
        script=item.script,
        interval=item.interval_s,
        timeout=item.timeout_s,
    )


def _script_message(script: Script) -> messages.AgentScript:
    return messages.AgentScript(
        id=script.id,
        log_source_id=script.log_source_id,
        log_path=script.log_path,
        script=script.script,
        cron=script.cron,
        run_on_start=script.run_on_start,
        run_on_stop=script.run_on_stop,
        start_blocks_login=script.start_blocks_login,
        timeout=script.timeout_s * 1_000_000_000,
        display_name=script.display_name,
    )


def _metadata_message(item: MetadataItem, now: datetime) -> messages.AgentMetadata:
    age = now - item.collected_at if item.collected_at else timedelta(0)
    return messages.AgentMetadata(
        result=messages.MetadataResult(
            collected_at=item.collected_at or NEVER_COLLECTED,
            age=max(0, int(age.total_seconds())),
            value=item.value,
            error=item.error,
        ),
        description=metadata_description(item),
    )


def _log_message(line: AgentLogLine) -> messages.AgentLog:
    return messages.AgentLog(
        id=line.id, created_at=line.created_at, output=line.output, level=line.level, source_id=line.source_id
    )


def _read_after(arguments: Mapping[str, str]) -> int:
    text = arguments.get("after") or "0"
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise BadRequest(
            "Query parameter 'after' must be a number of 0 or more.",
            validations=[FieldProblem("after", f"{text!r} is no number of 0 or more")],
        )
    return int(text)


def make_blueprint(agents: Agents) -> Blueprint:
    """Routes under /api/v2/workspaceagents for users, and the relay's stand-ins."""
    blueprint = Blueprint("agents", __name__)
    base = "/api/v2/workspaceagents/<agent_id>"

    async def list_logs(agent_id: str) -> Response:
        agent = await agents.get_agent(current_user(), agent_id)
        after = _read_after(request.args)
        if "follow" in request.args:
            raise UpgradeRequired("Following a log needs a websocket: leave `follow` out, or upgrade the connection.")
        return answer([_log_message(line) for line in await agents.list_logs(agent, after)])

    async def follow_logs(agent_id: str) -> None:
        agent = await agents.get_agent(current_user(), agent_id)
        after = _read_after(websocket.args)

        async def frames() -> AsyncGenerator[str]:
            async for lines in agents.follow_logs(agent, after):
                yield encode_message([_log_message(line) for line in lines]).decode()

        await send_messages(frames())

    async def metadata_snapshots(agent: Agent) -> AsyncGenerator[list[messages.AgentMetadata]]:
        async for items in agents.watch_metadata(agent):
            now = agents.now()
            yield [_metadata_message(item, now) for item in items]

    def connection_info() -> Response:
        return answer(
            {
                "derp_map": agents.derp_map,
                "derp_force_websockets": False,
                "disable_direct_connections": False,
                "hostname_suffix": agents.hostname_suffix,
            }
        )

    @blueprint.get(base)
    @needs(_READ)
    async def get_agent(agent_id: str) -> Response:
        agent = await agents.get_agent(current_user(), agent_id)
        return answer(agent_message(agent, agents.now()))

    @blueprint.get(f"{base}/logs")
    @needs(_READ)
    async def get_logs(agent_id: str) -> Response:
        return await list_logs(agent_id)

    @blueprint.get(f"{base}/startup-logs")
    @needs(_READ)
    async def get_startup_logs(agent_id: str) -> Response:
        return await list_logs(agent_id)

    @blueprint.websocket(f"{base}/logs")
    @needs(_READ)
    async def watch_logs(agent_id: str) -> None:
        await follow_logs(agent_id)

    @blueprint.websocket(f"{base}/startup-logs")
    @needs(_READ)
    async def watch_startup_logs(agent_id: str) -> None:
        await follow_logs(agent_id)

    @blueprint.get(f"{base}/watch-metadata")
    @needs(_READ)
    async def watch_metadata(agent_id: str) -> Response:
        agent = await agents.get_agent(current_user(), agent_id)
        return await stream_events(metadata_snapshots(agent))

    @blueprint.websocket(f"{base}/watch-metadata-ws")
    @needs(_READ)
    async def watch_metadata_by_websocket(agent_id: str) -> None:
        agent = await agents.get_agent(current_user(), agent_id)
        await send_events(metadata_snapshots(agent), ping_messages=False)

    @blueprint.get(f"{base}/connection")
    @needs(_READ)
    async def get_connection(agent_id: str) -> Response:
        await agents.get_agent(current_user(), agent_id)
        return connection_info()

    @blueprint.get("/api/v2/workspaceagents/connection")
    @needs(RouteAccess.SIGNED_IN)
    async def get_any_connection() -> Response:
        return connection_info()

    @blueprint.websocket("/api/v2/derp-map")
    @needs(RouteAccess.PUBLIC)
    async def watch_derp_map() -> None:
        async def maps() -> AsyncGenerator[bytes]:
            yield encode_message(agents.derp_map)
            await asyncio.Event().wait()  # the map of a running gateway never changes; clients stay for news

        await send_messages(maps())

    @blueprint.get("/derp")
    @blueprint.get("/derp/")
    @needs(RouteAccess.PUBLIC)
    async def refuse_derp() -> Response:
        return say(_NO_RELAY, 426)

    @blueprint.websocket("/derp")
    @blueprint.websocket("/derp/")
    @needs(RouteAccess.PUBLIC)
    async def refuse_derp_by_websocket() -> Response:
        return say(_NO_RELAY, 426)

    @blueprint.get("/derp/latency-check")
    @blueprint.get("/latency-check")
    @needs(RouteAccess.PUBLIC)
    async def check_latency() -> Response:
        return Response(b"", status=200)

    return blueprint
