"""Bytes of a pipe to lines of text."""

from __future__ import annotations

from typing import Final

MAX_LINE_BYTES: Final = 64 * 1024
"""A longer line goes out in pieces of this size: a program that never ends its line must not fill our memory, and a
line must fit into a batch many times over."""


class LineSplitter:
    """Splits a byte stream at newlines. Pure: bytes in, lines out.

    A line's trailing carriage return goes; bytes that are no UTF-8 become U+FFFD, and so does NUL, which PostgreSQL
    can't store.
    """

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[str]:
        """Take bytes; return the lines that they complete."""
        pieces = (self._rest + data).split(b"\n")
        lines: list[str] = []
        for piece in pieces[:-1]:
            *parts, last = _cut(piece)
            lines.extend(_decode(part) for part in parts)
            lines.append(_decode(last.removesuffix(b"\r")))
        *parts, self._rest = _cut(pieces[-1])
        lines.extend(_decode(part) for part in parts)
        return lines

    def finish(self) -> list[str]:
        """Return what the stream's end leaves without a newline."""
        rest, self._rest = self._rest, b""
        return [_decode(rest.removesuffix(b"\r"))] if rest else []


def _cut(line: bytes) -> list[bytes]:
    """Cut a line into parts of at most `MAX_LINE_BYTES`, not within a character."""
    parts: list[bytes] = []
    start = 0
    while len(line) - start > MAX_LINE_BYTES:
        end = start + MAX_LINE_BYTES
        # A character has at most three continuation bytes (10xxxxxx); in other data, cut anywhere.
        character_start = next((at for at in range(end, end - 4, -1) if line[at] & 0xC0 != 0x80), end)
        parts.append(line[start:character_start])
        start = character_start
    parts.append(line[start:])
    return parts


def _decode(line: bytes) -> str:
    return line.decode("utf-8", errors="replace").replace("\x00", "\ufffd")
