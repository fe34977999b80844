"""Several links to an agent: bulky streams have theirs to themselves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from genba_ide_bridge.sessions.agent_link import SessionOver
from genba_ide_bridge.sessions.tunnels import BULKY_BYTES, MAX_LINKS, Tunnels
from genba_wire.aio.stream import Stream
from genba_wire.errors import StreamRefused
from genba_wire.tunnel.mux_frames import ResetCode
from genba_wire.tunnel.streams import SPEED, SpeedOpen, encode
from tests.support.links import StreamHearer
from tests.support.tunnel_stage import TunnelStage, tunnel_stage
from tests.support.waiting import turned_until

ECHO, SINK = encode(SpeedOpen(direction="echo")), encode(SpeedOpen(direction="up"))
CHUNK = bytes(64 * 1024)


@asynccontextmanager
async def tunnels_of(stage: TunnelStage) -> AsyncGenerator[Tunnels]:
    tunnels = Tunnels(stage.client, stage.address, on_outage=stage.note_outage, on_way=stage.note_way)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(tunnels.run())
        yield tunnels
        running.cancel()


async def carry(stream: Stream, size: int) -> None:
    """Send so much."""
    hearer = StreamHearer(stream)
    while stream.carried_bytes < size:
        stream.write(CHUNK[: size - stream.carried_bytes - stream.waiting_bytes])
        await turned_until(lambda: not stream.waiting_bytes)
    assert not hearer.resets


async def test_streams_share_a_link_until_one_has_carried_more_than_the_limit() -> None:
    async with tunnel_stage() as stage, tunnels_of(stage) as tunnels:
        first = await tunnels.open_stream(SPEED, SINK)
        await carry(first, BULKY_BYTES)
        await tunnels.open_stream(SPEED, ECHO)
        assert tunnels.links == 1
        first.write(b"x")
        await turned_until(lambda: first.carried_bytes > BULKY_BYTES)
        await tunnels.open_stream(SPEED, ECHO)
        await tunnels.open_stream(SPEED, ECHO)
        assert tunnels.links == 2


async def test_link_of_a_stream_that_is_over_is_used_again_and_a_further_one_ends() -> None:
    async with tunnel_stage() as stage, tunnels_of(stage) as tunnels:
        bulky = await tunnels.open_stream(SPEED, SINK)
        await carry(bulky, BULKY_BYTES + 1)
        other = await tunnels.open_stream(SPEED, ECHO)
        bulky.reset(ResetCode.CANCELLED, "")
        await tunnels.open_stream(SPEED, ECHO)
        assert tunnels.links == 2
        other.reset(ResetCode.CANCELLED, "")
        await tunnels.open_stream(SPEED, ECHO)
        assert tunnels.links == 1


async def test_there_are_only_so_many_links() -> None:
    async with tunnel_stage() as stage, tunnels_of(stage) as tunnels:
        for _ in range(MAX_LINKS + 1):
            await carry(await tunnels.open_stream(SPEED, SINK), BULKY_BYTES + 1)
        assert tunnels.links == MAX_LINKS


async def test_refusals_and_the_end_of_the_way_are_told() -> None:
    async with tunnel_stage() as stage:
        async with tunnels_of(stage) as tunnels:
            with pytest.raises(StreamRefused):
                await tunnels.open_stream("later", b"{}")
        with pytest.raises(SessionOver):
            await tunnels.open_stream(SPEED, ECHO)
