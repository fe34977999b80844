"""Streams of datagrams to an address that the workspace can reach."""

from __future__ import annotations

import asyncio
from typing import cast

from genba_agent.carriers.guarding import guard
from genba_agent.carriers.tcp import CONNECT_S
from genba_wire.aio.datagram_joint import DatagramJoint
from genba_wire.aio.stream import Stream
from genba_wire.errors import RemoteProtocolError
from genba_wire.tunnel.mux_frames import ResetCode
from genba_wire.tunnel.streams import UdpOpen, parse_udp_open


class UdpStreams:
    """Serves streams of the kind "udp"."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        """`group` is the parent of the tasks that look names up."""
        self._group = group

    def handle_stream(self, kind: str, head: bytes, stream: Stream) -> None:
        """Accept the stream once its address is known; refuse it when there is none of that name."""
        try:
            target = parse_udp_open(head)
        except RemoteProtocolError as error:
            stream.refuse(ResetCode.PROTOCOL, str(error))
            return
        self._group.create_task(
            guard(stream, self._open(target, stream)), name=f"udp stream to {target.host}:{target.port}"
        )

    async def _open(self, target: UdpOpen, stream: Stream) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT_S):
                await loop.create_datagram_endpoint(lambda: _UdpEnd(stream), remote_addr=(target.host, target.port))
        except TimeoutError:
            stream.refuse(ResetCode.FAILED, f"The name {target.host} was not found within {CONNECT_S:.0f} s.")
        except (OSError, ValueError) as error:
            # A host name with a zero byte, or one that can't be encoded, is a ValueError.
            stream.refuse(ResetCode.FAILED, f"Can't send to {target.host}:{target.port}: {error}")


class _UdpEnd(asyncio.DatagramProtocol):
    """A socket of its own for a stream, so that answers find their way back."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._is_full = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # asyncio's own class for it is no subclass of what it is.
        transport = cast("asyncio.DatagramTransport", transport)
        if self._stream.is_over:
            transport.close()
            return
        self._transport = transport
        self._stream.accept()
        self._joint = DatagramJoint(self._stream, self._send, on_over=transport.close)

    def datagram_received(self, data: bytes, addr: object) -> None:
        self._joint.send(data)

    def error_received(self, exc: Exception) -> None:
        """Nobody listens there, or not yet: for UDP that is no end."""

    def pause_writing(self) -> None:
        self._is_full = True

    def resume_writing(self) -> None:
        self._is_full = False

    def _send(self, datagram: bytes) -> None:
        if not self._is_full:
            self._transport.sendto(datagram)
