"""Memory for reads: used again unless somebody keeps a view."""

from __future__ import annotations

import asyncio
from collections import deque

import pytest

from genba_wire.aio import memory_pool
from genba_wire.aio.read_memory import COPY_BELOW_BYTES, READ_BYTES, ReadMemory, memory_of_loop


def read(memory: ReadMemory, byte: int, size: int) -> memoryview | bytes:
    room = memory.get_room()
    assert len(room) == READ_BYTES
    room[:size] = bytes([byte]) * size
    room.release()
    return memory.take(size)


async def test_what_is_kept_stays_as_it_was() -> None:
    memory = ReadMemory()
    kept = [read(memory, number, size) for number, size in enumerate((COPY_BELOW_BYTES, 5, READ_BYTES, 1))]
    sizes = (COPY_BELOW_BYTES, 5, READ_BYTES, 1)
    assert [bytes(data) for data in kept] == [bytes([number]) * size for number, size in enumerate(sizes)]


def test_little_that_is_kept_does_not_keep_the_memory() -> None:
    memory = ReadMemory()
    assert isinstance(read(memory, 1, COPY_BELOW_BYTES - 1), bytes)
    assert isinstance(read(memory, 1, COPY_BELOW_BYTES), memoryview)


def test_memory_is_used_again_when_nothing_is_kept() -> None:
    memory = ReadMemory()
    first = read(memory, 1, READ_BYTES)
    assert isinstance(first, memoryview)
    place = first.obj
    del first
    second = read(memory, 2, READ_BYTES)
    assert isinstance(second, memoryview)
    assert second.obj is place


async def test_memory_goes_round_while_what_was_read_is_kept_for_a_while() -> None:
    memory = ReadMemory()
    kept: deque[memoryview] = deque()
    places: dict[int, object] = {}
    for number in range(40):
        view = read(memory, number, READ_BYTES)
        assert isinstance(view, memoryview)
        places[id(view.obj)] = view.obj
        kept.append(view)
        if len(kept) > 4:
            kept.popleft()
    assert len(places) <= 7


async def test_spare_memory_is_let_go_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_pool, "SPARE_KEPT_S", 0.0)
    memory = ReadMemory()
    kept = read(memory, 1, READ_BYTES)
    read(memory, 2, 1)
    assert memory.spare_bytes == READ_BYTES
    await asyncio.sleep(0.01)
    assert memory.spare_bytes == 0
    assert kept[0] == 1


async def test_loop_has_one() -> None:
    assert memory_of_loop() is memory_of_loop()
