"""The agent: keeps the control connection, fetches the manifest, lives one life of the workspace."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from genba_agent.api import AgentApi
from genba_agent.carriers.dialling import Dialler
from genba_agent.carriers.ports import PortStreams
from genba_agent.carriers.speed import handle_speed_stream
from genba_agent.carriers.tcp import TcpStreams
from genba_agent.carriers.udp import UdpStreams
from genba_agent.carriers.unix import UnixStreams
from genba_agent.clock import Clock, wait_for_first
from genba_agent.connection import ControlConnection
from genba_agent.files.streams import FileStreams
from genba_agent.lifecycle import Outcome, StopFinished, StopRequested
from genba_agent.lifecycle_reporter import LifecycleReporter
from genba_agent.options import AgentOptions
from genba_agent.retry import Retrier
from genba_agent.ssh.server import SshServer
from genba_agent.terminals.sessions import PtySessions
from genba_agent.workspace import FLUSH_S, WorkspaceRun, prepare_workspace
from genba_wire.aio.carrier_ways import describe_fallback
from genba_wire.aio.stream import StreamHandler
from genba_wire.aio.transport import Transport
from genba_wire.api.agent_protocol import Manifest
from genba_wire.errors import TransportError
from genba_wire.tunnel.files import FILES
from genba_wire.tunnel.streams import PORTS, PTY, SPEED, SSH, TCP, UDP, UNIX

logger = logging.getLogger(__name__)

REFUSED_WAIT_S: Final = 10.0
"""How long to wait before asking again for a manifest that was refused for good: only another gateway can help."""


class Agent:
    """Composition of what runs before the manifest is known."""

    def __init__(self, options: AgentOptions, command: list[str], transport: Transport, clock: Clock) -> None:
        """`command` starts this program again (environment.own_command)."""
        self._options = options
        self._command = command
        self._clock = clock
        self._api = AgentApi(transport)
        self._retrier = Retrier(clock)
        self._lifecycle = LifecycleReporter(self._api, self._retrier, clock)
        self._transport = transport
        transport.carrier_ways.on_fallback = _log_fallback
        self._boot_id = uuid.uuid4().bytes
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """Ask for the end: stop scripts run, what is unsent is sent."""
        self._stop.set()

    async def run(self) -> None:
        """Live until `stop`."""
        async with asyncio.TaskGroup() as group:
            terminals = PtySessions(self._clock, group)
            ssh = SshServer(self._clock, group)
            dialler = self._make_dialler(terminals, ssh, group)
            background = [
                # The control connection does not wait for the manifest: an agent may connect as soon as it exists.
                group.create_task(self._make_connection(dialler, ssh).run(), name="control connection"),
                group.create_task(self._lifecycle.run(), name="lifecycle reporter"),
            ]
            try:
                await self._live(terminals, ssh)
            finally:
                await terminals.close()
                await ssh.close()
                await dialler.close("The agent was stopped.")
            for task in background:
                task.cancel()

    async def _live(self, terminals: PtySessions, ssh: SshServer) -> None:
        """Fetch the manifest and run the workspace until `stop`."""
        manifest = await self._fetch_manifest()
        if manifest is None:
            await self._report_end()
            return
        prepared = await asyncio.to_thread(prepare_workspace, manifest, self._options, self._command)
        run = WorkspaceRun(
            prepared,
            self._options.subsystems,
            api=self._api,
            retrier=self._retrier,
            clock=self._clock,
            lifecycle=self._lifecycle,
            terminals=terminals,
            ssh=ssh,
        )
        await run.run(self._stop)

    async def _report_end(self) -> None:
        """Report the end of a life that had not begun: there is nothing to stop."""
        self._lifecycle.handle(StopRequested())
        self._lifecycle.handle(StopFinished(Outcome.SUCCEEDED))
        with suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_S):
                await self._lifecycle.wait_until_sent()
                return
        logger.warning("The end could not be reported within %g s.", FLUSH_S)

    def _make_dialler(self, terminals: PtySessions, ssh: SshServer, group: asyncio.TaskGroup) -> Dialler:
        handlers: dict[str, StreamHandler] = {
            PTY: terminals.handle_stream,
            TCP: TcpStreams(group).handle_stream,
            UNIX: UnixStreams(group).handle_stream,
            UDP: UdpStreams(group).handle_stream,
            FILES: FileStreams(group, self._command).handle_stream,
            PORTS: PortStreams(group, self._clock.monotonic).handle_stream,
            SPEED: handle_speed_stream,
            SSH: ssh.handle_stream,
        }
        keep_s = self._options.session_keep_s
        return Dialler(self._transport, self._boot_id, handlers, self._clock, group, keep_s=keep_s)

    def _make_connection(self, dialler: Dialler, ssh: SshServer) -> ControlConnection:
        def note_connected() -> None:
            self._on_connected()
            ssh.renew_certificate()

        return ControlConnection(
            self._api, self._clock, boot_id=self._boot_id, on_connected=note_connected, dial=dialler.handle
        )

    async def _fetch_manifest(self) -> Manifest | None:
        """Fetch the manifest, however long it takes; None when told to stop before."""
        async with asyncio.TaskGroup() as group:
            fetch = group.create_task(self._insist_on_manifest(), name="manifest")
            stopped = group.create_task(self._stop.wait(), name="stop before the manifest")
            await asyncio.wait([fetch, stopped], return_when=asyncio.FIRST_COMPLETED)
            manifest = fetch.result() if fetch.done() else None
            fetch.cancel()
            stopped.cancel()
        return manifest

    async def _insist_on_manifest(self) -> Manifest:
        while True:
            try:
                return await self._retrier.insist("Manifest", self._api.fetch_manifest)
            except TransportError as error:
                logger.error("The gateway refused the manifest: %s", error)
                await wait_for_first([self._stop], self._clock, REFUSED_WAIT_S)

    def _on_connected(self) -> None:
        self._retrier.wake()
        self._lifecycle.resend_latest()


def _log_fallback(reason: str) -> None:
    logger.warning("%s", describe_fallback(reason))


def stop_twice(agent: Agent, kill: Callable[[], object]) -> Callable[[], None]:
    """Return a signal's handler: the first time it asks the agent to stop, then it ends it at once."""
    is_stopping = False

    def handle() -> None:
        nonlocal is_stopping
        if is_stopping:
            logger.warning("Told to stop a second time: ending at once.")
            kill()
        else:
            logger.info("Told to stop.")
            agent.stop()
        is_stopping = True

    return handle
