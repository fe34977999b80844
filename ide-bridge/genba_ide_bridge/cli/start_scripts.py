"""Waiting for the scripts that prepare a workspace, before anybody works in it."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Final

from genba_ide_bridge.cli.output import note

if TYPE_CHECKING:
    from genba_ide_bridge.api.client import GatewayClient
    from genba_ide_bridge.cli.targets import WorkspaceTarget
    from genba_wire.api.agents import AgentLog, WorkspaceAgent

POLL_INTERVAL_S: Final = 0.5
"""How often an agent is asked how far its scripts are (contract 2.2, `ssh`)."""

_PREPARING: Final = frozenset({"created", "starting"})

WAITS: Final = ("yes", "no", "auto")
"""Whether to wait: always, never, or where a script or the agent says that it blocks logins."""


def is_preparing(agent: WorkspaceAgent) -> bool:
    """Whether start scripts still run, or have yet to begin."""
    return agent.lifecycle_state in _PREPARING


def blocks_login(agent: WorkspaceAgent) -> bool:
    """Whether nobody should work in the workspace before its scripts are done."""
    return agent.startup_script_behavior == "blocking" or any(script.start_blocks_login for script in agent.scripts)


async def wait_for_scripts(
    client: GatewayClient, agent: WorkspaceAgent, target: WorkspaceTarget, wait: str
) -> WorkspaceAgent:
    """Wait as far as `wait` says, with the agent's log on stderr; returns the agent as it is then."""
    if not is_preparing(agent) or wait == "no" or (wait == "auto" and not blocks_login(agent)):
        return agent
    blocking = [script.display_name for script in agent.scripts if script.start_blocks_login and script.display_name]
    named = f" ({', '.join(blocking)})" if blocking else ""
    note(f"Waiting until the start scripts of {target.name} are done{named}; --wait=no does not wait.")
    async with asyncio.TaskGroup() as group:
        log = group.create_task(_show_log(client, agent), name="log of an agent")
        agent = await _poll_until_done(client, agent)
        log.cancel()
    return agent


async def _poll_until_done(client: GatewayClient, agent: WorkspaceAgent) -> WorkspaceAgent:
    from genba_ide_bridge.api.streams import Streams
    from genba_ide_bridge.cli.progress import OutageNotes

    streams = Streams(client.calls, OutageNotes(client.base_url))
    agent_id = agent.id
    while is_preparing(agent) and agent.status == "connected":
        await asyncio.sleep(POLL_INTERVAL_S)
        agent = await streams.persist(lambda: client.agents.get_agent(agent_id))
    return agent


async def _show_log(client: GatewayClient, agent: WorkspaceAgent) -> None:
    from genba_ide_bridge.api.calls import in_path
    from genba_ide_bridge.api.streams import LogCursor, OutageReport, Streams
    from genba_wire.api.agents import AgentLog

    def show(line: AgentLog) -> None:
        sys.stderr.write(line.output.rstrip("\r\n") + "\n")

    async def is_complete() -> bool:
        return (await client.agents.get_agent(agent.id)).logs_overflowed

    silent: OutageReport = _Silent()
    path = f"/workspaceagents/{in_path(agent.id)}/logs"
    await Streams(client.calls, silent).follow_log(path, AgentLog, LogCursor(), show, is_complete)


class _Silent:
    """The poll beside the log says that the gateway is away: once is enough."""

    def gateway_is_away(self, reason: str) -> None:
        del reason

    def gateway_is_back(self) -> None:
        pass
