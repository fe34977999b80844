from __future__ import annotations

import asyncio
import socket

from genba_gateway.services.heartbeats import SILENT, wait_for_silence
from genba_wire.aio.websocket_carrier import WebSocketCarrier
from tests.support.agent_clock import FakeClock
from tests.support.carriers import Hearer, raw_peer, read_raw, send_raw
from tests.support.raw_websocket import make_frame
from tests.support.waiting import turned_until

PING = b"\x89\x00"
PONG = make_frame(b"", opcode=10)


async def tick(clock: FakeClock) -> None:
    await clock.wait_for_sleep(15.0)
    clock.advance(15.0)


async def answer(carrier: WebSocketCarrier, peer: socket.socket) -> None:
    before = carrier.received_bytes
    await send_raw(peer, PONG)
    await turned_until(lambda: carrier.received_bytes > before)


async def take_some(carrier: WebSocketCarrier, peer: socket.socket) -> None:
    before = carrier.drained_bytes
    await read_raw(peer, 512 * 1024)
    await turned_until(lambda: carrier.drained_bytes > before)


async def test_a_peer_is_pinged_every_15_seconds_and_kept_while_it_answers() -> None:
    clock = FakeClock()
    async with raw_peer(is_server=True) as (carrier, peer), asyncio.TaskGroup() as tasks:
        carrier.start(Hearer())
        watching = tasks.create_task(wait_for_silence(carrier, clock))
        for _ in range(5):
            await tick(clock)
            assert await read_raw(peer, 2) == PING
            await answer(carrier, peer)
        assert not watching.done()
        watching.cancel()


async def test_a_peer_that_says_nothing_for_30_seconds_is_given_up() -> None:
    clock = FakeClock()
    async with raw_peer(is_server=True) as (carrier, _), asyncio.TaskGroup() as tasks:
        carrier.start(Hearer())
        watching = tasks.create_task(wait_for_silence(carrier, clock))
        await tick(clock)
        await clock.wait_for_sleep(15.0)
        clock.advance(14.9)
        await asyncio.sleep(0)
        assert not watching.done()
        clock.advance(0.1)
        assert await watching == SILENT


async def test_a_peer_that_is_not_read_is_not_judged() -> None:
    clock = FakeClock()
    async with raw_peer(is_server=True) as (carrier, _), asyncio.TaskGroup() as tasks:
        carrier.start(Hearer())
        carrier.pause_reading()
        watching = tasks.create_task(wait_for_silence(carrier, clock))
        for _ in range(4):
            await tick(clock)
        await clock.wait_for_sleep(15.0)
        assert not watching.done()
        watching.cancel()


async def test_a_slow_peer_is_kept_as_long_as_it_takes_what_waits_for_it() -> None:
    clock = FakeClock()
    async with raw_peer(is_server=True) as (carrier, peer), asyncio.TaskGroup() as tasks:
        carrier.start(Hearer())
        carrier.send(bytes(8 * 1024 * 1024))
        watching = tasks.create_task(wait_for_silence(carrier, clock))
        for _ in range(5):
            await clock.wait_for_sleep(15.0)
            await take_some(carrier, peer)
            clock.advance(15.0)
        await clock.wait_for_sleep(15.0)
        assert carrier.is_sending_paused
        assert not watching.done()
        clock.advance(15.0)
        await tick(clock)
        assert await watching == SILENT
