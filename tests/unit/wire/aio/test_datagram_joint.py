from __future__ import annotations

from functools import partial

from genba_wire.aio.datagram_joint import DatagramJoint
from genba_wire.aio.stream import WRITABLE_BELOW_BYTES
from genba_wire.tunnel.datagrams import frame_datagram
from genba_wire.tunnel.mux_frames import ResetCode
from tests.support.links import Hosts, link_world


async def test_datagram_without_room_is_dropped() -> None:
    hosts = Hosts(gives_credit=False)
    async with link_world(hosts.handle_stream) as (world, _, _):
        stream = await world.session.open_stream("udp", b"")
        joint = DatagramJoint(stream, lambda datagram: None, on_over=lambda: None)
        for _ in range(2000):
            joint.send(bytes(1000))
        # One frame may lie over the mark, none after it.
        assert 0 < stream.waiting_bytes <= WRITABLE_BELOW_BYTES + 1002


async def test_datagram_during_an_outage_is_dropped() -> None:
    hosts = Hosts()
    async with link_world(hosts.handle_stream) as (world, _, server):
        stream = await world.session.open_stream("udp", b"")
        joint = DatagramJoint(stream, lambda datagram: None, on_over=lambda: None)
        server.abort()
        await world.wait_lost()
        joint.send(b"too late to be of use")
        assert stream.waiting_bytes == 0


async def test_end_is_told_once_whichever_way() -> None:
    hosts = Hosts()
    over: list[str] = []
    async with link_world(hosts.handle_stream) as (world, _, _):
        got: list[bytes] = []
        for number, name in enumerate(["finished", "reset"]):
            stream = await world.session.open_stream("udp", b"")
            DatagramJoint(stream, got.append, on_over=partial(over.append, name))
            far = hosts.hearers[number].stream
            far.write(frame_datagram(b"for " + name.encode()))
            if name == "reset":
                far.reset(ResetCode.FAILED, "gone")
            else:
                far.finish()
                await hosts.hearers[number].wait_finished()
        stream = await world.session.open_stream("udp", b"")
        assert over == ["finished", "reset"]
        assert got[0] == b"for finished"
