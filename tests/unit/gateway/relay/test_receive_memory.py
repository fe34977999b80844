from __future__ import annotations

from genba_gateway.relay.receive_memory import READ_BYTES, ReceiveMemory, memory_of_loop
from genba_gateway.relay.unmasking import HEADROOM


def test_what_was_received_has_the_bytes_before_it_in_front() -> None:
    memory = ReceiveMemory()
    room = memory.get_room()
    assert len(room) == READ_BYTES
    room[:5] = b"world"
    assert bytes(memory.get_received(5, b"hello ")) == b"hello world"
    assert len(memory.get_received(READ_BYTES, bytes(HEADROOM))) == HEADROOM + READ_BYTES


def test_memory_that_someone_keeps_a_view_of_is_left_alone() -> None:
    memory = ReceiveMemory()
    memory.get_room()[:4] = b"kept"
    kept = memory.get_received(4, b"")
    memory.get_room()[:4] = b"next"
    assert bytes(kept) == b"kept"
    assert kept.obj is not memory.get_received(4, b"").obj


def test_memory_that_nobody_keeps_is_used_again() -> None:
    memory = ReceiveMemory()
    first = id(memory.get_room().obj)
    assert id(memory.get_room().obj) == first


async def test_a_loop_has_one_memory() -> None:
    assert memory_of_loop() is memory_of_loop()
