"""Credit for one direction of a stream: how much the peer may send, and when it may send more."""

from __future__ import annotations

from typing import Final

from genba_wire.errors import LocalProtocolError, RemoteProtocolError

INITIAL_WINDOW: Final = 256 * 1024
"""What the peer may send at first: enough for any terminal, and for one read of a file."""

MAX_WINDOW: Final = 8 * 1024 * 1024
"""What a window grows to: 600 Mbit/s over 50 ms, since half of it may be on its way back as credit."""

MAX_GROWTH: Final = 16 * 1024 * 1024
"""What all windows of a link together may grow by, so that many busy streams don't add up."""


class ReceiveWindow:
    """Counts what the peer may send.

    A byte is first granted, then received, then consumed, and can then be granted again; the window is all that is
    granted or received and not consumed yet. Half a window is granted at once, so that grants are rare. The window
    doubles each time that as much as it holds was consumed while hardly any of it lay here unconsumed: so it grows for
    bulk only, and never for a reader that is slower than the line.
    """

    __slots__ = ("_consumed", "_left", "_since_growth", "size")

    def __init__(self) -> None:
        self.size = INITIAL_WINDOW
        self._left = INITIAL_WINDOW
        """Granted and not received."""
        self._consumed = 0
        """Consumed and not granted again."""
        self._since_growth = 0

    def receive(self, size: int) -> None:
        """Count bytes of the peer.

        Raises:
            RemoteProtocolError: more than it was granted.
        """
        self._left -= size
        if self._left < 0:
            raise RemoteProtocolError(f"{-self._left} bytes more than the stream's credit")

    def consume(self, size: int, room: int) -> int:
        """Count bytes that need no memory any more; return what to grant to the peer, mostly 0.

        Args:
            size: bytes that were received before.
            room: how much windows may still grow.

        Raises:
            LocalProtocolError: more than was received.
        """
        unconsumed = self.size - self._left - self._consumed - size
        if size < 0 or unconsumed < 0:
            raise LocalProtocolError(f"{-unconsumed} bytes more were consumed than received")
        self._consumed += size
        self._since_growth += size
        if self._consumed * 2 < self.size:
            return 0
        granted = self._consumed
        if self._since_growth >= self.size and unconsumed * 2 < self.size <= min(room, MAX_WINDOW // 2):
            granted += self.size
            self.size *= 2
            self._since_growth = 0
        self._consumed = 0
        self._left += granted
        return granted
