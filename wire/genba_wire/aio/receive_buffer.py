"""The memory that a carrier receives into: frames lie whole in it, and most bytes are never moved."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Final
from weakref import WeakKeyDictionary, ref

from genba_wire.aio.memory_pool import Memory, MemoryPool, is_free

IDLE_BYTES: Final = 16 * 1024
"""What a quiet carrier keeps."""

BULK_BYTES: Final = 1536 * 1024
"""What a busy one keeps: the longest frame and two full reads, so that seldom half a frame is moved to the front."""

READ_BYTES: Final = 512 * 1024
"""At most so much is read in one turn of the loop, so that others get theirs
(docs/decisions/0017-what-an-end-of-a-link-reads.md)."""

MIN_READ_BYTES: Final = 8 * 1024
"""With less room behind what is there, the unread part is moved to the front."""

MAX_SPARE: Final = 8
"""12 MiB for all carriers of a loop."""

LEND_FROM_BYTES: Final = 4 * 1024
"""Less is copied: who keeps a view of a few bytes keeps all the memory around them."""

MAX_LENT: Final = 16
"""Pieces of memory, 24 MiB, that those may keep who got messages of one carrier. Past that each message is a copy of
its own, of which who keeps a part keeps at most `mux_frames.KEPT_SHARE` times as much."""

COUNT_EVERY_READS: Final = 8
"""How often it is looked whether memory came back while messages are copied; a look costs as much as a small copy."""

QUIET_S: Final = 5.0
"""The first small read so long after the last one that was not gives a busy carrier's memory back."""


class ReceiveBuffer:
    """Bytes between `start` and `end` are received and not read yet.

    Views of the memory may be kept by whoever got them: memory with a view on it is not written to, it is replaced.
    """

    __slots__ = ("_busy_at", "_is_copying", "_lent", "_pool", "_reads_to_count", "end", "memory", "start")

    def __init__(self, early: bytes, pool: MemoryPool) -> None:
        """Begin with what was received already; `pool` has memory of `BULK_BYTES`."""
        self._pool = pool
        self.memory = Memory(max(IDLE_BYTES, len(early) + MIN_READ_BYTES))
        self.memory[: len(early)] = early
        self.start: int = 0
        self.end: int = len(early)
        self._busy_at = 0.0
        """When a read was last not small, or memory for more was taken: seconds of `monotonic`."""
        self._lent: list[ref[Memory]] = []
        """Memory that was replaced while there was a view of it."""
        self._is_copying = False
        self._reads_to_count = 0

    def lend(self, message: memoryview | bytes) -> memoryview | bytes:
        """Return a message that lies in `memory` as its receiver may have it: for as long as that likes."""
        return memoryview(bytes(message)) if self._is_copying or len(message) < LEND_FROM_BYTES else message

    def make_room(self, frame_bytes: int) -> memoryview:
        """Return memory to receive into, behind `end`.

        Args:
            frame_bytes: length of the frame that begins at `start`, as far as it is known; it will fit.
        """
        if self._is_copying:
            self._reads_to_count -= 1
            if self._reads_to_count <= 0:
                self._count_lent()
        size = len(self.memory)
        if self.start == self.end and self.start:
            self._move_to(self.memory if is_free(self.memory) else self._make(size))
        if self.start + frame_bytes > size or size - self.end < MIN_READ_BYTES:
            wanted = max(BULK_BYTES, max(frame_bytes, self.end - self.start) + MIN_READ_BYTES)
            self._busy_at = monotonic()
            self._move_to(self.memory if wanted <= size and is_free(self.memory) else self._make(wanted))
        return memoryview(self.memory)[self.end : self.end + READ_BYTES]

    def received(self, size: int) -> None:
        """Count what was received into the memory that `make_room` returned."""
        self.end += size
        if len(self.memory) == IDLE_BYTES:
            return
        now = monotonic()
        if size >= IDLE_BYTES // 4:
            self._busy_at = now
        elif now - self._busy_at > QUIET_S and self.end - self.start < IDLE_BYTES // 2:
            self._move_to(Memory(IDLE_BYTES))

    def _move_to(self, memory: Memory) -> None:
        unread = self.end - self.start
        if unread:
            memoryview(memory)[:unread] = memoryview(self.memory)[self.start : self.end]
        if memory is not self.memory:
            if not is_free(self.memory) and not any(each() is self.memory for each in self._lent):
                self._lent.append(ref(self.memory))
                if len(self._lent) >= MAX_LENT:
                    self._count_lent()
            if len(self.memory) == self._pool.size:
                self._pool.give(self.memory)
        self.memory, self.start, self.end = memory, 0, unread

    def _count_lent(self) -> None:
        self._lent = [each for each in self._lent if (memory := each()) is not None and not is_free(memory)]
        self._is_copying = len(self._lent) >= MAX_LENT
        self._reads_to_count = COUNT_EVERY_READS

    def _make(self, size: int) -> Memory:
        return self._pool.get() if size == self._pool.size else Memory(size)


def measure_frame(memory: bytearray, start: int, end: int) -> int:
    """Return the length of the frame that begins at `start`, header included; 0 when too little of it is there."""
    there = end - start
    if there < 2:
        return 0
    second = memory[start + 1]
    length = second & 0x7F
    header = 6 if second & 0x80 else 2
    if length < 126:
        return header + length
    if length == 126:
        return header + 2 + (memory[start + 2] << 8 | memory[start + 3]) if there >= 4 else 0
    return header + 8 + int.from_bytes(memory[start + 2 : start + 10], "big") if there >= 10 else 0


_pools: WeakKeyDictionary[asyncio.AbstractEventLoop, MemoryPool] = WeakKeyDictionary()


def receive_pool_of_loop() -> MemoryPool:
    """The memory of busy carriers of the running loop, made when it is first asked for."""
    return _pools.setdefault(asyncio.get_running_loop(), MemoryPool(BULK_BYTES, MAX_SPARE))
