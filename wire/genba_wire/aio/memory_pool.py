"""Memory of one size that goes round: views of it are lent to others, and when they are gone it is used again."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

SPARE_KEPT_S: Final = 2.0
"""A transfer makes its memory anew so often, which takes a few milliseconds."""


class Memory(bytearray):
    """Memory that can be known of without being kept."""

    __slots__ = ("__weakref__",)


class MemoryPool:
    """Of one loop. To make memory costs as much as to copy it: its zeros are written, and its pages found."""

    __slots__ = ("__weakref__", "_is_trimming", "_spare", "most", "size")

    def __init__(self, size: int, most: int) -> None:
        """Keep up to `most` pieces of `size` bytes."""
        self.size, self.most = size, most
        self._spare: deque[Memory] = deque()
        """The one that was given the longest ago first."""
        self._is_trimming = False  # and not the loop's handle, which would keep the loop that keeps this

    @property
    def spare_bytes(self) -> int:
        """What goes round at the moment."""
        return len(self._spare) * self.size

    def give(self, memory: Memory) -> None:
        """Take memory on which there may be views: it is handed out again when there are none."""
        if len(self._spare) < self.most:
            self._spare.append(memory)
        if not self._is_trimming:
            self._is_trimming = True
            asyncio.get_running_loop().call_later(SPARE_KEPT_S, self._trim)

    def get(self) -> Memory:
        """Return memory that nobody else looks at. What is in it is not to be read before it is written."""
        if self._spare:
            if is_free(self._spare[0]):
                return self._spare.popleft()
            self._spare.rotate(-1)  # somebody may keep it for long
        return Memory(self.size)

    def _trim(self) -> None:
        """Let go of the spare memory: what runs makes its own anew, and what rests needs none."""
        self._spare.clear()
        self._is_trimming = False


def is_free(memory: bytearray) -> bool:
    """Whether there is no view of it: a bytearray refuses to change its size while one exists."""
    try:
        memory.append(memory.pop())
    except BufferError:
        return False
    return True
