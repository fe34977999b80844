"""A carrier's messages as one stream of bytes, for the way over plain HTTP requests (docs/protocol.md).

Pure: bytes in, events out. Each message goes behind its length; the stream may be cut anywhere, as it is by the
requests that carry it up and by whatever stands on the way down.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from genba_wire.buffers import Buffer
from genba_wire.errors import RemoteProtocolError
from genba_wire.tunnel.frames import MAX_MESSAGE_BYTES

LENGTH_BYTES: Final = 4

KEEP_ALIVE: Final = bytes(LENGTH_BYTES)
"""A length of 0: no carrier's message is empty, so this is none."""

END_FLAG: Final = 0x8000_0000
"""In a length: what follows is no message but the carrier's end."""

CODE_BYTES: Final = 2

MAX_END_BYTES: Final = CODE_BYTES + 1024
"""A reason is for people; senders cut it (as `MAX_REASON_BYTES` of other frames)."""

CLOSE_PROTOCOL_ERROR: Final = 1002
CLOSE_TOO_BIG: Final = 1009


@dataclass(frozen=True, slots=True)
class CarrierMessage:
    """One message of the carrier."""

    data: bytes


@dataclass(frozen=True, slots=True)
class CarrierEnd:
    """The other end closed the carrier; the code is that of a websocket."""

    code: int
    reason: str


HttpEvent: TypeAlias = CarrierMessage | CarrierEnd


def encode_length(size: int) -> bytes:
    """What goes in front of a message of so many bytes."""
    return size.to_bytes(LENGTH_BYTES, "big")


def encode_end(code: int, reason: str) -> bytes:
    """The last of a stream."""
    said = reason.encode()[: MAX_END_BYTES - CODE_BYTES].decode(errors="ignore").encode()
    return encode_length(END_FLAG | (CODE_BYTES + len(said))) + code.to_bytes(CODE_BYTES, "big") + said


class HttpFrameReader:
    """Reads one direction; what comes behind its end is dropped."""

    __slots__ = ("_is_over", "_kept", "_needed", "frames")

    def __init__(self) -> None:
        self.frames = 0
        """How many have come, those that only keep the way open among them."""
        self._kept = bytearray()
        self._needed = LENGTH_BYTES
        self._is_over = False

    @property
    def kept_bytes(self) -> int:
        """Of a frame that is not whole."""
        return len(self._kept)

    def feed(self, data: Buffer) -> list[HttpEvent]:
        """Take what came next.

        Raises:
            RemoteProtocolError: it can't be a carrier's; nothing more can be read.
        """
        if self._is_over:
            return []
        kept = self._kept
        if kept or len(data) < self._needed:
            kept += data
            if len(kept) < self._needed:
                self._look_at_length(kept)
                return []
            data = bytes(kept)
            kept.clear()
        events: list[HttpEvent] = []
        position = self._read_all(memoryview(data), events)
        if not self._is_over:
            kept += data[position:]
        return events

    def _read_all(self, data: memoryview, events: list[HttpEvent]) -> int:
        """Read every whole frame; returns where the next one begins."""
        position, size = 0, len(data)
        while not self._is_over:
            start = position + LENGTH_BYTES
            if start > size:
                self._needed = LENGTH_BYTES
                break
            length = int.from_bytes(data[position:start], "big")
            end = start + _check_length(length)
            if end > size:
                self._needed = end - position
                break
            self.frames += 1
            if length & END_FLAG:
                events.append(_read_end(bytes(data[start:end])))
                self._is_over = True
            elif length:
                events.append(CarrierMessage(bytes(data[start:end])))
            position = end
        return position

    def _look_at_length(self, kept: bytearray) -> None:
        """Know early how much is missing, and refuse early what is too much."""
        if self._needed == LENGTH_BYTES and len(kept) >= LENGTH_BYTES:
            self._needed += _check_length(int.from_bytes(kept[:LENGTH_BYTES], "big"))


def _check_length(length: int) -> int:
    size, most = length & ~END_FLAG, MAX_END_BYTES if length & END_FLAG else MAX_MESSAGE_BYTES
    if size > most:
        raise RemoteProtocolError(f"a frame of {size} bytes; {most} are allowed", CLOSE_TOO_BIG)
    if length & END_FLAG and size < CODE_BYTES:
        raise RemoteProtocolError("an end without a code", CLOSE_PROTOCOL_ERROR)
    return size


def _read_end(data: bytes) -> CarrierEnd:
    return CarrierEnd(int.from_bytes(data[:CODE_BYTES], "big"), data[CODE_BYTES:].decode(errors="replace"))
