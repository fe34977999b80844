"""The last output of a terminal, for viewers who come later or were slow."""

from __future__ import annotations

from typing import Final

SCROLLBACK_BYTES: Final = 256 * 1024
"""Some thousand lines; at 64 sessions 16 MiB, and only what was really printed is kept."""

LINE_SEARCH_BYTES: Final = 4096
"""How far the beginning of a cut replay looks for the beginning of a line."""


class Scrollback:
    """A window on a terminal's output. Positions count bytes from the session's beginning."""

    def __init__(self, limit: int = SCROLLBACK_BYTES) -> None:
        self._limit = limit
        self._kept = bytearray()
        self._end = 0

    @property
    def begin(self) -> int:
        """The position of the first byte that is kept."""
        return self._end - len(self._kept)

    @property
    def end(self) -> int:
        """The position behind the last byte."""
        return self._end

    def append(self, data: bytes) -> None:
        """Add output; what is older than the limit goes."""
        self._kept += data
        self._end += len(data)
        excess = len(self._kept) - self._limit
        if excess > 0:
            # A bytearray gives up its front without moving the rest.
            del self._kept[:excess]

    def since(self, position: int) -> bytes:
        """Return the output from a position on, which must not be before `begin`."""
        with memoryview(self._kept) as kept:
            return bytes(kept[position - self.begin :])

    def replay(self) -> bytes:
        """Return what is kept for somebody who saw nothing.

        When older output is gone, it begins with a line, or at least not within a character: half an escape sequence or
        half of a UTF-8 character would be shown as rubbish.
        """
        if self.begin == 0:
            return bytes(self._kept)
        line_end = self._kept.find(b"\n", 0, LINE_SEARCH_BYTES)
        first = line_end + 1
        if line_end < 0:
            while first < min(3, len(self._kept)) and self._kept[first] & 0xC0 == 0x80:
                first += 1
        return self.since(self.begin + first)
