"""Routes that agents call about themselves (contract 1.2), and their control websocket."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import msgspec
from quart import Blueprint, Response, request

from genba_gateway.api.agents import app_message, log_source_message, metadata_description
from genba_gateway.api.answers import answer, no_content, read_body
from genba_gateway.api.gate import current_agent, needs
from genba_gateway.api.streams import serve_messages
from genba_gateway.domain.actors import AgentActor, RouteAccess
from genba_gateway.domain.agent_reports import LogLevel, LogPosition, MetadataItem, MetadataValue, NewLogLine
from genba_gateway.domain.agents import Agent, Script
from genba_gateway.domain.app_hosts import AppHosts
from genba_gateway.errors import BadRequest, FieldProblem
from genba_gateway.services.agent_controls import AgentControls
from genba_gateway.services.agent_logs import AgentLogs
from genba_gateway.services.agent_reports import AgentReports
from genba_wire.api import agent_protocol as messages
from genba_wire.api.agents import MetadataResult

ME: Final = "/api/v2/workspaceagents/me"

STATS_INTERVAL_NS: Final = 30 * 1_000_000_000
"""How often agents report what they counted (contract 1.4)."""

_LEVELS: Final = frozenset(LogLevel)


def make_blueprint(reports: AgentReports, logs: AgentLogs, controls: AgentControls, hosts: AppHosts) -> Blueprint:
    """Routes under /api/v2/workspaceagents/me."""
    blueprint = Blueprint("agent_me", __name__)

    @blueprint.get(f"{ME}/metadata")
    @blueprint.get(f"{ME}/manifest")
    @needs(RouteAccess.AGENT)
    async def get_manifest() -> Response:
        agent, items = await reports.get_manifest(current_agent())
        return answer(_manifest_message(current_agent(), agent, items, reports.derp_map, hosts))

    @blueprint.post(f"{ME}/startup")
    @needs(RouteAccess.AGENT)
    async def report_startup() -> Response:
        body = await read_body(messages.StartupRequest)
        await reports.report_startup(
            current_agent(),
            version=body.version,
            expanded_directory=body.expanded_directory,
            subsystems=body.subsystems or [],
        )
        return answer(None)

    @blueprint.post(f"{ME}/report-lifecycle")
    @needs(RouteAccess.AGENT)
    async def report_lifecycle() -> Response:
        body = await read_body(messages.LifecycleRequest)
        await reports.report_lifecycle(current_agent(), body.state, body.changed_at)
        return no_content()

    @blueprint.post(f"{ME}/report-stats")
    @needs(RouteAccess.AGENT)
    async def report_stats() -> Response:
        body = await read_body(messages.StatsRequest)
        if body.connections_by_proto is not None:
            await reports.report_stats(
                current_agent(),
                msgspec.to_builtins(body),
                is_used=_count_sessions(body) > 0,
                is_connected=body.connection_count > 0,
            )
        return answer(messages.StatsResponse(report_interval=STATS_INTERVAL_NS))

    @blueprint.post(f"{ME}/metadata")
    @needs(RouteAccess.AGENT)
    async def report_metadata() -> Response:
        body = await read_body(messages.MetadataRequest)
        values = [MetadataValue(key=each.key, value=each.value, error=each.error) for each in body.metadata]
        await reports.report_metadata(current_agent(), values)
        return no_content()

    @blueprint.post(f"{ME}/metadata/<path:key>")
    @needs(RouteAccess.AGENT)
    async def report_metadata_key(key: str) -> Response:
        body = await read_body(MetadataResult)
        await reports.report_metadata_key(current_agent(), MetadataValue(key=key, value=body.value, error=body.error))
        return no_content()

    @blueprint.patch(f"{ME}/startup-logs")
    @blueprint.patch(f"{ME}/logs")
    @needs(RouteAccess.AGENT)
    async def append_logs() -> Response:
        position = _read_position(request.headers.get(messages.LOG_BATCH_HEADER))
        body = await read_body(messages.PatchLogsRequest)
        await logs.append(current_agent(), body.log_source_id, _read_lines(body), position)
        return answer(None)

    @blueprint.post(f"{ME}/log-source")
    @needs(RouteAccess.AGENT)
    async def add_log_source() -> Response:
        body = await read_body(messages.LogSourceRequest)
        source = await logs.add_source(current_agent(), body.id, body.display_name, body.icon)
        return answer(log_source_message(source), 201)

    @blueprint.post(f"{ME}/app-health")
    @needs(RouteAccess.AGENT)
    async def report_app_health() -> Response:
        body = await read_body(messages.AppHealthRequest)
        await reports.report_app_health(current_agent(), body.Healths)
        return answer(None)

    @blueprint.get(f"{ME}/gitsshkey")
    @needs(RouteAccess.AGENT)
    async def get_git_ssh_key() -> Response:
        public_key, private_key = await reports.get_git_ssh_key(current_agent())
        return answer(messages.AgentGitSSHKey(public_key=public_key, private_key=private_key))

    @blueprint.get(f"{ME}/rpc")
    @needs(RouteAccess.AGENT)
    async def refuse_rpc() -> Response:
        raise _no_rpc()

    @blueprint.websocket(f"{ME}/rpc")
    @needs(RouteAccess.AGENT)
    async def refuse_rpc_by_websocket() -> None:
        raise _no_rpc()

    @blueprint.websocket(messages.CONTROL_PATH)
    @needs(RouteAccess.AGENT)
    async def control() -> None:
        actor = current_agent()
        await serve_messages(lambda socket: controls.serve(actor, socket))

    return blueprint


def _no_rpc() -> BadRequest:
    return BadRequest(
        "This server speaks to agents over HTTP, not over dRPC.",
        detail="Let the workspace start the agent that this server ships under /bin.",
        validations=[FieldProblem("version", "no version of the agent RPC is served")],
    )


def _read_position(header: str | None) -> LogPosition | None:
    if header is None:
        return None
    spool, _, first_line = header.partition("/")
    try:
        boot_id = str(UUID(spool))
    except ValueError:
        boot_id = ""
    if not boot_id or not first_line.isascii() or not first_line.isdigit() or len(first_line) > 18:
        raise BadRequest(
            f"The header {messages.LOG_BATCH_HEADER} can't be read.",
            validations=[FieldProblem(messages.LOG_BATCH_HEADER, "it is not <boot id>/<number of the first line>")],
        )
    return LogPosition(boot_id, int(first_line))


def _read_lines(body: messages.PatchLogsRequest) -> list[NewLogLine]:
    lines: list[NewLogLine] = []
    for index, line in enumerate(body.logs):
        if line.level and line.level not in _LEVELS:
            raise BadRequest(
                "A log line has an unknown level.",
                validations=[FieldProblem(f"logs[{index}].level", f"{line.level!r} is none of {', '.join(LogLevel)}")],
            )
        lines.append(NewLogLine(output=line.output, level=LogLevel(line.level or LogLevel.INFO)))
    return lines


def _count_sessions(stats: messages.StatsRequest) -> int:
    return (
        stats.session_count_vscode
        + stats.session_count_jetbrains
        + stats.session_count_reconnecting_pty
        + stats.session_count_ssh
    )


def _manifest_message(
    actor: AgentActor, agent: Agent, items: list[MetadataItem], derp_map: dict[str, object], hosts: AppHosts
) -> messages.Manifest:
    return messages.Manifest(
        agent_id=agent.id,
        agent_name=agent.name,
        owner_name=actor.owner_name,
        workspace_id=actor.workspace_id,
        workspace_name=actor.workspace_name,
        git_auth_configs=0,
        vscode_port_proxy_uri=hosts.make_port_template(actor.owner_name, actor.workspace_name, agent.name),
        apps=[app_message(app) for app in agent.apps],
        derpmap=derp_map,
        derp_force_websockets=False,
        environment_variables=dict(agent.environment),
        directory=agent.directory,
        motd_file=agent.motd_file,
        disable_direct_connections=False,
        metadata=[metadata_description(item) for item in items],
        scripts=[_script_message(script) for script in agent.scripts],
    )


def _script_message(script: Script) -> messages.ManifestScript:
    return messages.ManifestScript(
        id=script.id,
        log_source_id=script.log_source_id,
        display_name=script.display_name,
        log_path=script.log_path,
        script=script.script,
        cron=script.cron,
        run_on_start=script.run_on_start,
        run_on_stop=script.run_on_stop,
        start_blocks_login=script.start_blocks_login,
        timeout=script.timeout_s * 1_000_000_000,
    )
