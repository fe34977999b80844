"""Memory that sockets are read into: one for all of a loop, since what is read mostly leaves at once."""

from __future__ import annotations

import asyncio
from typing import Final
from weakref import WeakKeyDictionary

READ_BYTES: Final = 256 * 1024
"""At most so much is read in one turn of the loop, so that others get theirs (design.md, "The relay")."""

COPY_BELOW_BYTES: Final = 64 * 1024
"""Less is copied when it is taken: what waits somewhere then never holds much more memory than it has bytes."""


class ReadMemory:
    """Room for one read; memory on which somebody keeps a view is left alone and replaced.

    A bytearray refuses to change its size while a view exists, and that is how one is noticed.
    """

    __slots__ = ("__weakref__", "_memory")

    def __init__(self) -> None:
        self._memory = bytearray(READ_BYTES)

    def get_room(self) -> memoryview:
        """Return memory to read into."""
        try:
            self._memory.append(self._memory.pop())
        except BufferError:
            self._memory = bytearray(READ_BYTES)
        return memoryview(self._memory)

    def take(self, size: int) -> memoryview | bytes:
        """Return what was read; it stays as it is for as long as it is kept."""
        view = memoryview(self._memory)[:size]
        return view if size >= COPY_BELOW_BYTES else bytes(view)


_memories: WeakKeyDictionary[asyncio.AbstractEventLoop, ReadMemory] = WeakKeyDictionary()


def memory_of_loop() -> ReadMemory:
    """Return the memory of the running loop.

    Between asking a protocol for memory and telling it what was read, asyncio's transports call nothing else.
    """
    return _memories.setdefault(asyncio.get_running_loop(), ReadMemory())
