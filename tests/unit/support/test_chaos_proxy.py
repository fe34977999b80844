"""The proxy that breaks connections does so as told, and otherwise leaves every byte as it is."""

from __future__ import annotations

import asyncio
import hashlib
import os
import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from tests.support.agent_clock import FakeClock
from tests.support.chaos_proxy import ChaosProxy, Time, Way, chaos_proxy, proxy_thread

CEILING_S = 30.0

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass
class Target:
    """A server behind the proxy."""

    port: int
    accepted: asyncio.Queue[Ends] = field(default_factory=asyncio.Queue[Ends])


@asynccontextmanager
async def target() -> AsyncGenerator[Target]:
    here = Target(0)
    taken: list[asyncio.StreamWriter] = []

    def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken.append(writer)
        here.accepted.put_nowait((reader, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    here.port = server.sockets[0].getsockname()[1]
    try:
        yield here
    finally:
        server.close()
        for writer in taken:
            writer.transport.abort()


@asynccontextmanager
async def proxied(time: Time | None = None) -> AsyncGenerator[tuple[ChaosProxy, Target]]:
    async with asyncio.timeout(CEILING_S), target() as there, chaos_proxy(there.port, time=time) as proxy:
        yield proxy, there


@asynccontextmanager
async def connected(proxy: ChaosProxy, there: Target) -> AsyncGenerator[tuple[Ends, Ends]]:
    """Both ends of one connection."""
    near = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        yield near, await there.accepted.get()
    finally:
        near[1].transport.abort()


async def is_broken(reader: asyncio.StreamReader) -> bool:
    """Whether it was reset; what came before is read first."""
    try:
        await reader.read()
    except ConnectionError:
        return True
    return False


async def test_bytes_and_ends_pass_both_ways_and_are_counted() -> None:
    data = os.urandom(3_000_000)
    async with proxied() as (proxy, there), connected(proxy, there) as (near, far):

        async def send(writer: asyncio.StreamWriter) -> None:
            writer.write(data)
            writer.write_eof()
            await writer.drain()

        async with asyncio.TaskGroup() as group:
            group.create_task(send(near[1]))
            group.create_task(send(far[1]))
            arrived = [group.create_task(reader.read()) for reader in (far[0], near[0])]
        assert [hashlib.sha256(task.result()).digest() for task in arrived] == [hashlib.sha256(data).digest()] * 2
        assert (proxy.passed(Way.UP), proxy.passed(Way.DOWN)) == (len(data), len(data))
        await proxy.wait_for(lambda: proxy.open_lines == 0)
        assert (proxy.connected, proxy.passed(Way.UP)) == (1, len(data))


async def test_the_end_of_one_way_leaves_the_other() -> None:
    async with proxied() as (proxy, there), connected(proxy, there) as (near, far):
        near[1].write_eof()
        assert await far[0].read() == b""
        far[1].write(b"still")
        assert await near[0].readexactly(5) == b"still"


async def test_a_delay_holds_back_one_way_and_keeps_the_order() -> None:
    clock = FakeClock()
    async with proxied(Time(clock.monotonic, clock.sleep)) as (proxy, there), connected(proxy, there) as (near, far):
        proxy.set_delay(0.1, Way.UP)
        near[1].write(b"one")
        await clock.wait_for_sleep(0.1)
        far[1].write(b"answer")
        assert await near[0].readexactly(6) == b"answer"
        near[1].write(b"two")
        assert proxy.passed(Way.UP) == 0
        clock.advance(0.1)
        assert await far[0].readexactly(3) == b"one"
        await clock.wait_for_sleep(0.1)
        clock.advance(0.1)
        assert await far[0].readexactly(3) == b"two"


async def test_a_rate_lets_a_piece_pass_at_a_time() -> None:
    clock = FakeClock()
    async with proxied(Time(clock.monotonic, clock.sleep)) as (proxy, there), connected(proxy, there) as (near, far):
        proxy.set_rate(1000, Way.DOWN)
        far[1].write(bytes(1000))
        await near[0].readexactly(1000)
        await clock.wait_for_sleep(1.0)
        far[1].write(bytes(500))
        assert proxy.passed(Way.DOWN) == 1000
        clock.advance(1.0)
        await near[0].readexactly(500)
        await clock.wait_for_sleep(0.5)


async def test_what_waited_while_nothing_passed_arrives_late() -> None:
    async with proxied() as (proxy, there), connected(proxy, there) as (near, far):
        proxy.stop(Way.UP)
        near[1].write(b"late")
        near[1].write_eof()
        far[1].write(b"down")
        assert await near[0].readexactly(4) == b"down"
        assert proxy.passed(Way.UP) == 0
        proxy.heal()
        assert await far[0].read() == b"late"


async def test_a_forgotten_connection_stays_silent_and_a_later_one_works() -> None:
    async with proxied() as (proxy, there), connected(proxy, there) as (near, far):
        proxy.stop()
        far[1].transport.abort()
        near[1].write(b"lost")
        proxy.heal(forgets=True)
        assert proxy.open_lines == 0
        async with connected(proxy, there) as (later, later_far):
            later[1].write(b"works")
            assert await later_far[0].readexactly(5) == b"works"
        # Neither the bytes nor the end of the first one got through.
        assert proxy.passed(Way.UP) == 5
        assert not near[0].at_eof()


async def test_a_connection_made_while_nothing_passes_hangs_until_then() -> None:
    async with proxied() as (proxy, there):
        proxy.stop()
        near = await asyncio.open_connection("127.0.0.1", proxy.port)
        near[1].write(b"hello")
        await proxy.wait_for(lambda: proxy.connected == 1)
        assert there.accepted.empty()
        proxy.heal()
        far = await there.accepted.get()
        assert await far[0].readexactly(5) == b"hello"
        near[1].transport.abort()


async def test_a_connection_made_while_nothing_passes_is_refused_if_so_chosen() -> None:
    async with proxied() as (proxy, there):
        proxy.stop(refuses=True)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", proxy.port)
        proxy.heal()
        async with connected(proxy, there) as (near, far):
            near[1].write(b"hello")
            assert await far[0].readexactly(5) == b"hello"


async def test_half_closing_ends_one_way_of_all_connections() -> None:
    async with proxied() as (proxy, there), connected(proxy, there) as (near, far):
        proxy.half_close(Way.DOWN)
        assert await near[0].read() == b""
        far[1].write(b"dropped")
        near[1].write(b"up")
        assert await far[0].readexactly(2) == b"up"
        assert proxy.passed(Way.DOWN) == 0


async def test_a_cut_resets_both_ends() -> None:
    async with proxied() as (proxy, there), connected(proxy, there) as (near, far):
        near[1].write(b"seen")
        assert await far[0].readexactly(4) == b"seen"
        assert proxy.cut() == 1
        assert await is_broken(near[0])
        assert await is_broken(far[0])


async def test_the_end_by_force_is_handed_on() -> None:
    async with proxied() as (proxy, there), connected(proxy, there) as (near, far):
        # What it has not read makes its kernel reset the connection.
        near[1].write(bytes(1_000_000))
        await proxy.wait_for(lambda: proxy.connected == 1)
        await far[0].readexactly(1)
        far[1].transport.abort()
        assert await is_broken(near[0])


@pytest.mark.parametrize("way", list(Way))
async def test_a_connection_is_reset_at_the_chosen_byte(way: Way) -> None:
    async with proxied() as (proxy, there):
        proxy.reset_later(lambda: 100_001, way)
        async with connected(proxy, there) as (near, far):
            sender, receiver = (near, far) if way is Way.UP else (far, near)
            sender[1].write(bytes(200_000))
            assert await is_broken(receiver[0])
            assert await is_broken(sender[0])
        await proxy.wait_for(lambda: proxy.open_lines == 0)
        assert proxy.passed(way) == 100_001
        proxy.reset_later(None)
        async with connected(proxy, there) as (near, far):
            near[1].write(bytes(200_000))
            await far[0].readexactly(200_000)


async def break_at_random() -> int:
    async with proxied() as (proxy, there):
        proxy.reset_at_random(1000, 100_000, seed=4)
        async with connected(proxy, there) as (near, far):
            near[1].write(bytes(100_000))
            assert await is_broken(far[0])
        await proxy.wait_for(lambda: proxy.open_lines == 0)
        return proxy.passed(Way.UP)


async def test_random_bytes_of_resets_repeat_with_their_seed() -> None:
    broken_at = await break_at_random()
    assert 1000 <= broken_at <= 100_000
    assert await break_at_random() == broken_at


async def test_a_target_that_is_away_resets_whoever_connects() -> None:
    async with proxied() as (proxy, _), chaos_proxy(proxy.port) as outer:
        proxy.stop(refuses=True)
        reader, writer = await asyncio.open_connection("127.0.0.1", outer.port)
        assert await is_broken(reader)
        writer.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8 without set-up")
async def test_later_connections_come_from_the_chosen_address() -> None:
    async with proxied() as (proxy, there):
        async with connected(proxy, there) as (_, far):
            assert far[1].get_extra_info("peername")[0] == "127.0.0.1"
        proxy.source = "127.0.0.7"
        near = await asyncio.open_connection("127.0.0.1", proxy.port)
        try:
            async with asyncio.timeout(CEILING_S):
                far = await there.accepted.get()
            assert far[1].get_extra_info("peername")[0] == "127.0.0.7"
        finally:
            near[1].transport.abort()


async def test_it_runs_in_a_thread_of_its_own() -> None:
    async with asyncio.timeout(CEILING_S), target() as there:

        def begin_and_cut() -> int:
            with (
                proxy_thread(there.port) as proxy,
                socket.create_connection(("127.0.0.1", proxy.port)) as connection,
            ):
                connection.sendall(b"hello")
                proxy.wait(lambda inside: inside.wait_for(lambda: inside.passed(Way.UP) == 5))
                return proxy.call(lambda inside: inside.cut())

        assert await asyncio.to_thread(begin_and_cut) == 1
        far = await there.accepted.get()
        assert await is_broken(far[0])
