"""Memory goes round, and never while somebody looks at it."""

from __future__ import annotations

import asyncio
import gc
import random
import weakref

from genba_wire.aio.memory_pool import Memory, MemoryPool
from genba_wire.aio.receive_buffer import BULK_BYTES, receive_pool_of_loop


async def test_what_somebody_keeps_is_passed_over() -> None:
    pool = MemoryPool(100, 4)
    first, second = pool.get(), pool.get()
    kept = memoryview(first)[10:20]
    pool.give(first)
    pool.give(second)
    assert pool.get() is not first  # made anew: the first in line is kept
    assert pool.get() is second
    kept.release()
    assert pool.get() is first


async def test_no_more_is_kept_than_it_may() -> None:
    pool = MemoryPool(100, 2)
    for _ in range(5):
        pool.give(Memory(100))
    assert pool.spare_bytes == 200


async def test_nothing_that_is_viewed_is_ever_handed_out() -> None:
    chance = random.Random(11)
    pool = MemoryPool(64, 8)
    views: list[tuple[memoryview, int]] = []
    for number in range(5000):
        memory = pool.get()
        memory[:] = bytes([number % 256]) * 64
        if chance.random() < 0.7:
            views.append((memoryview(memory), number % 256))
        pool.give(memory)
        while len(views) > chance.randint(0, 12):
            views.pop(chance.randrange(len(views)))
        assert all(view[0] == view[63] == value for view, value in views)


def test_memory_of_a_loop_goes_with_it() -> None:
    async def use() -> weakref.ref[Memory]:
        memory = Memory(BULK_BYTES)
        receive_pool_of_loop().give(memory)
        return weakref.ref(memory)

    memory = asyncio.run(use())
    gc.collect()
    assert memory() is None
