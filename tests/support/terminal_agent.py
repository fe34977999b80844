"""An agent for clients of terminals: real links over socket pairs, and a terminal that the test plays."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from genba_agent.carriers.links import LinkTable
from genba_ide_bridge.api.calls import Calls
from genba_ide_bridge.api.client import GatewayClient
from genba_ide_bridge.sessions.redial import RedialDelays
from genba_ide_bridge.sessions.terminal import Ended, TerminalRequest, TerminalSession, TerminalState
from genba_wire.aio.stream import Stream
from genba_wire.aio.transport import Transport, TransportOptions
from genba_wire.aio.websocket_carrier import WebSocketCarrier
from genba_wire.api.terminals import TICKET_HEADER
from genba_wire.tunnel.mux_frames import ResetCode
from genba_wire.tunnel.streams import Exited, PtyOpen, Resize, encode, parse_pty_note, parse_pty_open
from tests.support.carriers import CEILING_S, open_transport
from tests.support.cli_builders import make_agent, make_build, make_resource, make_workspace
from tests.support.cli_gateway import CliGateway, running_cli_gateway

RECONNECT = "7b0e4f6e-3f0e-4d3e-8a52-0f6f6a2a9c11"


class Changes:
    """Lets a test wait until something holds; it is asked after each change."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def note(self) -> None:
        self._event.set()

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(CEILING_S):
            while not is_so():
                self._event.clear()
                await self._event.wait()


class PlayedStream:
    """One stream of a terminal, at the agent's end."""

    def __init__(self, stream: Stream, opened: PtyOpen, changes: Changes) -> None:
        self.stream = stream
        self.opened = opened
        self.typed = b""
        self.sizes: list[tuple[int, int]] = []
        self.reset_code: int | None = None
        self._changes = changes

    def exit(self, code: int) -> None:
        self.stream.note(encode(Exited(code=code)))
        self.stream.finish()

    def data_received(self, data: memoryview) -> None:
        self.typed += bytes(data)
        self.stream.consumed(len(data))
        self._changes.note()

    def note_received(self, note: bytes) -> None:
        said = parse_pty_note(note)
        assert isinstance(said, Resize)
        self.sizes.append((said.height, said.width))
        self._changes.note()

    def finished(self) -> None:
        self._changes.note()

    def reset(self, code: int, reason: str) -> None:
        self.reset_code = code
        self._changes.note()

    def writable(self) -> None:
        self._changes.note()


class PlayedAgent:
    """Serves links; each "pty" stream is accepted, or refused as often as `refusals` says."""

    def __init__(self, changes: Changes) -> None:
        self.streams: list[PlayedStream] = []
        self.refusals: list[tuple[int, str]] = []
        self.requests: list[PtyOpen] = []
        self._changes = changes
        self.links = LinkTable(b"A" * 16, self._handle)

    def forget_links(self, boot_id: bytes = b"A" * 16) -> None:
        """Know none of the links that were made; another boot id is another process."""
        self.links = LinkTable(boot_id, self._handle)

    @property
    def last(self) -> PlayedStream:
        return self.streams[-1]

    def _handle(self, kind: str, head: bytes, stream: Stream) -> None:
        assert kind == "pty"
        opened = parse_pty_open(head)
        self.requests.append(opened)
        if self.refusals:
            stream.refuse(*self.refusals.pop(0))
        else:
            played = PlayedStream(stream, opened, self._changes)
            stream.accept()
            stream.listen(played)
            self.streams.append(played)
        self._changes.note()


class HasLinks(Protocol):
    """An agent as a carrier finds it."""

    links: LinkTable


class PairTransport(Transport):
    """Requests go to the gateway's address as usual; carriers end at the agent, without a relay between."""

    def __init__(self, options: TransportOptions, agent: HasLinks) -> None:
        super().__init__(options)
        self.agent = agent
        self.failures: list[Exception] = []
        self.tickets: list[str] = []
        self.far_ends: list[WebSocketCarrier] = []

    async def carrier(
        self,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        within_s: float | None = None,
    ) -> WebSocketCarrier:
        if self.failures:
            raise self.failures.pop(0)
        self.tickets.append((headers or {})[TICKET_HEADER])
        near, far = socket.socketpair()
        client = WebSocketCarrier(await open_transport(near), is_server=False)
        server = WebSocketCarrier(await open_transport(far), is_server=True)
        self.far_ends.append(server)
        self.agent.links.serve(server)
        return client

    def lose_carrier(self) -> None:
        """Break the connection of the latest carrier."""
        self.far_ends[-1].abort()


class Shown:
    """`TerminalEvents` that remember, and consume at once unless told otherwise."""

    def __init__(self, changes: Changes) -> None:
        self.screen = b""
        self.states: list[TerminalState] = []
        self.consumes = True
        self.session: TerminalSession | None = None
        self._changes = changes

    def output(self, data: memoryview) -> None:
        self.screen += bytes(data)
        if self.consumes and self.session is not None:
            self.session.consumed(len(data))
        self._changes.note()

    def state(self, state: TerminalState) -> None:
        self.states.append(state)
        self._changes.note()

    def writable(self) -> None:
        self._changes.note()


@dataclass
class TerminalStage:
    """A workspace with an agent, and the client's end of a terminal in it."""

    gateway: CliGateway
    agent: PlayedAgent
    transport: PairTransport
    client: GatewayClient
    changes: Changes
    shown: Shown
    request: TerminalRequest
    delays: RedialDelays = field(default_factory=RedialDelays)

    @asynccontextmanager
    async def running(self, **changes: Any) -> AsyncGenerator[tuple[TerminalSession, asyncio.Task[Ended]]]:
        """Run a session; at the block's end it is left."""
        request = TerminalRequest(**{**_fields(self.request), **changes})
        session = TerminalSession(self.client, request, self.shown, delays=self.delays)
        self.shown.session = session
        async with asyncio.TaskGroup() as group:
            task = group.create_task(session.run(), name="session")
            yield session, task
            task.cancel()

    async def until(self, is_so: Callable[[], bool]) -> None:
        await self.changes.until(is_so)

    async def opened(self, streams: int = 1) -> PlayedStream:
        """The latest stream once there are so many."""
        await self.until(lambda: len(self.agent.streams) >= streams and len(self.shown.states) > 0)
        return self.agent.last


def _fields(request: TerminalRequest) -> dict[str, Any]:
    return {name: getattr(request, name) for name in request.__slots__}


@asynccontextmanager
async def terminal_stage() -> AsyncGenerator[TerminalStage]:
    """Yield a running workspace with one connected agent."""
    async with running_cli_gateway() as gateway:
        changes = Changes()
        agent = PlayedAgent(changes)
        options = TransportOptions(base_url=gateway.url, token=gateway.token)
        async with PairTransport(options, agent) as transport:
            found = make_agent()
            build = make_build(resources=[make_resource([found])])
            workspace = gateway.add_workspace(make_workspace(latest_build=build))
            request = TerminalRequest(workspace.id, workspace.latest_build.id, found.id, RECONNECT)
            client = GatewayClient(Calls(transport))
            yield TerminalStage(gateway, agent, transport, client, changes, Shown(changes), request)
            for end in transport.far_ends:
                end.abort()
                await end.wait_closed()


REFUSED_ONCE = (int(ResetCode.REFUSED), "The agent has not its manifest yet.")
