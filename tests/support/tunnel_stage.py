"""A workspace whose agent serves real streams to ports and sockets, for clients of tunnels."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager

from genba_agent.carriers.links import LinkTable
from genba_agent.carriers.speed import handle_speed_stream
from genba_agent.carriers.tcp import TcpStreams
from genba_agent.carriers.udp import UdpStreams
from genba_agent.carriers.unix import UnixStreams
from genba_agent.files.streams import FileStreams
from genba_ide_bridge.api.calls import Calls
from genba_ide_bridge.api.client import GatewayClient
from genba_ide_bridge.api.terminals import Purpose
from genba_ide_bridge.sessions.refusals import AgentAddress, Verdict
from genba_ide_bridge.sessions.tunnel import Tunnel
from genba_wire.aio.stream import Stream, StreamHandler
from genba_wire.aio.transport import Transport, TransportOptions
from genba_wire.aio.websocket_carrier import WebSocketCarrier
from genba_wire.tunnel.files import FILES
from genba_wire.tunnel.mux_frames import ResetCode
from genba_wire.tunnel.streams import SPEED, TCP, UDP, UNIX
from tests.support.carriers import CEILING_S, open_transport
from tests.support.cli_builders import make_agent, make_build, make_resource, make_workspace
from tests.support.cli_gateway import CliGateway, running_cli_gateway


class TunnelTransport(Transport):
    """Requests go to the gateway's address as usual; carriers end at the agent, without a relay between."""

    def __init__(self, options: TransportOptions, handlers: Mapping[str, StreamHandler], purpose: str) -> None:
        super().__init__(options)
        self.purpose = purpose
        self.handlers = handlers
        self.links = LinkTable(b"A" * 16, self._serve)
        self.failures: list[Exception] = []
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
        near, far = socket.socketpair()
        client = WebSocketCarrier(await open_transport(near), is_server=False)
        server = WebSocketCarrier(await open_transport(far), is_server=True)
        self.far_ends.append(server)
        self.links.serve(server, self.purpose)
        return client

    def lose_carrier(self) -> None:
        """Break the connection of the latest carrier."""
        self.far_ends[-1].abort()

    def forget_links(self) -> None:
        """Become another process of the agent."""
        self.links.close("The agent was killed.")
        self.links = LinkTable(b"B" * 16, self._serve)

    def _serve(self, kind: str, head: bytes, stream: Stream) -> None:
        if kind in self.handlers:
            self.handlers[kind](kind, head, stream)
        else:
            stream.refuse(ResetCode.NOT_SUPPORTED, "Not here.")


class TunnelStage:
    """A tunnel that runs, and what it told."""

    def __init__(self, gateway: CliGateway, transport: TunnelTransport) -> None:
        self.gateway = gateway
        self.transport = transport
        self.outages: list[str] = []
        self.ways = 0
        self.running: asyncio.Task[Verdict]
        self.tunnel: Tunnel
        self.client: GatewayClient
        self.address: AgentAddress
        self._changed = asyncio.Event()

    def note_outage(self, reason: str) -> None:
        self.outages.append(reason)
        self._changed.set()

    def note_way(self) -> None:
        self.ways += 1
        self._changed.set()

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until something holds; it is asked whenever the tunnel told something."""
        async with asyncio.timeout(CEILING_S):
            while not is_so():
                self._changed.clear()
                await self._changed.wait()


@asynccontextmanager
async def tunnel_stage(purpose: Purpose = "tunnel") -> AsyncGenerator[TunnelStage]:
    """Yield a tunnel to a running workspace with one connected agent."""
    async with running_cli_gateway() as gateway, asyncio.TaskGroup() as group:
        handlers: dict[str, StreamHandler] = {
            TCP: TcpStreams(group).handle_stream,
            UNIX: UnixStreams(group).handle_stream,
            UDP: UdpStreams(group).handle_stream,
            SPEED: handle_speed_stream,
            FILES: FileStreams(group, [sys.executable, "-m", "genba_agent"]).handle_stream,
        }
        options = TransportOptions(base_url=gateway.url, token=gateway.token)
        async with TunnelTransport(options, handlers, purpose) as transport:
            found = make_agent()
            build = make_build(resources=[make_resource([found])])
            workspace = gateway.add_workspace(make_workspace(latest_build=build))
            stage = TunnelStage(gateway, transport)
            stage.client = GatewayClient(Calls(transport))
            stage.address = AgentAddress(workspace.id, workspace.latest_build.id, found.id)
            stage.tunnel = Tunnel(
                stage.client,
                stage.address,
                on_outage=stage.note_outage,
                on_way=stage.note_way,
                purpose=purpose,
            )
            stage.running = group.create_task(stage.tunnel.run(), name="tunnel")
            try:
                yield stage
            finally:
                stage.running.cancel()
                for end in transport.far_ends:
                    end.abort()
                    await end.wait_closed()
                transport.links.close("The test is over.")
