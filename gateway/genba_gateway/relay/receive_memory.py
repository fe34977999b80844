"""The memory that the relay receives into: one for all joints of a loop, since what is received leaves at once."""

from __future__ import annotations

import asyncio
from typing import Final
from weakref import WeakKeyDictionary

from genba_gateway.relay.unmasking import HEADROOM
from genba_wire.aio.memory_pool import is_free

READ_BYTES: Final = 256 * 1024
"""At most so much is read in one turn of the loop, so that the API gets its turns (design.md, "The relay")."""


class ReceiveMemory:
    """`HEADROOM` bytes, and behind them room for `READ_BYTES`.

    A transport may keep a view of what it could not send at once (asyncio does from Python 3.12 on); memory with a
    view on it is left alone and replaced.
    """

    __slots__ = ("__weakref__", "_memory")

    def __init__(self) -> None:
        self._memory = bytearray(HEADROOM + READ_BYTES)

    def get_room(self) -> memoryview:
        """Return memory to receive into, valid until the next call."""
        if not is_free(self._memory):
            self._memory = bytearray(HEADROOM + READ_BYTES)
        return memoryview(self._memory)[HEADROOM:]

    def get_received(self, size: int, before: bytes) -> memoryview:
        """Return what was received into the room, with the bytes `before` in front of it."""
        start = HEADROOM - len(before)
        self._memory[start:HEADROOM] = before
        return memoryview(self._memory)[start : HEADROOM + size]


_memories: WeakKeyDictionary[asyncio.AbstractEventLoop, ReceiveMemory] = WeakKeyDictionary()


def memory_of_loop() -> ReceiveMemory:
    """Return the memory of the running loop.

    Between asking a protocol for memory and telling it what was received, asyncio's transports call nothing else.
    """
    return _memories.setdefault(asyncio.get_running_loop(), ReceiveMemory())
