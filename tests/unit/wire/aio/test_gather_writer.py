"""Gathered writes keep the order and lose nothing, also when the socket is full."""

from __future__ import annotations

import asyncio
import random
import socket
import ssl

from genba_wire.aio.gather_writer import MAX_PARTS, MIN_GATHER_BYTES, GatherWriter
from genba_wire.buffers import Buffer
from tests.support.carriers import open_transport, read_raw


async def test_parts_arrive_in_order_through_a_full_socket() -> None:
    near, far = socket.socketpair()
    far.setblocking(False)
    transport = await open_transport(near)
    writer = GatherWriter(transport)
    chance = random.Random(3)
    expected = b""
    for _ in range(60):
        parts: list[Buffer] = [chance.randbytes(chance.choice((1, 14, 3_000, 70_000))) for _ in range(5)]
        parts[2] = memoryview(parts[2])
        parts[3] = bytearray(parts[3])
        expected += b"".join(parts)
        writer.write(parts, sum(map(len, parts)))
    assert transport.get_write_buffer_size() > 0, "the socket was meant to be full"
    assert await read_raw(far, len(expected)) == expected
    transport.abort()
    far.close()


async def test_more_parts_than_one_call_takes_arrive() -> None:
    near, far = socket.socketpair()
    far.setblocking(False)
    transport = await open_transport(near)
    parts = [bytes([number % 256]) * 20 for number in range(MAX_PARTS + 100)]
    GatherWriter(transport).write(parts, 20 * len(parts))
    assert await read_raw(far, 20 * len(parts)) == b"".join(parts)
    transport.abort()
    far.close()


async def test_writing_to_a_connection_that_is_gone_is_harmless() -> None:
    near, far = socket.socketpair()
    transport = await open_transport(near)
    writer = GatherWriter(transport)
    far.close()
    for _ in range(3):
        writer.write([b"x" * MIN_GATHER_BYTES, b"y"], MIN_GATHER_BYTES + 1)
        await asyncio.sleep(0)
    assert transport.is_closing()
    writer.write([b"x" * MIN_GATHER_BYTES], MIN_GATHER_BYTES)


async def test_what_is_wrapped_in_tls_is_not_written_to_the_socket() -> None:
    class Wrapped(asyncio.Transport):
        written: list[bytes]

        def get_extra_info(self, name: str, default: object = None) -> object:
            return {"socket": near, "sslcontext": ssl.create_default_context()}.get(name, default)

        def write(self, data: bytes | bytearray | memoryview) -> None:
            self.written.append(bytes(data))

        def get_write_buffer_size(self) -> int:
            return 0

    near, far = socket.socketpair()
    with near, far:
        transport = Wrapped()
        transport.written = []
        GatherWriter(transport).write([b"a" * MIN_GATHER_BYTES, b"b"], MIN_GATHER_BYTES + 1)
    assert transport.written == [b"a" * MIN_GATHER_BYTES + b"b"]


async def test_only_what_a_full_socket_could_not_take_counts_as_drained() -> None:
    near, far = socket.socketpair()
    far.setblocking(False)
    transport = await open_transport(near)
    writer = GatherWriter(transport)
    writer.write([b"ping"], 4)
    assert writer.drained_bytes == 0
    size = 8 * 1024 * 1024
    writer.write([bytes(size)], size)
    writer.write([b"ping"], 4)
    waiting_bytes = transport.get_write_buffer_size()
    assert writer.drained_bytes == 0 < waiting_bytes
    await read_raw(far, size + 8)
    assert writer.drained_bytes == waiting_bytes
    transport.abort()
    far.close()
