"""Datagrams in the bytes of a stream: each behind its length (docs/protocol.md, "Kinds of streams")."""

from __future__ import annotations

from typing import Final

from genba_wire.buffers import Buffer

LENGTH_BYTES: Final = 2
"""Big-endian, before each datagram."""

MAX_DATAGRAM_BYTES: Final = 65_535
"""What a length can say; UDP itself takes 20 to 48 bytes less."""


def frame_datagram(datagram: Buffer) -> bytes:
    """Return a datagram as it goes into a stream; it may be empty, and has `MAX_DATAGRAM_BYTES` at most."""
    return len(datagram).to_bytes(LENGTH_BYTES, "big") + datagram


class DatagramReader:
    """Finds the datagrams in a stream's bytes, however those are cut. It keeps less than one datagram."""

    def __init__(self) -> None:
        self._kept = bytearray()

    def feed(self, data: Buffer) -> list[bytes]:
        """Take the next bytes; returns the datagrams that are whole now."""
        kept = self._kept
        kept += data
        found: list[bytes] = []
        at = 0
        while len(kept) - at >= LENGTH_BYTES:
            begin = at + LENGTH_BYTES
            end = begin + int.from_bytes(kept[at:begin], "big")
            if end > len(kept):
                break
            found.append(bytes(kept[begin:end]))
            at = end
        del kept[:at]
        return found
