"""One connection through `chaos_proxy`: what happens to its bytes on their way."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias

READ_BYTES: Final = 64 * 1024
PACED_BYTES: Final = READ_BYTES
"""So much is passed on at a time where the rate is limited."""

MAX_UNDER_WAY_BYTES: Final = 16 * 1024 * 1024
"""What is on its way because of a delay; then the sender waits."""

RESET_AT_CLOSE: Final = struct.pack("ii", 1, 0)
"""SO_LINGER: the connection is reset, and what was not read yet is gone."""


class Way(Enum):
    """A direction of a connection."""

    UP = "up"
    """From whoever connected to the target."""
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Time:
    """Tells the time and lets it pass; tests put their own in."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


@dataclass(slots=True)
class Conditions:
    """Of one way, for all connections; may change at any moment."""

    delay_s: float = 0.0
    rate_bytes_s: float = 0.0
    """0: as fast as it goes."""


Ends: TypeAlias = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Half:
    """One way of one connection."""

    def __init__(
        self, conditions: Conditions, time: Time, *, reset_at: int | None, on_passed: Callable[[], None]
    ) -> None:
        self.conditions = conditions
        self.on_passed = on_passed
        self.reset_at = reset_at
        """The connection breaks when so many bytes were passed on."""
        self.passed = 0
        """Bytes that were passed on."""
        self.flowing = asyncio.Event()
        self.is_closed = False
        """Its receiver was told that no more comes; what comes nevertheless is dropped."""
        self._time = time
        self._under_way: deque[tuple[float, bytes | None]] = deque()
        """When it arrives, and what: b"" is the end, None that the connection broke."""
        self._under_way_bytes = 0
        self._free_at = 0.0
        self._changed = asyncio.Event()

    async def read(self, reader: asyncio.StreamReader) -> None:
        """Send what comes on its way, until the end."""
        data: bytes | None = b"first"
        while data:
            await self.flowing.wait()
            await self._until(lambda: self._under_way_bytes < MAX_UNDER_WAY_BYTES)
            try:
                data = await reader.read(READ_BYTES)
            except ConnectionError:
                data = None
            self._under_way.append((self._time.clock() + self.conditions.delay_s, data))
            self._under_way_bytes += len(data or b"")
            self._changed.set()

    async def write(self, writer: asyncio.StreamWriter) -> bool:
        """Let arrive what is on its way, in order, until the end. Returns False when the connection is to break."""
        while True:
            await self._until(lambda: bool(self._under_way))
            arrives_at, data = self._under_way.popleft()
            await self._sleep_until(arrives_at)
            await self.flowing.wait()
            if data is None:
                return False
            if not data:
                self.close(writer)
                return True
            try:
                await self._pass(data, writer)
            except ConnectionError:
                return False
            if self.passed == self.reset_at:
                return False
            self._under_way_bytes -= len(data)
            self._changed.set()

    def close(self, writer: asyncio.StreamWriter) -> None:
        """Tell the receiver that no more comes."""
        if not self.is_closed:
            self.is_closed = True
            with suppress(OSError):
                writer.write_eof()

    async def _pass(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        at = 0
        while at < len(data) and not self.is_closed and self.passed != self.reset_at:
            await self.flowing.wait()
            rate = self.conditions.rate_bytes_s
            size = min(len(data) - at, PACED_BYTES) if rate else len(data) - at
            if self.reset_at is not None:
                size = min(size, self.reset_at - self.passed)
            writer.write(data[at : at + size])
            await writer.drain()
            at += size
            self.passed += size
            self.on_passed()
            if rate:
                self._free_at = max(self._free_at, self._time.clock()) + size / rate
                await self._sleep_until(self._free_at)

    async def _sleep_until(self, when: float) -> None:
        wait_s = when - self._time.clock()
        if wait_s > 0:
            await self._time.sleep(wait_s)

    async def _until(self, is_so: Callable[[], bool]) -> None:
        while not is_so():
            self._changed.clear()
            await self._changed.wait()


class Line:
    """A connection: two halves, and its two ends."""

    def __init__(self, near: Ends, halves: Mapping[Way, Half]) -> None:
        self.halves = halves
        self.is_forgotten = False
        """Nothing passes any more, ever, and nobody is told: whatever is in the middle has lost its state."""
        self._near = near
        self._far: Ends | None = None
        self._running: asyncio.Task[object] | None = None

    async def run(self, connect: Callable[[], Awaitable[Ends]]) -> None:
        """Connect on, which is the first thing that goes up, then carry both ways until both have ended."""
        self._running = asyncio.current_task()
        up, down = self.halves[Way.UP], self.halves[Way.DOWN]
        try:
            await up.flowing.wait()
            try:
                self._far = await connect()
            except OSError:
                self._abort()
                return
            async with asyncio.TaskGroup() as group:
                group.create_task(up.read(self._near[0]))
                group.create_task(down.read(self._far[0]))
                group.create_task(self._write(up, self._far[1]))
                group.create_task(self._write(down, self._near[1]))
        finally:
            for writer in self._writers():
                writer.close()

    def reset(self) -> None:
        """Break it at both ends, with all that is under way."""
        self._abort()
        if self._running is not None:
            self._running.cancel()

    def half_close(self, way: Way) -> None:
        """Tell the receiver of one way that no more comes; the other way goes on."""
        writer = self._near[1] if way is Way.DOWN else self._far[1] if self._far is not None else None
        if writer is not None:
            self.halves[way].close(writer)

    async def _write(self, half: Half, writer: asyncio.StreamWriter) -> None:
        if not await half.write(writer):
            self.reset()

    def _abort(self) -> None:
        for writer in self._writers():
            found: socket.socket | None = writer.get_extra_info("socket")
            if found is not None and not writer.transport.is_closing():
                with suppress(OSError):
                    found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
            writer.transport.abort()

    def _writers(self) -> list[asyncio.StreamWriter]:
        return [ends[1] for ends in (self._near, self._far) if ends is not None]
