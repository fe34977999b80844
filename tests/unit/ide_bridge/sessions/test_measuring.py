from __future__ import annotations

import asyncio

import pytest

from genba_agent.carriers.speed import handle_speed_stream
from genba_ide_bridge.sessions import measuring
from genba_ide_bridge.sessions.measuring import EchoLine, Throughput, measure_throughput
from genba_wire.aio.stream import Stream
from genba_wire.errors import StreamRefused
from genba_wire.tunnel.streams import SPEED, SpeedOpen, encode
from tests.support.links import Hosts, link_world


async def test_echo_is_timed() -> None:
    async with link_world(handle_speed_stream) as (world, _, _):
        line = EchoLine(await world.session.open_stream(SPEED, encode(SpeedOpen(direction="echo"))))
        assert await line.ask() > 0
        assert await line.ask() > 0


async def test_answer_that_comes_late_is_not_taken_for_the_next() -> None:
    far: list[Stream] = []

    def accept(kind: str, head: bytes, stream: Stream) -> None:
        stream.accept()
        far.append(stream)

    async with link_world(accept) as (world, _, _):
        line = EchoLine(await world.session.open_stream(SPEED, b""))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await line.ask()
        first, second = (number.to_bytes(8, "big") for number in (1, 2))
        far[0].write(first + second)
        assert await line.ask() >= 0
        far[0].finish()
        with pytest.raises(StreamRefused):
            await line.ask()


@pytest.mark.parametrize("direction", ["up", "down"])
async def test_throughput_is_measured_in_intervals(direction: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "INTERVAL_S", 0.25)
    async with link_world(handle_speed_stream) as (world, _, _):
        stream = await world.session.open_stream(SPEED, f'{{"direction":"{direction}"}}'.encode())
        told: list[Throughput] = []
        whole = await measure_throughput(stream, is_up=direction == "up", duration_s=0.6, on_interval=told.append)
        assert len(told) > 1
        assert whole.size_bytes == sum(each.size_bytes for each in told) > 0
        assert (told[0].start_s, told[-1].end_s) == (0.0, whole.end_s)
        assert stream.is_over


async def test_stream_that_ends_ends_the_measurement() -> None:
    hosts = Hosts()
    async with link_world(hosts.handle_stream) as (world, _, _):
        stream = await world.session.open_stream(SPEED, b"")
        hosts.hearers[0].stream.reset(4, "the agent was killed")
        with pytest.raises(StreamRefused, match="the agent was killed"):
            await measure_throughput(stream, is_up=False, duration_s=60, on_interval=lambda told: None)


def test_mbits_are_millions_of_bits_a_second() -> None:
    assert Throughput(1.0, 3.0, 1_000_000).mbits == 4.0
    assert Throughput(1.0, 1.0, 1).mbits == 0.0
