"""Local sockets whose connections are joined to streams, and a local UDP socket whose datagrams are."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, cast

from genba_ide_bridge.sessions.agent_link import SessionOver
from genba_wire.aio.datagram_joint import DatagramJoint
from genba_wire.aio.socket_joint import SocketJoint
from genba_wire.errors import StreamRefused
from genba_wire.tunnel.mux_frames import ResetCode

if TYPE_CHECKING:
    from genba_ide_bridge.sessions.tunnel import StreamOpener

BACKLOG: Final = 128

IDLE_S: Final = 120.0
"""How long a local address that neither sends nor is sent datagrams keeps its socket in the workspace (RFC 4787)."""

MAX_PEERS: Final = 512
"""Local addresses that send at the same time; datagrams of further ones are dropped. A link has 1,024 streams."""

MAX_EARLY: Final = 32
"""Datagrams that wait for their stream; more are dropped."""

OnRefused = Callable[[str], None]
"""Hears why a connection could not be made in the workspace."""


class ConnectionForward:
    """Joins each connection of a listening socket to a stream of its own."""

    def __init__(self, tunnel: StreamOpener, kind: str, head: bytes, on_refused: OnRefused) -> None:
        """`kind` and `head` are those of the streams."""
        self._tunnel = tunnel
        self._kind = kind
        self._head = head
        self._on_refused = on_refused

    async def serve(self, listener: socket.socket) -> None:
        """Serve connections until cancelled; owns the listening socket, which is bound already."""
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as group:
            server = await loop.create_server(lambda: _Newcomer(self, group), sock=listener, backlog=BACKLOG)
            try:
                await server.serve_forever()
            finally:
                server.close()

    async def join(self, transport: asyncio.Transport) -> None:
        """Join a fresh connection, whose reading is paused, to a stream."""
        try:
            stream = await self._tunnel.open_stream(self._kind, self._head)
        except StreamRefused as refusal:
            transport.abort()
            self._on_refused(refusal.reason)
            return
        except BaseException as error:
            transport.abort()
            if isinstance(error, SessionOver):
                return
            raise
        if transport.is_closing():
            stream.reset(ResetCode.CANCELLED, "The connection was closed.")
            return
        joint = SocketJoint(stream)
        transport.set_protocol(joint)
        joint.connection_made(transport)
        transport.resume_reading()


class _Newcomer(asyncio.Protocol):
    """A connection for which there is no stream yet: nothing is read from it."""

    def __init__(self, forward: ConnectionForward, group: asyncio.TaskGroup) -> None:
        self._forward = forward
        self._group = group

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  # for the type checkers
        transport.pause_reading()
        self._group.create_task(self._forward.join(transport), name="a forwarded connection")


class DatagramForward:
    """Gives each local address that sends a stream of its own, so that answers find their way back."""

    def __init__(
        self, tunnel: StreamOpener, kind: str, head: bytes, on_refused: OnRefused, *, idle_s: float = IDLE_S
    ) -> None:
        self._tunnel = tunnel
        self._kind = kind
        self._head = head
        self._on_refused = on_refused
        self._idle_s = idle_s
        self._peers: dict[object, _Peer] = {}

    async def serve(self, local: socket.socket) -> None:
        """Serve datagrams until cancelled; owns the socket, which is bound already."""
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as group:
            transport, _ = await loop.create_datagram_endpoint(lambda: _UdpSocket(self, group), sock=local)
            try:
                while True:
                    await asyncio.sleep(self._idle_s / 2)
                    self.forget_idle(loop.time())
            finally:
                transport.close()

    def __len__(self) -> int:
        """How many local addresses have a stream, or wait for one."""
        return len(self._peers)

    def receive(
        self, group: asyncio.TaskGroup, transport: asyncio.DatagramTransport, data: bytes, address: object
    ) -> None:
        """Take a datagram of a local program."""
        peer = self._peers.get(address)
        if peer is None:
            if len(self._peers) >= MAX_PEERS:
                return
            peer = self._peers[address] = _Peer(lambda datagram: transport.sendto(datagram, cast("None", address)))
            group.create_task(self._open(peer, address), name="a forwarded address")
        peer.send(data)

    def forget_idle(self, now: float) -> None:
        """Let go of addresses that have been silent since before `now` by more than the limit."""
        for address, peer in list(self._peers.items()):
            if peer.joint is not None and now - peer.used_at > self._idle_s:
                peer.joint.close()
                self._forget(address, peer)

    async def _open(self, peer: _Peer, address: object) -> None:
        try:
            stream = await self._tunnel.open_stream(self._kind, self._head)
        except StreamRefused as refusal:
            self._forget(address, peer)
            self._on_refused(refusal.reason)
        except SessionOver:
            self._forget(address, peer)
        else:
            peer.begin(DatagramJoint(stream, peer.deliver, on_over=lambda: self._forget(address, peer)))

    def _forget(self, address: object, peer: _Peer) -> None:
        if self._peers.get(address) is peer:
            del self._peers[address]


class _Peer:
    """A local address that sends."""

    def __init__(self, answer: Callable[[bytes], None]) -> None:
        self.joint: DatagramJoint | None = None
        self._answer = answer
        self._early: list[bytes] = []
        self._loop = asyncio.get_running_loop()
        self.used_at = self._loop.time()

    def send(self, datagram: bytes) -> None:
        self.used_at = self._loop.time()
        if self.joint is not None:
            self.joint.send(datagram)
        elif len(self._early) < MAX_EARLY:
            self._early.append(datagram)

    def deliver(self, datagram: bytes) -> None:
        self.used_at = self._loop.time()
        self._answer(datagram)

    def begin(self, joint: DatagramJoint) -> None:
        self.joint = joint
        early, self._early = self._early, []
        for datagram in early:
            joint.send(datagram)


class _UdpSocket(asyncio.DatagramProtocol):
    def __init__(self, forward: DatagramForward, group: asyncio.TaskGroup) -> None:
        self._forward = forward
        self._group = group

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # asyncio's own class for it is no subclass of what it is.
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: object) -> None:
        self._forward.receive(self._group, self._transport, data, addr)

    def error_received(self, exc: Exception) -> None:
        """The program that was answered has gone."""
