"""Logs of builds and agents, as streams (docs/bridge.md, "Logs")."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

import msgspec
from websockets.exceptions import ConnectionClosed

from genba_ide_bridge.api.calls import in_path
from genba_ide_bridge.api.streams import LogCursor, Streams
from genba_ide_bridge.cli.build_facts import is_over
from genba_ide_bridge.cli.progress import StageLines
from genba_ide_bridge.errors import BridgeError
from genba_ide_bridge.lsp.agents import find_workspace_of, has_agent
from genba_ide_bridge.lsp.messages import LogEnded, LogLine, LogLines
from genba_wire.api.agents import AgentLog
from genba_wire.api.jobs import JobLog
from genba_wire.errors import GatewayRefused

if TYPE_CHECKING:
    from websockets.asyncio.server import ServerConnection

    from genba_ide_bridge.api.client import GatewayClient
    from genba_ide_bridge.lsp.bulk import StreamHandler

MAX_LINES: Final = 500
"""In one message: what an editor shows without a hitch."""

_MISSING: Final = frozenset({404, 410})

log = logging.getLogger(__name__)

Follow = Callable[["LogPump"], Awaitable[str]]
"""Hands lines to the pump until the log ends; returns why it ended, or an empty string."""


class OutagesInLog:
    """Outages of the gateway, for the bridge's own log."""

    def gateway_is_away(self, reason: str) -> None:
        """An attempt failed."""
        log.info("A log waits for the gateway: %s", reason)

    def gateway_is_back(self) -> None:
        """Nothing to say: the lines that come say it."""


class LogPump:
    """Sends lines to an editor, those that come together in one message.

    What waits is not limited here: the gateway limits an agent's log to 1 MiB, and a build's is what Terraform said.
    """

    def __init__(self, connection: ServerConnection) -> None:
        self._connection = connection
        self._lines: deque[LogLine] = deque()
        self._grew = asyncio.Event()
        self._end: LogEnded | None = None

    def add(self, line: LogLine) -> None:
        """Send a line soon."""
        self._lines.append(line)
        self._grew.set()

    def end(self, reason: str) -> None:
        """Send this after the last line."""
        self._end = LogEnded(ended=True, reason=reason)
        self._grew.set()

    async def run(self) -> None:
        """Send lines as they come, to the end."""
        while self._end is None or self._lines:
            await self._grew.wait()
            self._grew.clear()
            while self._lines:
                count = min(len(self._lines), MAX_LINES)
                await self._send(LogLines(lines=[self._lines.popleft() for _ in range(count)]))
        await self._send(self._end)

    async def _send(self, message: LogLines | LogEnded) -> None:
        await self._connection.send(msgspec.json.encode(message).decode())


def stream_log(follow: Follow) -> StreamHandler:
    """A stream that sends what `follow` brings."""

    async def serve(connection: ServerConnection) -> None:
        pump = LogPump(connection)

        async def bring() -> None:
            pump.end(await _follow(follow, pump))

        async with asyncio.TaskGroup() as group:
            bringing = group.create_task(bring(), name="log: lines of the gateway")
            sending = group.create_task(pump.run(), name="log: lines to the editor")
            reading = group.create_task(_wait_for_end(connection), name="log: editor")
            await asyncio.wait([sending, reading], return_when=asyncio.FIRST_COMPLETED)
            for task in (bringing, sending, reading):
                task.cancel()

    return serve


def follow_build(client: GatewayClient, build_id: str) -> Follow:
    """The log of a build to its end."""

    async def is_complete() -> bool:
        return is_over((await client.workspaces.get_build(build_id)).job)

    async def follow(pump: LogPump) -> str:
        stages = StageLines()

        def take(line: JobLog) -> None:
            for text in stages.text_of(line):
                pump.add(LogLine(time=line.created_at, level=line.log_level or "info", text=text))

        streams = Streams(client.calls, OutagesInLog())
        path = f"/workspacebuilds/{in_path(build_id)}/logs"
        await streams.follow_log(path, JobLog, LogCursor(), take, is_complete)
        build = await streams.persist(lambda: client.workspaces.get_build(build_id))
        said = f": {build.job.error}" if build.job.error else "."
        return f"Build {build.build_number} ({build.transition}) {build.job.status}{said}"

    return follow


def follow_agent(client: GatewayClient, agent_id: str) -> Follow:
    """The log of an agent for as long as it can grow."""

    async def follow(pump: LogPump) -> str:
        reasons = [""]

        async def is_complete() -> bool:
            reason = await _why_complete(client, agent_id)
            reasons.append(reason or "")
            return reason is not None

        def take(line: AgentLog) -> None:
            text = line.output.rstrip("\r\n")
            pump.add(LogLine(time=line.created_at, level=line.level or "info", text=text))

        streams = Streams(client.calls, OutagesInLog())
        await streams.follow_log(f"/workspaceagents/{in_path(agent_id)}/logs", AgentLog, LogCursor(), take, is_complete)
        return reasons[-1]

    return follow


async def _why_complete(client: GatewayClient, agent_id: str) -> str | None:
    """Why an agent's log can't grow; None when it can."""
    if (await client.agents.get_agent(agent_id)).logs_overflowed:
        return "The log is full: the gateway keeps no more lines of it."
    workspace = await find_workspace_of(client, agent_id)
    if workspace is None or not has_agent(workspace, agent_id):
        return "The workspace was stopped, restarted or deleted."
    return None


async def _follow(follow: Follow, pump: LogPump) -> str:
    try:
        return await follow(pump)
    except GatewayRefused as refusal:
        if refusal.status in _MISSING:
            return "It is not there any more."
        return refusal.message
    except BridgeError as error:
        return error.message


async def _wait_for_end(connection: ServerConnection) -> None:
    """Nothing that an editor says on a log means anything, but that it goes."""
    try:
        while True:
            await connection.recv()
    except ConnectionClosed:
        return
