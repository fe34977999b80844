"""Local connections joined to streams: from a socket, over a link, to a socket."""

from __future__ import annotations

import asyncio
import random
import socket

from genba_wire.aio.socket_joint import SocketJoint
from genba_wire.aio.stream import Stream
from genba_wire.tunnel.mux_frames import ResetCode
from tests.support.carriers import CEILING_S, read_raw, send_raw
from tests.support.links import Hosts, link_world


async def join(stream: Stream) -> socket.socket:
    """Join a stream to a socket; return its other end."""
    near, far = socket.socketpair()
    far.setblocking(False)
    await asyncio.get_running_loop().connect_accepted_socket(lambda: SocketJoint(stream), near)
    return far


async def test_sockets_at_both_ends_carry_bulk_both_ways() -> None:
    streams: asyncio.Queue[Stream] = asyncio.Queue()

    def serve(kind: str, head: bytes, stream: Stream) -> None:
        stream.accept()
        streams.put_nowait(stream)

    up, down = random.Random(1).randbytes(8 * 1024 * 1024), random.Random(2).randbytes(3 * 1024 * 1024)
    async with link_world(serve) as (world, _, _):
        client = await join(await world.session.open_stream("tcp"))
        agent = await join(await streams.get())
        async with asyncio.TaskGroup() as group:
            group.create_task(send_raw(client, up))
            group.create_task(send_raw(agent, down))
            at_agent = group.create_task(read_raw(agent, len(up)))
            at_client = group.create_task(read_raw(client, len(down)))
        assert (at_agent.result(), at_client.result()) == (up, down)
        client.shutdown(socket.SHUT_WR)
        assert await read_raw(agent, 1) == b""
        await send_raw(agent, b"still")
        agent.close()
        assert await read_raw(client, 6) == b"still"
        client.close()


async def test_reset_stream_drops_the_socket() -> None:
    hosts = Hosts()
    async with link_world(hosts.handle_stream) as (world, _, _):
        end = await join(await world.session.open_stream("tcp"))
        hosts.hearers[0].stream.reset(ResetCode.FAILED, "gone")
        assert await read_raw(end, 1) == b""
        end.close()


async def test_socket_that_breaks_resets_the_stream() -> None:
    hosts = Hosts()
    async with link_world(hosts.handle_stream) as (world, _, _):
        end = await join(await world.session.open_stream("tcp"))
        far = hosts.hearers[0]
        end.close()
        await far.until(lambda: "finished" in far.events)
        for _ in range(3):
            far.stream.write(b"to nobody")
        await far.until(lambda: bool(far.resets))
        assert far.resets[0][0] == ResetCode.FAILED


async def test_socket_that_reads_nothing_gets_no_more_credit() -> None:
    hosts = Hosts()
    async with link_world(hosts.handle_stream) as (world, _, _):
        end = await join(await world.session.open_stream("tcp"))
        stream = hosts.hearers[0].stream
        written = quiet_turns = 0
        while quiet_turns < 500:
            if stream.is_writable:
                stream.write(bytes(65_536))
                written += 65_536
                quiet_turns = 0
                assert written < 32 * 1024 * 1024, "a writer without bound"
            else:
                quiet_turns += 1
            await asyncio.sleep(0)
        async with asyncio.timeout(CEILING_S):
            assert len(await read_raw(end, written)) == written
        end.close()
