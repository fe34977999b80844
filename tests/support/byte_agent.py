"""An agent for sessions of bytes: real links over socket pairs, and the far end of each stream in the test's hands."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from genba_agent.carriers.links import LinkTable
from genba_ide_bridge.api.calls import Calls
from genba_ide_bridge.api.client import GatewayClient
from genba_ide_bridge.sessions.byte_session import ByteRequest, ByteSession, SessionEnd
from genba_ide_bridge.sessions.redial import RedialDelays
from genba_ide_bridge.sessions.refusals import AgentAddress
from genba_wire.aio.stream import Stream
from genba_wire.aio.transport import TransportOptions
from genba_wire.tunnel.streams import SSH, SshOpen, encode
from tests.support.carriers import CEILING_S
from tests.support.cli_builders import make_agent, make_build, make_resource, make_workspace
from tests.support.cli_gateway import CliGateway, running_cli_gateway
from tests.support.links import StreamHearer
from tests.support.terminal_agent import Changes, PairTransport


class ByteAgent:
    """Accepts each stream, or refuses as often as `refusals` says."""

    def __init__(self, changes: Changes) -> None:
        self.opened: list[tuple[str, bytes]] = []
        self.hearers: list[StreamHearer] = []
        self.refusals: list[tuple[int, str]] = []
        self.gives_credit = True
        self._changes = changes
        self.links = LinkTable(b"A" * 16, self._handle)

    def forget_links(self, boot_id: bytes = b"A" * 16) -> None:
        """Know none of the links that were made; another boot id is another process."""
        self.links = LinkTable(boot_id, self._handle)

    def _handle(self, kind: str, head: bytes, stream: Stream) -> None:
        self.opened.append((kind, head))
        if self.refusals:
            stream.refuse(*self.refusals.pop(0))
        else:
            stream.accept()
            self.hearers.append(StreamHearer(stream, gives_credit=self.gives_credit))
        self._changes.note()


@dataclass
class ByteStage:
    """A workspace with an agent, and what is at the session's local ends."""

    gateway: CliGateway
    agent: ByteAgent
    transport: PairTransport
    client: GatewayClient
    address: AgentAddress
    changes: Changes
    outages: list[str] = field(default_factory=list[str])
    resumed: int = 0

    @asynccontextmanager
    async def running(self, source: int, target: int) -> AsyncGenerator[tuple[ByteSession, asyncio.Task[SessionEnd]]]:
        """Run a session between two descriptors, which are given away; at the block's end it is over."""

        async def skip(_delay_s: float) -> None:
            await asyncio.sleep(0)

        request = ByteRequest(self.address, SSH, "ssh", encode(SshOpen()), source, target)
        session = ByteSession(
            self.client,
            request,
            on_outage=self._note_outage,
            on_resumed=self._note_resumed,
            delays=RedialDelays(sleep=skip),
        )
        async with asyncio.TaskGroup() as group:
            task = group.create_task(session.run(), name="session")
            yield session, task
            task.cancel()

    async def hearer(self, count: int = 1) -> StreamHearer:
        """The far end of the latest stream once there are so many."""
        await self.changes.until(lambda: len(self.agent.hearers) >= count)
        return self.agent.hearers[-1]

    def _note_outage(self, reason: str) -> None:
        self.outages.append(reason)
        self.changes.note()

    def _note_resumed(self) -> None:
        self.resumed += 1
        self.changes.note()


@asynccontextmanager
async def byte_stage() -> AsyncGenerator[ByteStage]:
    """Yield a running workspace with one connected agent."""
    async with running_cli_gateway() as gateway:
        changes = Changes()
        agent = ByteAgent(changes)
        options = TransportOptions(base_url=gateway.url, token=gateway.token)
        async with PairTransport(options, agent) as transport:
            found = make_agent()
            build = make_build(resources=[make_resource([found])])
            workspace = gateway.add_workspace(make_workspace(latest_build=build))
            address = AgentAddress(workspace.id, workspace.latest_build.id, found.id, again="ssh")
            yield ByteStage(gateway, agent, transport, GatewayClient(Calls(transport)), address, changes)
            for end in transport.far_ends:
                end.abort()
                await end.wait_closed()


@dataclass
class Pipes:
    """The test's ends of the two pipes of a session."""

    source: int
    target: int
    to_session: int
    from_session: int

    async def read(self, size: int) -> bytes:
        """Read so many bytes, or up to the end."""
        loop = asyncio.get_running_loop()
        data = bytearray()
        async with asyncio.timeout(CEILING_S):
            while len(data) < size:
                ready = asyncio.Event()
                loop.add_reader(self.from_session, ready.set)
                try:
                    await ready.wait()
                finally:
                    loop.remove_reader(self.from_session)
                piece = os.read(self.from_session, 65536)
                if not piece:
                    break
                data += piece
        return bytes(data)

    def write(self, data: bytes) -> None:
        """Write what fits into a pipe."""
        assert os.write(self.to_session, data) == len(data)

    def end_input(self) -> None:
        os.close(self.to_session)
        self.to_session = -1

    def close(self) -> None:
        for descriptor in (self.to_session, self.from_session):
            if descriptor >= 0:
                os.close(descriptor)


@asynccontextmanager
async def pipes() -> AsyncGenerator[Pipes]:
    """Two pipes; the session's ends are given away."""
    source, to_session = os.pipe()
    from_session, target = os.pipe()
    ends = Pipes(source, target, to_session, from_session)
    try:
        yield ends
    finally:
        ends.close()


@asynccontextmanager
async def socket_pair() -> AsyncGenerator[Pipes]:
    """One socket as both ends, as sshd and `ProxyUseFdpass` have it."""
    ours, theirs = socket.socketpair()
    theirs_again = os.dup(theirs.fileno())
    number = ours.detach()
    ends = Pipes(theirs.detach(), theirs_again, number, os.dup(number))
    try:
        yield ends
    finally:
        ends.close()
