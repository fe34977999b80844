"""Memory that sockets are read into: one for all of a loop, since what is read mostly leaves at once."""

from __future__ import annotations

import asyncio
from typing import Final
from weakref import WeakKeyDictionary

from genba_wire.aio.memory_pool import Memory, MemoryPool, is_free

READ_BYTES: Final = 256 * 1024
"""At most so much is read in one turn of the loop, so that others get theirs (design.md, "The relay")."""

COPY_BELOW_BYTES: Final = 128 * 1024
"""Less is copied when it is taken: what waits somewhere then holds at most twice as much memory as it has bytes."""

MAX_SPARE: Final = 64
"""16 MiB: what one link keeps until it is acknowledged."""


class ReadMemory:
    """Room for one read. Memory on which somebody keeps a view is left alone until nobody does.

    What is sent over a link is kept there until the other end has it, mostly for a moment and in order; so memory goes
    round, and none has to be made while a transfer runs.
    """

    __slots__ = ("__weakref__", "_memory", "_pool")

    def __init__(self) -> None:
        self._memory = Memory(READ_BYTES)
        self._pool = MemoryPool(READ_BYTES, MAX_SPARE)

    def get_room(self) -> memoryview:
        """Return memory to read into."""
        if not is_free(self._memory):
            self._pool.give(self._memory)
            self._memory = self._pool.get()
        return memoryview(self._memory)

    def take(self, size: int) -> memoryview | bytes:
        """Return what was read; it stays as it is for as long as it is kept."""
        view = memoryview(self._memory)[:size]
        return view if size >= COPY_BELOW_BYTES else bytes(view)

    @property
    def spare_bytes(self) -> int:
        """What goes round at the moment."""
        return self._pool.spare_bytes


_memories: WeakKeyDictionary[asyncio.AbstractEventLoop, ReadMemory] = WeakKeyDictionary()


def memory_of_loop() -> ReadMemory:
    """Return the memory of the running loop.

    Between asking a protocol for memory and telling it what was read, asyncio's transports call nothing else.
    """
    return _memories.setdefault(asyncio.get_running_loop(), ReadMemory())
