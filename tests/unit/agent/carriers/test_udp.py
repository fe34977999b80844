"""Streams of datagrams: through a real link, to a real socket."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import cast

import pytest

from genba_agent.carriers.udp import UdpStreams
from genba_wire.aio.datagram_joint import DatagramJoint
from genba_wire.aio.link_session import LinkSession
from genba_wire.errors import StreamRefused
from genba_wire.tunnel.datagrams import frame_datagram
from genba_wire.tunnel.mux_frames import ResetCode
from genba_wire.tunnel.streams import UDP, UdpOpen, encode
from tests.support.carriers import CEILING_S
from tests.support.links import StreamHearer, link_world


class EchoServer(asyncio.DatagramProtocol):
    """Answers each datagram with itself in upper case."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)
        self.callers: set[object] = set()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.callers.add(addr)
        self.transport.sendto(data.upper(), addr)


@asynccontextmanager
async def udp_world() -> AsyncGenerator[tuple[LinkSession, EchoServer, bytes]]:
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(EchoServer, local_addr=("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    async with asyncio.TaskGroup() as group, link_world(UdpStreams(group).handle_stream) as (world, _, _):
        yield world.session, server, encode(UdpOpen(host="127.0.0.1", port=port))
    transport.close()


class Datagrams:
    """A client's end."""

    def __init__(self) -> None:
        self.got: asyncio.Queue[bytes] = asyncio.Queue()
        self.is_over = asyncio.Event()


async def test_datagrams_keep_their_edges_and_each_stream_its_socket() -> None:
    async with udp_world() as (session, server, head), asyncio.timeout(CEILING_S):
        ends = [Datagrams(), Datagrams()]
        joints = [
            DatagramJoint(await session.open_stream(UDP, head), end.got.put_nowait, on_over=end.is_over.set)
            for end in ends
        ]
        for joint, end, text in zip(joints, ends, (b"one", b"two"), strict=True):
            joint.send(text)
            assert await end.got.get() == text.upper()
            joint.send(bytes(60_000))
            assert await end.got.get() == bytes(60_000)
        assert len(server.callers) == 2
        for joint, end in zip(joints, ends, strict=True):
            joint.close()
            await end.is_over.wait()


async def test_address_where_nobody_listens_does_not_end_the_stream() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        free: int = taken.getsockname()[1]
    async with udp_world() as (session, server, _):
        near = StreamHearer(await session.open_stream(UDP, encode(UdpOpen(host="127.0.0.1", port=free))))
        near.stream.write(frame_datagram(b"anybody?"))
        # Another stream's answer shows that the refusal of the first came and went.
        port = server.transport.get_extra_info("sockname")[1]
        other = StreamHearer(await session.open_stream(UDP, encode(UdpOpen(host="127.0.0.1", port=port))))
        other.stream.write(frame_datagram(b"x"))
        await other.until(lambda: other.data == frame_datagram(b"X"))
        assert (near.resets, near.stream.is_over) == ([], False)


async def test_name_that_does_not_exist_refuses_the_stream() -> None:
    async with udp_world() as (session, _, _):
        with pytest.raises(StreamRefused, match="Can't send to") as refused:
            await session.open_stream(UDP, encode(UdpOpen(host="a" * 300, port=1)))
        assert refused.value.code == ResetCode.FAILED
        with pytest.raises(StreamRefused) as refused:
            await session.open_stream(UDP, b"{}")
        assert refused.value.code == ResetCode.PROTOCOL
