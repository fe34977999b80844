from __future__ import annotations

import asyncio

from genba_agent.clock import SystemClock, wait_for_all, wait_for_first
from tests.support.agent_clock import FakeClock


async def test_wait_for_first_returns_at_the_first_event() -> None:
    one, two = asyncio.Event(), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(wait_for_first([one, two], FakeClock()))
        two.set()
        assert await waiting


async def test_wait_for_first_gives_up_at_the_timeout() -> None:
    clock = FakeClock()
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(wait_for_first([asyncio.Event()], clock, 5))
        await clock.wait_for_sleep(5)
        clock.advance(4.9)
        assert not waiting.done()
        clock.advance(0.1)
        assert not await waiting


async def test_wait_for_all_shares_one_deadline() -> None:
    clock = FakeClock()
    one, two = asyncio.Event(), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(wait_for_all([one, two], clock, 10))
        await clock.wait_for_sleep(10)
        clock.advance(6)
        one.set()
        await clock.wait_for_sleep(4)
        clock.advance(4)
        assert not await waiting


async def test_system_clock_tells_aware_times_and_sleeps() -> None:
    clock = SystemClock()
    before = clock.monotonic()
    await clock.sleep(0)
    assert clock.monotonic() >= before
    assert clock.now().utcoffset() is not None
