"""The memory of websockets over HTTP/2, which hold messages whole: one budget for all of a loop.

It puts a buffer of its own into Hypercorn, whose inner workings it relies on as `takeover` does
(docs/decisions/0008-taking-hypercorns-transport.md).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final
from weakref import WeakKeyDictionary

from hypercorn.protocol.h2 import H2Protocol
from hypercorn.protocol.ws_stream import FrameTooLargeError, WebsocketBuffer, WSStream
from wsproto.events import Message

from genba_gateway.relay.takeover import find_server

MAX_HELD_BYTES: Final = 256 * 1024 * 1024
"""Of all messages that are not whole yet, or not handed on."""

MAX_HELD_OF_ONE_BYTES: Final = MAX_HELD_BYTES // 4
"""Of one agent's, so that nobody takes all; the greatest message of text takes just so much."""

CHARACTER_BYTES: Final = 4
"""What a character of a text takes while the text is gathered."""


def measure(data: str | bytes | bytearray) -> int:
    """How much of the budget this takes."""
    return len(data) * CHARACTER_BYTES if isinstance(data, str) else len(data)


class MessageMemory:
    """Counts what is held."""

    def __init__(self, most: int = MAX_HELD_BYTES, most_of_one: int = MAX_HELD_OF_ONE_BYTES) -> None:
        self.most = most
        self.most_of_one = most_of_one
        self.held_by: Counter[str] = Counter()

    def open(self, holder: str) -> HeldMessages:
        """The account of a websocket; close it at its end."""
        return HeldMessages(self, holder)

    def take(self, holder: str, size: int) -> bool:
        """Hold more, if there is room."""
        if self.held_by.total() + size > self.most or self.held_by[holder] + size > self.most_of_one:
            return False
        self.held_by[holder] += size
        return True

    def give(self, holder: str, size: int) -> None:
        """Hold less."""
        self.held_by[holder] -= size
        if not self.held_by[holder]:
            del self.held_by[holder]


class HeldMessages:
    """What one websocket holds, in both directions."""

    def __init__(self, memory: MessageMemory, holder: str) -> None:
        self._memory = memory
        self._holder = holder
        self._size = 0
        self.is_closed = False

    def take(self, size: int) -> bool:
        """Hold more; False when there is no room, or the websocket is over."""
        if self.is_closed or not self._memory.take(self._holder, size):
            return False
        self._size += size
        return True

    def give(self, size: int) -> None:
        """Hold less."""
        size = min(size, self._size)
        self._size -= size
        self._memory.give(self._holder, size)

    def close(self) -> None:
        """Hold nothing any more."""
        self.give(self._size)
        self.is_closed = True


class CountedBuffer(WebsocketBuffer):
    """Hypercorn's buffer for a message from a browser. What was taken for one is given back by who hands it on."""

    def __init__(self, max_length: int, held: HeldMessages, on_full: Callable[[], None]) -> None:
        super().__init__(max_length)
        self._held = held
        self._on_full = on_full
        self._is_full = False

    def extend(self, event: Message[Any]) -> None:
        """Take a part of a message; drop it, and all that follows, once there is no room."""
        if self._held.is_closed:
            raise FrameTooLargeError  # so that it is not queued for an application that reads no more
        self._is_full = self._is_full or not self._held.take(measure(event.data))
        if not self._is_full:
            super().extend(event)  # pyright: ignore[reportUnknownMemberType]  # Hypercorn leaves it bare
            return
        self.clear()
        self._on_full()


def count_received(scope: Mapping[str, Any], held: HeldMessages, on_full: Callable[[], None]) -> None:
    """Count what Hypercorn gathers of a websocket over HTTP/2; call it before the websocket is accepted.

    Args:
        scope: the websocket's.
        held: its account.
        on_full: called for each part of a message that there is no room for.
    """
    server = find_server(scope)
    protocol = server.protocol.protocol if server is not None else None
    for stream in protocol.streams.values() if isinstance(protocol, H2Protocol) else ():
        if isinstance(stream, WSStream) and getattr(stream, "scope", None) is scope:
            stream.buffer = CountedBuffer(stream.buffer.max_length, held, on_full)


_memories: WeakKeyDictionary[asyncio.AbstractEventLoop, MessageMemory] = WeakKeyDictionary()


def message_memory_of_loop() -> MessageMemory:
    """Return the budget of the running loop."""
    return _memories.setdefault(asyncio.get_running_loop(), MessageMemory())
