from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from genba_agent.ssh.transport import StreamTransport
from genba_wire.aio.stream import WRITABLE_BELOW_BYTES, Stream
from genba_wire.tunnel.mux_frames import ResetCode
from tests.support.links import StreamHearer, link_world
from tests.support.waiting import turned_until


class Heard(asyncio.Protocol):
    """A protocol that notes what it is called with."""

    def __init__(self) -> None:
        self.data = b""
        self.events: list[str] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.events.append("made")

    def data_received(self, data: bytes) -> None:
        self.data += data

    def eof_received(self) -> bool:
        self.events.append("eof")
        return False

    def pause_writing(self) -> None:
        self.events.append("pause")

    def resume_writing(self) -> None:
        self.events.append("resume")

    def connection_lost(self, exc: Exception | None) -> None:
        self.events.append(f"lost {exc}")


class Joined:
    """A client's stream, and a protocol on a transport at the agent's end of it."""

    def __init__(self) -> None:
        self.protocol = Heard()
        self.transport: StreamTransport
        self.client: StreamHearer

    def serve(self, kind: str, head: bytes, stream: Stream) -> None:
        stream.accept()
        self.transport = StreamTransport(stream, self.protocol)
        self.transport.start()


@asynccontextmanager
async def joined(*, gives_credit: bool = True) -> AsyncGenerator[Joined]:
    world = Joined()
    async with link_world(world.serve) as (links, _, _):
        stream = await links.session.open_stream("ssh", b"{}")
        world.client = StreamHearer(stream, gives_credit=gives_credit)
        yield world


async def test_bytes_pass_both_ways_and_credit_follows_what_was_taken() -> None:
    async with joined() as world:
        data = bytes(3_000_000)  # more than any window at the beginning
        world.client.stream.write(data)
        world.transport.write(b"hello ")
        world.transport.writelines([b"to", b" you"])
        await world.client.until(lambda: world.client.data == b"hello to you")
        await turned_until(lambda: len(world.protocol.data) == len(data))


async def test_protocol_is_paused_while_the_stream_is_full() -> None:
    async with joined(gives_credit=False) as world:
        size = 3 * WRITABLE_BELOW_BYTES
        world.transport.write(bytes(size))
        assert world.protocol.events == ["made", "pause"]
        assert world.transport.get_write_buffer_size() == size
        await world.client.until(lambda: world.client.received > 0)
        assert world.protocol.events == ["made", "pause"]
        world.client.gives_credit = True
        world.client.stream.consumed(world.client.received)
        await world.client.until(lambda: world.client.received == size)
        assert world.protocol.events == ["made", "pause", "resume"]


async def test_clients_end_of_data_ends_the_connection() -> None:
    async with joined() as world:
        world.client.stream.finish()
        await world.client.wait_finished()
        assert world.protocol.events == ["made", "eof", "lost None"]
        assert world.transport.is_closing()


async def test_abort_still_sends_what_was_written() -> None:
    async with joined() as world:
        world.transport.write(b"the reason")
        world.transport.abort()
        world.transport.write(b"nothing more")
        await world.client.wait_finished()
        assert world.client.data == b"the reason"
        # What a client sends meanwhile is taken and dropped.
        world.client.stream.write(bytes(1_000_000))
        world.client.stream.finish()
        await turned_until(lambda: world.client.stream.is_over)
        assert world.protocol.data == b""
        assert world.protocol.events == ["made", "lost None"]


async def test_reset_stream_is_a_lost_connection() -> None:
    async with joined() as world:
        world.client.stream.reset(ResetCode.CANCELLED, "gone")
        await turned_until(lambda: len(world.protocol.events) == 2)
        assert world.protocol.events == ["made", "lost gone"]
        world.transport.close()
        assert world.protocol.events == ["made", "lost gone"]
