"""Memory that sockets are read into: one for all of a loop, since what is read mostly leaves at once."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final
from weakref import WeakKeyDictionary

READ_BYTES: Final = 256 * 1024
"""At most so much is read in one turn of the loop, so that others get theirs (design.md, "The relay")."""

COPY_BELOW_BYTES: Final = 128 * 1024
"""Less is copied when it is taken: what waits somewhere then holds at most twice as much memory as it has bytes."""

MAX_SPARE: Final = 64
"""16 MiB: what one link keeps until it is acknowledged."""

SPARE_KEPT_S: Final = 2.0
"""A transfer makes its memory anew so often, which takes a few milliseconds."""


class ReadMemory:
    """Room for one read. Memory on which somebody keeps a view is left alone until nobody does.

    What is sent over a link is kept there until the other end has it, mostly for a moment and in order; so memory goes
    round, and none has to be made while a transfer runs. A bytearray refuses to change its size while a view exists,
    and that is how one is noticed.
    """

    __slots__ = ("__weakref__", "_memory", "_spare", "_trimming")

    def __init__(self) -> None:
        self._memory = bytearray(READ_BYTES)
        self._spare: deque[bytearray] = deque()
        """Memory that was taken, the longest ago first."""
        self._trimming: asyncio.TimerHandle | None = None

    def get_room(self) -> memoryview:
        """Return memory to read into."""
        if not _is_free(self._memory):
            spare = self._spare
            if len(spare) < MAX_SPARE:
                spare.append(self._memory)
            if spare and _is_free(spare[0]):
                self._memory = spare.popleft()
            else:
                self._memory = bytearray(READ_BYTES)
            if self._trimming is None:
                self._trimming = asyncio.get_running_loop().call_later(SPARE_KEPT_S, self._trim)
        return memoryview(self._memory)

    def take(self, size: int) -> memoryview | bytes:
        """Return what was read; it stays as it is for as long as it is kept."""
        view = memoryview(self._memory)[:size]
        return view if size >= COPY_BELOW_BYTES else bytes(view)

    @property
    def spare_bytes(self) -> int:
        """What goes round at the moment."""
        return len(self._spare) * READ_BYTES

    def _trim(self) -> None:
        """Let go of the spare memory: what runs makes its own anew, and what rests needs none."""
        self._spare.clear()
        self._trimming = None


def _is_free(memory: bytearray) -> bool:
    try:
        memory.append(memory.pop())
    except BufferError:
        return False
    return True


_memories: WeakKeyDictionary[asyncio.AbstractEventLoop, ReadMemory] = WeakKeyDictionary()


def memory_of_loop() -> ReadMemory:
    """Return the memory of the running loop.

    Between asking a protocol for memory and telling it what was read, asyncio's transports call nothing else.
    """
    return _memories.setdefault(asyncio.get_running_loop(), ReadMemory())
