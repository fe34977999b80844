"""The awaitable face of a stream, over a real link."""

from __future__ import annotations

import asyncio

import pytest

from genba_wire.aio.stream import MAX_EARLY_NOTES, Stream
from genba_wire.aio.stream_channel import MAX_NOTES, StreamChannel
from genba_wire.errors import StreamRefused
from genba_wire.tunnel.frames import CloseCode
from genba_wire.tunnel.mux import MAX_WINDOW
from genba_wire.tunnel.mux_frames import ResetCode
from tests.support.carriers import CEILING_S
from tests.support.links import Hosts, LinkWorld, link_world


class Channels:
    """A handler that makes a channel of every stream."""

    def __init__(self) -> None:
        self.opened: asyncio.Queue[StreamChannel] = asyncio.Queue()

    def handle_stream(self, kind: str, head: bytes, stream: Stream) -> None:
        stream.accept()
        self.opened.put_nowait(StreamChannel(stream))


async def open_pair(world: LinkWorld, far: Channels) -> tuple[StreamChannel, StreamChannel]:
    near = StreamChannel(await world.session.open_stream("test"))
    async with asyncio.timeout(CEILING_S):
        return near, await far.opened.get()


async def read_all(channel: StreamChannel) -> bytes:
    data = b""
    async with asyncio.timeout(CEILING_S):
        while more := await channel.read():
            data += more
    return data


async def test_data_and_notes_until_the_end() -> None:
    channels = Channels()
    async with link_world(channels.handle_stream) as (world, _, _):
        near, far = await open_pair(world, channels)
        await near.write(b"one ")
        near.note(b"a note")
        await near.write(b"two")
        near.finish()
        assert await read_all(far) == b"one two"
        assert (await far.next_note(), await far.next_note()) == (b"a note", None)
        await far.write(b"answer")
        far.finish()
        assert await read_all(near) == b"answer"


async def test_data_before_the_first_read_is_kept() -> None:
    channels = Channels()

    def greet(kind: str, head: bytes, stream: Stream) -> None:
        channels.handle_stream(kind, head, stream)
        stream.write(b"welcome")
        stream.note(b"early")

    async with link_world(greet) as (world, _, _):
        near, _ = await open_pair(world, channels)
        assert await near.read() == b"welcome"
        assert await near.next_note() == b"early"


async def test_writer_waits_for_a_reader_that_does_not_read() -> None:
    channels = Channels()
    async with link_world(channels.handle_stream) as (world, _, _):
        near, far = await open_pair(world, channels)
        written = 0
        data = bytes(2 * MAX_WINDOW)

        async def write() -> None:
            nonlocal written
            for at in range(0, len(data), 65_536):
                await near.write(data[at : at + 65_536])
                written += 65_536
            near.finish()

        async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as group:
            group.create_task(write())
            for _ in range(200):
                await asyncio.sleep(0)
            assert 0 < written < MAX_WINDOW
            assert await read_all(far) == data


async def test_reset_wakes_reader_and_writer_with_its_reason() -> None:
    channels = Channels()
    async with link_world(channels.handle_stream) as (world, _, _):
        near, far = await open_pair(world, channels)
        far.close("enough")
        for waiting in (near.read, near.next_note):
            with pytest.raises(StreamRefused, match="enough") as broken:
                await waiting()
            assert broken.value.code == ResetCode.CANCELLED
        with pytest.raises(StreamRefused, match="enough"):
            await near.write(b"x")
        with pytest.raises(StreamRefused, match="enough"):
            await far.read()


async def test_what_came_before_a_reset_can_be_read() -> None:
    channels = Channels()
    async with link_world(channels.handle_stream) as (world, _, _):
        near, far = await open_pair(world, channels)
        await near.write(b"last words")
        async with asyncio.timeout(CEILING_S):
            assert await far.read() == b"last words"
        world.session.close(CloseCode.NORMAL, "gone")
        with pytest.raises(StreamRefused, match="gone") as broken:
            await far.read()
        assert broken.value.code == ResetCode.LINK_LOST


async def test_peer_that_sends_notes_which_nobody_reads_loses_its_stream() -> None:
    hosts = Hosts()
    async with link_world(hosts.handle_stream) as (world, _, _):
        heard = StreamChannel(await world.session.open_stream("pty"))
        unheard = await world.session.open_stream("pty")
        fine = StreamChannel(await world.session.open_stream("pty"))
        for far, count in zip(hosts.hearers, (MAX_NOTES + 1, MAX_EARLY_NOTES + 1, MAX_NOTES), strict=True):
            for _ in range(count):
                far.stream.note(b"a note")
        for far in hosts.hearers[:2]:
            await far.until(lambda far=far: bool(far.resets))  # type: ignore[misc]
        with pytest.raises(StreamRefused, match="notes that nobody read"):
            await heard.read()
        with pytest.raises(StreamRefused, match="before anybody listened"):
            await StreamChannel(unheard).read()
        assert await fine.next_note() == b"a note"
