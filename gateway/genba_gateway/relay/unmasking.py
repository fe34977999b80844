"""A client's frames, rewritten as a server's: what the relay does to every byte it carries, in place and without I/O.

What a client sends is masked, what it receives must not be. Our ends mask with the key 0, so that only the header
changes: the four bytes of the key go, and the rest of it is moved up to the payload, which is neither read nor moved.
"""

from __future__ import annotations

from typing import Final

# Its C code where that is installed, which `websockets.frames` chooses and does not list among its exports.
from websockets.frames import apply_mask  # type: ignore[attr-defined]  # pyright: ignore[reportPrivateImportUsage]

from genba_wire.websocket_frames import MASK_ZERO, MAX_HEADER_BYTES, Opcode

KEY_BYTES: Final = len(MASK_ZERO)

HEADROOM: Final = MAX_HEADER_BYTES
"""So many bytes in front of what is received are enough for the beginning of a header that came before."""

_FIN_AND_OPCODE: Final = 0x8F
_MASKED: Final = 0x80
_LENGTH_16: Final = 126
_LENGTH_64: Final = 127


class Unmasker:
    """Frames of one direction; knows where in a frame it is."""

    __slots__ = ("_key", "_phase", "has_closed", "partial", "remaining", "violation")

    def __init__(self) -> None:
        self.partial = b""
        """The beginning of a header; it has to be put in front of what is fed next."""
        self.remaining = 0
        """Bytes that are missing of the frame that was handed out last."""
        self.has_closed = False
        """Whether a close frame has come; nothing that follows one is handed out."""
        self.violation = ""
        """How the peer broke the protocol; nothing is handed out after that either."""
        self._key = MASK_ZERO
        self._phase = 0

    def feed(self, data: memoryview) -> list[memoryview]:
        """Rewrite frames in place.

        Args:
            data: `partial` and what was received, writable.

        Returns:
            Views of `data`, to be sent in this order. If a frame had begun before, the first one is of that frame.
        """
        self.partial = b""
        parts: list[memoryview] = []
        position, end = 0, len(data)
        if self.remaining:
            position = self._pass_payload(data, 0, end)
            parts.append(data[:position])
        while position < end and not self.has_closed and not self.violation:
            header_end = self._read_header(data, position, end)
            if header_end == 0:
                self.partial = b"" if self.violation else bytes(data[position:])
                break
            start = position + KEY_BYTES
            position = self._pass_payload(data, header_end, end)
            parts.append(data[start:position])
        return parts

    def _read_header(self, data: memoryview, position: int, end: int) -> int:
        """Make the masked header at `position` an unmasked one that ends where it ended; 0 if it is not whole."""
        there = end - position
        if there < 2:
            return 0
        first, second = data[position], data[position + 1]
        if not second & _MASKED or first & ~_FIN_AND_OPCODE:
            self.violation = "a reserved bit is set" if second & _MASKED else "a client's frame is not masked"
            return 0
        length = second & ~_MASKED
        width = 2 if length == _LENGTH_16 else 8 if length == _LENGTH_64 else 0
        header = 2 + width + KEY_BYTES
        if there < header:
            return 0
        header_end = position + header
        head = bytes(data[position:header_end])
        if width:
            length = int.from_bytes(head[2 : 2 + width], "big")
            if length >> 63:
                self.violation = "a frame is longer than any can be"
                return 0
        # The first byte, the length without the mask's bit, the longer length: as before, KEY_BYTES later.
        data[position + KEY_BYTES] = first
        data[position + KEY_BYTES + 1] = second & ~_MASKED
        if width:
            data[header_end - width : header_end] = head[2 : 2 + width]
        self._key = head[-KEY_BYTES:]
        self._phase = 0
        self.remaining = length
        if first & 0x0F == Opcode.CLOSE:
            self.has_closed = True
        return header_end

    def _pass_payload(self, data: memoryview, start: int, end: int) -> int:
        """Count, and unmask where a key says so, what there is of the frame's payload; return where that ends."""
        size = min(self.remaining, end - start)
        self.remaining -= size
        if self._key != MASK_ZERO:
            phase = self._phase
            payload = data[start : start + size]
            payload[:] = apply_mask(payload, self._key[phase:] + self._key[:phase])
            self._phase = (phase + size) % KEY_BYTES
        return start + size
