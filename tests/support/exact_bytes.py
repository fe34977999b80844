"""Bytes that tell where in a stream they belong, so that one lost, repeated or moved is found where it is."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from genba_wire.buffers import Buffer

BLOCK_BYTES: Final = 64 * 1024
NUMBER_BYTES: Final = 8


class ExactBytes:
    """An endless sequence, the same for the same seed: blocks of 64 KiB, each with its number at its beginning."""

    def __init__(self, seed: int) -> None:
        self._rest = random.Random(seed).randbytes(BLOCK_BYTES - NUMBER_BYTES)
        self._number = -1
        self._block = memoryview(b"")

    def take(self, offset: int, size: int) -> memoryview:
        """Some bytes from an offset on, `size` at most, as far as the block goes."""
        number, start = divmod(offset, BLOCK_BYTES)
        if number != self._number:
            self._number = number
            self._block = memoryview(number.to_bytes(NUMBER_BYTES, "big") + self._rest)
        return self._block[start : start + size]


class ExactSink:
    """Compares what comes with what should."""

    def __init__(self, seed: int) -> None:
        self.received = 0
        self.wrong_at: int | None = None
        """The offset of the first wrong byte's block, or of what was compared of it."""
        self._expected = ExactBytes(seed)

    def take(self, data: Buffer) -> None:
        """Some more bytes came."""
        view = memoryview(data)
        while view:
            expected = self._expected.take(self.received, len(view))
            if self.wrong_at is None and view[: len(expected)] != expected:
                self.wrong_at = self.received
            self.received += len(expected)
            view = view[len(expected) :]


UP_SEED: Final = 1
DOWN_SEED: Final = 2


class ExactServer:
    """A port of loopback that sends `size` bytes to whoever connects, and takes and compares as many."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.port = 0
        self.connections = 0
        self.sink = ExactSink(UP_SEED)
        self.sent = 0
        self.has_ended = asyncio.Event()
        """Whoever connected has sent its end, and has been sent ours."""
        self.broken = ""
        self._changed = asyncio.Event()

    async def wait_received(self, size: int) -> None:
        """Return once so many bytes came."""
        while self.sink.received < size:
            assert not self.broken, self.broken
            self._changed.clear()
            await self._changed.wait()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self.connections += 1
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._send(writer))
                group.create_task(self._receive(reader))
            self.has_ended.set()
        except* ConnectionError as error:
            self.broken = repr(error)
        finally:
            self._changed.set()
            writer.close()

    async def _send(self, writer: asyncio.StreamWriter) -> None:
        source = ExactBytes(DOWN_SEED)
        while self.sent < self.size:
            data = source.take(self.sent, self.size - self.sent)
            writer.write(data)
            await writer.drain()
            self.sent += len(data)
        writer.write_eof()

    async def _receive(self, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(BLOCK_BYTES):
            self.sink.take(data)
            self._changed.set()


@asynccontextmanager
async def exact_server(size: int) -> AsyncGenerator[ExactServer]:
    """A server in this loop; what it serves is cut at the end."""
    served = ExactServer(size)
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await served.serve(reader, writer)
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            tasks.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    served.port = server.sockets[0].getsockname()[1]
    try:
        yield served
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
