"""From a workspace's name to an agent that a session can be opened with: waits, explains, or refuses."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from genba_ide_bridge.cli.build_facts import agents_of, is_over
from genba_ide_bridge.cli.output import note
from genba_ide_bridge.cli.start_scripts import is_preparing, wait_for_scripts
from genba_ide_bridge.cli.targets import WorkspaceTarget, get_workspace
from genba_ide_bridge.errors import BridgeError

if TYPE_CHECKING:
    from genba_ide_bridge.api.client import GatewayClient
    from genba_wire.api.agents import WorkspaceAgent
    from genba_wire.api.workspaces import Workspace, WorkspaceBuild

POLL_INTERVAL_S: Final = 0.5
"""How often an agent that is not connected yet is asked for."""

DISCONNECTED_PATIENCE_S: Final = 15.0
"""An agent whose gateway restarted is back within a few seconds."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a command wants of the workspace.

    `command` opens another session of its kind; `wait` is whether start scripts are waited for (`start_scripts.WAITS`).
    """

    command: str = "terminal"
    starts: bool = False
    wait: str = "no"


async def wait_for_agent(
    client: GatewayClient, target: WorkspaceTarget, wish: Wish | None = None, workspace: Workspace | None = None
) -> tuple[Workspace, WorkspaceAgent]:
    """Find the agent that a target names, and wait until it is connected.

    A build that starts the workspace is followed. Unless `wish` says so, the workspace is never started, nor are its
    scripts waited for. What is waited for is said on stderr.

    Args:
        client: the gateway.
        target: the workspace, and the agent where it has several.
        wish: what the command wants.
        workspace: as it was just asked for.

    Raises:
        BridgeError: the workspace does not run, its agent can't be reached, or the target names none or several.
    """
    wish = wish or Wish()
    workspace = workspace or await get_workspace(client, target)
    if wish.starts:
        workspace = await _start_if_stopped(client, workspace, target)
    if workspace.latest_build.transition == "start" and not is_over(workspace.latest_build.job):
        workspace = await _follow(client, workspace, target, "is being started")
    refuse_unless_started(workspace.latest_build, target)
    agent = choose_agent(workspace.latest_build, target, wish.command)
    if agent.status != "connected":
        workspace, agent = await _wait_until_connected(client, target, agent, wish.command)
    agent = await wait_for_scripts(client, agent, target, wish.wait)
    _tell_about_scripts(agent, target)
    return workspace, agent


async def _start_if_stopped(client: GatewayClient, workspace: Workspace, target: WorkspaceTarget) -> Workspace:
    from genba_ide_bridge.cli import autostart

    if workspace.latest_build.transition != "stop":
        return workspace
    autostart.refuse_dormant(workspace, target)
    if not is_over(workspace.latest_build.job):
        workspace = await _follow(client, workspace, target, "is being stopped")
    if workspace.latest_build.status != "stopped":
        return workspace
    note(f"The workspace {target.name} is stopped; starting it.")
    await autostart.start_workspace(client, workspace, target)
    return await get_workspace(client, target)


async def _follow(client: GatewayClient, workspace: Workspace, target: WorkspaceTarget, doing: str) -> Workspace:
    from genba_ide_bridge.cli.following import follow_build

    # stdout belongs to the session: what shows the build writes to stderr instead.
    with redirect_stdout(sys.stderr):
        await follow_build(client, workspace.latest_build, title=f"{target.name} {doing}", name=target.name)
    return await get_workspace(client, target)


def refuse_unless_started(build: WorkspaceBuild, target: WorkspaceTarget) -> None:
    """Refuse a workspace that does not run.

    Raises:
        BridgeError: it is stopped, or its build failed; says what to do.
    """
    name = target.name
    if build.transition == "delete":
        state = "is being deleted" if not is_over(build.job) else "was deleted, or its deletion failed"
        raise BridgeError(f"The workspace {name} {state}.", f"`genba show {name}` tells more.")
    if build.transition == "stop":
        state = "is stopped" if is_over(build.job) else "is being stopped"
        raise BridgeError(f"The workspace {name} {state}.", f"`genba start {name}` starts it.")
    if build.job.status in ("failed", "canceled") and not agents_of(build):
        from genba_ide_bridge.cli.following import build_failure

        raise build_failure(build, name)


def choose_agent(build: WorkspaceBuild, target: WorkspaceTarget, command: str = "terminal") -> WorkspaceAgent:
    """Pick the agent that is named, or the only one; `command` is what the user should repeat with a name.

    Raises:
        BridgeError: there is no such agent, none at all, or several and none named; lists them.
    """
    agents = agents_of(build)
    names = ", ".join(agent.name for agent in agents)
    if target.agent:
        for agent in agents:
            if agent.name == target.agent:
                return agent
        raise BridgeError(
            f'The workspace {target.name} has no agent "{target.agent}".', f"Its agents: {names or 'none'}."
        )
    if not agents:
        raise BridgeError(
            f"The workspace {target.name} has no agent, so no session can be opened in it.",
            "Its template declares no coder_agent for what runs.",
        )
    if len(agents) > 1:
        raise BridgeError(
            f"The workspace {target.name} has several agents: {names}.",
            f"Name one, as in `genba {command} {target.name}.{agents[0].name}`.",
        )
    return agents[0]


async def _wait_until_connected(
    client: GatewayClient,
    target: WorkspaceTarget,
    agent: WorkspaceAgent,
    command: str,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[Workspace, WorkspaceAgent]:
    began, is_told = clock(), False
    build_id = ""
    while True:
        workspace = await get_workspace(client, target)
        build = workspace.latest_build
        refuse_unless_started(build, target)
        build_id = build_id or build.id
        if build.id != build_id:
            raise BridgeError(f"The workspace {target.name} was restarted meanwhile.", "Try again.")
        agent = choose_agent(build, target, command)
        if agent.status == "connected":
            return workspace, agent
        patience_s = float(agent.connection_timeout_seconds or 0)
        if agent.status == "disconnected":
            patience_s = DISCONNECTED_PATIENCE_S
        if agent.status == "timeout" or (patience_s and clock() - began >= patience_s):
            raise _explain_absence(agent, target)
        if not is_told:
            is_told = True
            reason = f" ({agent.status_reason})" if agent.status_reason else ""
            note(f"Waiting for the agent {agent.name} of {target.name} to connect{reason} (Ctrl-C ends).")
        await asyncio.sleep(POLL_INTERVAL_S)


def _explain_absence(agent: WorkspaceAgent, target: WorkspaceTarget) -> BridgeError:
    reason = agent.status_reason or f"it is {agent.status}"
    help_at = f" Help: {agent.troubleshooting_url}" if agent.troubleshooting_url else ""
    return BridgeError(
        f"The agent {agent.name} of {target.name} is not connected: {reason.rstrip('.')}.",
        f"`genba logs {target.name}` shows what happened, `genba restart {target.name}` starts it anew.{help_at}",
    )


def _tell_about_scripts(agent: WorkspaceAgent, target: WorkspaceTarget) -> None:
    name = target.name
    if is_preparing(agent):
        blocking = [script.display_name for script in agent.scripts if script.start_blocks_login]
        if blocking:
            note(
                f"Scripts of {name} are still running ({', '.join(blocking)}): not all may be there yet."
                f" `genba logs -f {name}` shows them."
            )
    elif agent.lifecycle_state in ("start_error", "start_timeout"):
        problem = "failed" if agent.lifecycle_state == "start_error" else "took too long"
        note(f"A startup script of {name} {problem}, so something may be missing. `genba logs {name}` shows why.")
