from __future__ import annotations

import pytest

from genba_agent.carriers.speed import CHUNK, handle_speed_stream
from genba_wire.errors import StreamRefused
from genba_wire.tunnel.mux_frames import ResetCode
from genba_wire.tunnel.streams import COUNT_BYTES, SPEED, SpeedOpen, encode
from tests.support.links import StreamHearer, link_world

MIB = 1024 * 1024


async def test_going_down_the_agent_sends_until_the_client_is_done() -> None:
    async with link_world(handle_speed_stream) as (world, _, _):
        near = StreamHearer(await world.session.open_stream(SPEED, encode(SpeedOpen(direction="down"))))
        await near.until(lambda: near.received > 8 * MIB)
        near.stream.finish()
        await near.wait_finished()


async def test_client_that_gives_no_credit_gets_a_window_only() -> None:
    async with link_world(handle_speed_stream) as (world, _, _):
        head = encode(SpeedOpen(direction="down"))
        near = StreamHearer(await world.session.open_stream(SPEED, head), gives_credit=False)
        await near.until(lambda: near.received >= 4 * len(CHUNK))
        assert near.received <= 4 * len(CHUNK)
        near.stream.reset(ResetCode.CANCELLED, "")


async def test_going_up_the_agent_counts_what_came() -> None:
    async with link_world(handle_speed_stream) as (world, _, _):
        near = StreamHearer(await world.session.open_stream(SPEED, encode(SpeedOpen(direction="up"))))
        near.stream.write(bytes(200_000))
        near.stream.finish()
        await near.wait_finished()
        counts = [int.from_bytes(near.data[at : at + COUNT_BYTES], "big") for at in range(0, len(near.data), 8)]
        assert counts == sorted(counts)
        assert counts[-1] == 200_000


async def test_echo_sends_back_what_came() -> None:
    async with link_world(handle_speed_stream) as (world, _, _):
        near = StreamHearer(await world.session.open_stream(SPEED, encode(SpeedOpen(direction="echo"))))
        near.stream.write(b"there and back")
        await near.until(lambda: near.data == b"there and back")
        near.stream.write(bytes(2 * MIB))
        await near.until(lambda: near.received == 2 * MIB + 14)
        near.stream.finish()
        await near.wait_finished()


async def test_direction_that_is_none_refuses_the_stream() -> None:
    async with link_world(handle_speed_stream) as (world, _, _):
        with pytest.raises(StreamRefused) as refused:
            await world.session.open_stream(SPEED, b'{"direction":"sideways"}')
        assert refused.value.code == ResetCode.PROTOCOL
