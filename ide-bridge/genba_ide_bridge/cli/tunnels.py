"""A tunnel to the workspace that a command names, for the length of a block."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from genba_ide_bridge.cli.agent_readiness import Wish, wait_for_agent
from genba_ide_bridge.cli.output import note
from genba_ide_bridge.cli.targets import WorkspaceTarget
from genba_ide_bridge.errors import BridgeError
from genba_ide_bridge.sessions.agent_link import SessionOver
from genba_ide_bridge.sessions.refusals import AgentAddress
from genba_ide_bridge.sessions.tunnel import Tunnel
from genba_wire.errors import StreamRefused
from genba_wire.tunnel.mux_frames import ResetCode

if TYPE_CHECKING:
    from genba_ide_bridge.api.client import GatewayClient
    from genba_ide_bridge.api.terminals import Purpose
    from genba_wire.aio.stream import Stream


@asynccontextmanager
async def tunnel_to(
    client: GatewayClient,
    target: WorkspaceTarget,
    *,
    command: str,
    purpose: Purpose = "tunnel",
    on_outage: Callable[[str], None] | None = None,
) -> AsyncGenerator[tuple[Tunnel, str]]:
    """Yield a tunnel, and the agent's name as in `demo.main`; what is waited for is said on stderr.

    `command` is whose tunnel it is, for hints.

    Raises:
        BridgeError: there is no way to the agent.
    """
    workspace, agent = await wait_for_agent(client, target, Wish(command))

    def say_outage(reason: str) -> None:
        note(f"The way to {target.name} is lost: {reason} Trying again.")

    tunnel = Tunnel(
        client,
        AgentAddress(workspace.id, workspace.latest_build.id, agent.id),
        on_outage=on_outage or say_outage,
        on_way=lambda: None,
        purpose=purpose,
    )
    async with asyncio.TaskGroup() as group:
        running = group.create_task(tunnel.run(), name="tunnel")
        try:
            yield tunnel, f"{target.name}.{agent.name}"
        finally:
            running.cancel()


async def open_stream(tunnel: Tunnel, kind: str, head: bytes, name: str) -> Stream:
    """Open a stream that an agent of an earlier version may not know.

    Raises:
        BridgeError: the agent refused, or there is no way any more.
    """
    try:
        return await tunnel.open_stream(kind, head)
    except SessionOver as over:
        raise BridgeError(over.verdict.reason, over.verdict.hint) from over
    except StreamRefused as refusal:
        if refusal.code == ResetCode.NOT_SUPPORTED:
            workspace = name.partition(".")[0]
            raise BridgeError(
                f"The agent {name} is of an earlier version, which can't do this.",
                f"`genba restart {workspace}` starts it with the gateway's own.",
            ) from refusal
        raise BridgeError(f"The agent {name} refused: {refusal.reason}") from refusal
