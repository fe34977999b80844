"""Serves streams of the kind "ssh": one SSH connection each, and all the programs of their sessions."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from genba_agent.ssh.session_counts import SessionCounts
from genba_agent.ssh.transport import StreamTransport
from genba_wire.errors import RemoteProtocolError
from genba_wire.tunnel.mux_frames import ResetCode
from genba_wire.tunnel.streams import parse_ssh_open

if TYPE_CHECKING:
    from genba_agent.clock import Clock
    from genba_agent.ssh.banners import Banners
    from genba_agent.ssh.connection import WorkspaceConnection
    from genba_agent.ssh.host_certificate import HostCertificate
    from genba_agent.ssh.host_key import HostIdentity
    from genba_agent.ssh.programs import Program
    from genba_agent.terminals.commands import TerminalEnvironment
    from genba_wire.aio.stream import Stream

logger = logging.getLogger(__name__)

MAX_CONNECTIONS: Final = 128
"""SSH connections at a time; each is a link's stream with up to some megabytes of buffers."""

KILLED_WITHIN_S: Final = 2.0
"""How long killed programs may take to be gone, and connections to be closed."""

STOPPING: Final = "The workspace is stopping."


@dataclass(frozen=True, slots=True)
class SshSettings:
    """What connections are served with, once the manifest is known."""

    environment: TerminalEnvironment
    certificate: HostCertificate
    banners: Banners
    blocks_file_transfer: bool = False


class SshServer:
    """All SSH connections of a workspace. All is called in the event loop's thread."""

    def __init__(self, clock: Clock, tasks: asyncio.TaskGroup) -> None:
        """`tasks` is the parent of what connections and programs do; `close` leaves nothing of it running."""
        self.clock = clock
        self.counts = SessionCounts()
        self._tasks = tasks
        self._settings: SshSettings | None = None
        self._is_stopping = False
        self._serving: dict[asyncio.Task[None], WorkspaceConnection | None] = {}
        self._programs: set[Program] = set()

    def open(self, settings: SshSettings) -> None:
        """Serve from here on: the manifest is known."""
        self._settings = settings

    def renew_certificate(self) -> None:
        """Have the host key certified anew: there is another connection to the gateway."""
        if self._settings is not None:
            self._settings.certificate.renew()

    def handle_stream(self, kind: str, head: bytes, stream: Stream) -> None:
        """Serve SSH on the stream."""
        if self._settings is None:
            stream.refuse(ResetCode.REFUSED, "The agent has not its manifest yet; try again in a moment.")
        elif self._is_stopping:
            stream.refuse(ResetCode.REFUSED, STOPPING)
        elif len(self._serving) >= MAX_CONNECTIONS:
            stream.refuse(ResetCode.REFUSED, f"{MAX_CONNECTIONS} SSH connections are open: end one of them first.")
        else:
            self._begin(head, stream)

    async def stop(self) -> None:
        """End all connections, which tells why, and all that runs in them; serve none from here on."""
        self._is_stopping = True
        programs = list(self._programs)
        for connection in self._serving.values():
            if connection is not None:
                connection.end(STOPPING)
        async with asyncio.TaskGroup() as group:
            for program in programs:
                group.create_task(program.end(self.clock), name="end of an SSH program")

    async def close(self) -> None:
        """Kill what `stop` has not ended, and wait for it a moment. Nothing is left to the tasks."""
        self._is_stopping = True
        with suppress(TimeoutError):
            async with asyncio.timeout(KILLED_WITHIN_S):
                async with asyncio.TaskGroup() as group:
                    for program in self._programs:
                        group.create_task(program.kill(), name="kill of an SSH program")
        for task, connection in list(self._serving.items()):
            if connection is None:
                task.cancel()
            else:
                connection.abort()
        if self._serving:
            await asyncio.wait(list(self._serving), timeout=KILLED_WITHIN_S)

    # What sessions need (`SessionHost`).

    @property
    def environment(self) -> TerminalEnvironment:
        return self._known.environment

    @property
    def blocks_file_transfer(self) -> bool:
        return self._known.blocks_file_transfer

    @property
    def banners(self) -> bytes:
        return self._known.banners.text

    def spawn(self, work: Coroutine[None, None, None], name: str) -> None:
        self._tasks.create_task(work, name=name)

    def add(self, program: Program) -> None:
        self._programs.add(program)

    def remove(self, program: Program) -> None:
        self._programs.discard(program)

    @property
    def _known(self) -> SshSettings:
        assert self._settings is not None  # noqa: S101  # no stream is accepted before
        return self._settings

    def _begin(self, head: bytes, stream: Stream) -> None:
        try:
            parse_ssh_open(head)
        except RemoteProtocolError as error:
            stream.refuse(ResetCode.PROTOCOL, f"The request for SSH can't be read: {error}")
            return
        stream.accept()
        task = self._tasks.create_task(self._serve(stream), name="SSH connection")
        self._serving[task] = None
        task.add_done_callback(self._serving.pop)

    async def _serve(self, stream: Stream) -> None:
        try:
            connection = await self._connect(stream)
        except Exception:
            logger.exception("SSH failed within the agent.")
            stream.reset(ResetCode.FAILED, "The agent's SSH server failed: see the agent's log.")
            return
        self.counts.connections += 1
        try:
            await connection.wait_closed()
        finally:
            self.counts.connections -= 1

    async def _connect(self, stream: Stream) -> WorkspaceConnection:
        # The first one imports asyncssh: a quarter of a second in which others are served.
        make_connection = await asyncio.to_thread(_import_connection)
        connection = make_connection(self, await self._known.certificate.get_identity())
        task = asyncio.current_task()
        if task is not None:
            self._serving[task] = connection
        StreamTransport(stream, connection).start()
        return connection


def _import_connection() -> Callable[[SshServer, HostIdentity], WorkspaceConnection]:
    from genba_agent.ssh.connection import make_connection

    return make_connection
