"""The memory of a carrier: what is unread stays, what is viewed is not written to."""

from __future__ import annotations

import random

import pytest

from genba_wire.aio import receive_buffer
from genba_wire.aio.memory_pool import Memory
from genba_wire.aio.receive_buffer import (
    BULK_BYTES,
    IDLE_BYTES,
    LEND_FROM_BYTES,
    MAX_LENT,
    MIN_READ_BYTES,
    QUIET_S,
    READ_BYTES,
    ReceiveBuffer,
    receive_pool_of_loop,
)


def make_buffer(early: bytes = b"") -> ReceiveBuffer:
    return ReceiveBuffer(early, receive_pool_of_loop())


def put(buffer: ReceiveBuffer, data: bytes, frame_bytes: int = 0) -> int:
    """Receive as much of `data` as there is room for."""
    room = buffer.make_room(frame_bytes)
    size = min(len(room), len(data))
    room[:size] = data[:size]
    room.release()
    buffer.received(size)
    return size


def take(buffer: ReceiveBuffer, size: int) -> memoryview:
    """Read a message as a carrier does."""
    message = buffer.lend(memoryview(buffer.memory)[buffer.start : buffer.start + size])
    buffer.start += size
    assert isinstance(message, memoryview)
    return message


def memory_of(message: memoryview) -> bytes | bytearray:
    """What a message lies in."""
    memory = message.obj
    assert isinstance(memory, bytes | bytearray)
    return memory


def kept_bytes(messages: list[memoryview]) -> int:
    """What the memory takes that lies under messages."""
    return sum(len(memory) for memory in {id(message.obj): memory_of(message) for message in messages}.values())


def unread(buffer: ReceiveBuffer) -> bytes:
    return bytes(buffer.memory[buffer.start : buffer.end])


async def test_early_bytes_are_unread() -> None:
    assert unread(make_buffer(b"early")) == b"early"


async def test_early_bytes_may_be_longer_than_an_idle_buffer() -> None:
    early = bytes(range(256)) * 1000
    buffer = make_buffer(early)
    assert put(buffer, b"more") == 4
    assert unread(buffer) == early + b"more"


async def test_room_is_never_empty_and_never_more_than_a_turns() -> None:
    buffer = make_buffer()
    for _ in range(100):
        room = len(buffer.make_room(0))
        assert MIN_READ_BYTES <= room <= READ_BYTES
        buffer.received(room)
        buffer.start = max(buffer.start, buffer.end - 100_000)


async def test_a_frame_that_began_fits_whole_whatever_is_before_it() -> None:
    buffer = make_buffer()
    put(buffer, b"a" * 10_000)
    buffer.start = 9_990
    frame_bytes = 300_000
    received = 10
    while received < frame_bytes:
        received += put(buffer, b"b" * (frame_bytes - received), frame_bytes)
    assert unread(buffer) == b"a" * 10 + b"b" * (frame_bytes - 10)


async def test_memory_with_a_view_on_it_is_not_written_to() -> None:
    buffer = make_buffer()
    put(buffer, b"keep me")
    view = memoryview(buffer.memory)[buffer.start : buffer.end]
    buffer.start = buffer.end
    put(buffer, b"something else")
    assert bytes(view) == b"keep me"
    assert unread(buffer) == b"something else"


async def test_memory_without_a_view_is_used_again() -> None:
    buffer = make_buffer()
    memory = buffer.memory
    for _ in range(10):
        put(buffer, b"x" * 1000)
        buffer.start = buffer.end
    assert buffer.memory is memory


async def test_a_busy_buffer_is_small_again_when_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(receive_buffer, "monotonic", lambda: now)
    buffer = make_buffer()
    put(buffer, b"x" * IDLE_BYTES)
    put(buffer, b"x" * IDLE_BYTES)
    assert len(buffer.memory) == BULK_BYTES
    buffer.start = buffer.end
    now += QUIET_S
    for _ in range(1000):
        put(buffer, b"small")
        buffer.start = buffer.end - 2
    assert len(buffer.memory) == BULK_BYTES
    now += 0.1
    put(buffer, b"small")
    assert len(buffer.memory) == IDLE_BYTES
    assert unread(buffer) == b"llsmall"


async def test_a_long_frame_that_comes_slowly_has_its_memory_until_it_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(receive_buffer, "monotonic", lambda: now)
    buffer = make_buffer()
    put(buffer, b"x" * 100)
    now += 2 * QUIET_S
    put(buffer, b"x" * 100, 64 * 1024)
    assert len(buffer.memory) == BULK_BYTES
    for _ in range(100):
        now += QUIET_S / 5
        put(buffer, b"x" * 2000, 64 * 1024)
    assert len(buffer.memory) == BULK_BYTES
    assert unread(buffer) == b"x" * 200_200


async def test_any_sequence_of_reads_keeps_the_order() -> None:
    chance = random.Random(7)
    buffer = make_buffer()
    sent = read = 0
    views: list[tuple[memoryview, bytes]] = []
    for _ in range(3000):
        data = bytes((sent + i) % 251 for i in range(chance.choice((1, 50, 5_000))))
        sent += put(buffer, data, chance.choice((0, 0, 100, 200_000)))
        size = chance.randint(0, buffer.end - buffer.start)
        taken = memoryview(buffer.memory)[buffer.start : buffer.start + size]
        assert all(byte == (read + i) % 251 for i, byte in enumerate(taken[:20]))
        if chance.random() < 0.05:
            views.append((taken, bytes(taken)))
        del taken
        buffer.start += size
        read += size
    assert all(bytes(view) == kept for view, kept in views)


async def test_memory_of_busy_buffers_goes_round_between_them() -> None:
    buffers = [make_buffer() for _ in range(3)]
    places: dict[int, object] = {}
    for number in range(60):
        buffer = buffers[number % 3]
        put(buffer, bytes([number]) * READ_BYTES, READ_BYTES)
        kept = memoryview(buffer.memory)[buffer.start : buffer.end]  # while the next two are read
        buffer.start = buffer.end
        if len(buffer.memory) == BULK_BYTES:
            places[id(buffer.memory)] = buffer.memory
        assert kept[0] == kept[-1]
    assert len(places) <= 6


@pytest.mark.parametrize("beside", [0, IDLE_BYTES])
async def test_little_that_is_kept_keeps_little_memory(beside: int) -> None:
    buffer = make_buffer()
    kept: list[memoryview] = []
    for number in range(1000):
        put(buffer, bytes(beside))
        take(buffer, beside)
        put(buffer, bytes([number % 256]) * 10)
        kept.append(take(buffer, 10))
    assert kept_bytes(kept) == 10_000
    assert all(bytes(message) == bytes([number % 256]) * 10 for number, message in enumerate(kept))


async def test_whoever_keeps_much_memory_gets_copies_until_it_is_given_back() -> None:
    buffer = make_buffer()

    def keep(number: int) -> memoryview:
        put(buffer, bytes(READ_BYTES), READ_BYTES)
        take(buffer, READ_BYTES)
        put(buffer, bytes([number % 256]) * LEND_FROM_BYTES)
        return take(buffer, LEND_FROM_BYTES)

    kept = [keep(number) for number in range(10 * MAX_LENT)]
    assert kept_bytes(kept) <= (MAX_LENT + 1) * BULK_BYTES + len(kept) * LEND_FROM_BYTES
    assert all(bytes(message) == bytes([number % 256]) * LEND_FROM_BYTES for number, message in enumerate(kept))
    assert len(memory_of(kept[-1])) == LEND_FROM_BYTES
    kept.clear()
    assert isinstance(memory_of(keep(0)), Memory)
