"""Memory for reads: used again unless somebody keeps a view."""

from __future__ import annotations

from genba_wire.aio.read_memory import COPY_BELOW_BYTES, READ_BYTES, ReadMemory, memory_of_loop


def read(memory: ReadMemory, byte: int, size: int) -> memoryview | bytes:
    room = memory.get_room()
    assert len(room) == READ_BYTES
    room[:size] = bytes([byte]) * size
    room.release()
    return memory.take(size)


def test_what_is_kept_stays_as_it_was() -> None:
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


async def test_loop_has_one() -> None:
    assert memory_of_loop() is memory_of_loop()
