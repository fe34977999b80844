"""Lines of a program's output, of which some are very long."""

from __future__ import annotations


class OutputLines:
    """Splits a byte stream at newlines. Pure: bytes in, lines out.

    What there is of a line stays in pieces until it ends: to put them together for each piece that comes would take a
    time that grows with the square of its length.
    """

    def __init__(self, max_bytes: int) -> None:
        """Of a line, `max_bytes` are kept; the rest is dropped."""
        self._max_bytes = max_bytes
        self._pieces: list[bytes] = []
        self._left = max_bytes

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes; return the lines that they complete."""
        *ends, rest = data.split(b"\n")
        lines: list[bytes] = []
        for end in ends:
            self._keep(end)
            lines.append(b"".join(self._pieces))
            self._pieces.clear()
            self._left = self._max_bytes
        self._keep(rest)
        return lines

    def _keep(self, piece: bytes) -> None:
        if kept := piece[: self._left]:
            self._pieces.append(kept)
            self._left -= len(kept)
