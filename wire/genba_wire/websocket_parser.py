"""Headers and frames of websockets; `websocket_frames` names all that is public of it, and puts messages together."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from struct import Struct
from typing import Final, TypeAlias

from genba_wire.buffers import Buffer
from genba_wire.errors import LocalProtocolError, RemoteProtocolError

try:
    from websockets.speedups import apply_mask
except ImportError:  # a platform without wheels: the same in Python
    from websockets.utils import apply_mask

MASK_ZERO: Final = bytes(4)
"""The masking key that leaves the payload as it is."""

MAX_CONTROL: Final = 125
"""Payload bytes of a ping, pong or close frame (RFC 6455, section 5.5)."""

MAX_HEADER_BYTES: Final = 14
"""Two bytes, eight of length, four of masking key."""

CLOSE_UNSUPPORTED: Final = 1003
CLOSE_NOT_UTF8: Final = 1007
CLOSE_TOO_BIG: Final = 1009

NO_STATUS: Final = 1005
"""What a close frame without a code means; never sent (section 7.4.1)."""


class Opcode(IntEnum):
    """What a frame is (section 5.2); from 8 on they control the connection."""

    CONTINUATION = 0x0
    TEXT = 0x1
    BINARY = 0x2
    CLOSE = 0x8
    PING = 0x9
    PONG = 0xA


@dataclass(frozen=True, slots=True)
class FrameStart:
    """A frame begins; `length` bytes of payload follow. `is_masked`: by a key other than 0, so they were unmasked."""

    opcode: int
    fin: bool
    length: int
    is_masked: bool


@dataclass(frozen=True, slots=True)
class FramePayload:
    """Some of the payload of the frame that began last, unmasked."""

    data: memoryview


@dataclass(frozen=True, slots=True)
class FrameEnd:
    """The frame that began last is whole."""


FrameEvent: TypeAlias = FrameStart | FramePayload | FrameEnd


_OPCODES: Final = frozenset(Opcode)
_FIN: Final = 0x80
_RESERVED: Final = 0x70
_OPCODE: Final = 0x0F
_MASKED: Final = 0x80
_LENGTH: Final = 0x7F
_LENGTH_16: Final = 126
_LENGTH_64: Final = 127
_SHORT_HEADER: Final = Struct(">BB")
_HEADER_16: Final = Struct(">BBH")
_HEADER_64: Final = Struct(">BBQ")
_CODE: Final = Struct(">H")


def encode_header(opcode: int, length: int, *, masked: bool, fin: bool = True) -> bytes:
    """Return what stands before `length` bytes of payload; masked, with the key 0 appended.

    Raises:
        LocalProtocolError: a control frame of more than 125 bytes.
    """
    first = opcode | _FIN if fin else opcode
    mask = _MASKED if masked else 0
    if length < _LENGTH_16:
        header = _SHORT_HEADER.pack(first, mask | length)
    elif opcode >= Opcode.CLOSE:
        raise LocalProtocolError(f"a control frame of {length} bytes; {MAX_CONTROL} are allowed")
    elif length < 1 << 16:
        header = _HEADER_16.pack(first, mask | _LENGTH_16, length)
    else:
        header = _HEADER_64.pack(first, mask | _LENGTH_64, length)
    return header + MASK_ZERO if masked else header


def encode_close(code: int, reason: str, *, masked: bool) -> bytes:
    """Return a whole close frame; a reason that does not fit into 123 bytes of UTF-8 is cut."""
    text = reason.encode("utf-8", "replace")[: MAX_CONTROL - _CODE.size].decode("utf-8", "ignore").encode()
    return encode_header(Opcode.CLOSE, _CODE.size + len(text), masked=masked) + _CODE.pack(code) + text


class FrameParser:
    """Takes the bytes of one direction apart, however they were cut, without keeping payload."""

    def __init__(self, is_server: bool, max_length: int) -> None:
        """Make the parser of one connection.

        Args:
            is_server: whether this end is the server, whose peer has to mask; a client's peer must not.
            max_length: payload bytes that a data frame may have.
        """
        self._is_server = is_server
        self._max_length = max_length
        self._kept = bytearray()
        """The beginning of a header that was cut."""
        self._left = 0
        self._key = MASK_ZERO
        """Payload that is to come of the current frame, and the key for it, turned to where it begins."""
        self._is_in_frame = False
        self._is_in_message = False
        self._is_close = False
        self._has_closed = False

    def feed(self, data: Buffer) -> list[FrameEvent]:
        """Take what was received; return what is in it, in order. Behind a close frame all is dropped (section 5.5.1).

        Raises:
            RemoteProtocolError: the peer broke a rule; the parser is of no further use.
        """
        view = memoryview(data)
        end = len(view)
        at = 0
        events: list[FrameEvent] = []
        while at < end and not self._has_closed:
            if not self._is_in_frame:
                at = self._read_header(view, at, events)
                if not self._is_in_frame:
                    break
            part = view[at : at + self._left]
            if part:
                at += len(part)
                self._left -= len(part)
                events.append(FramePayload(part if self._key == MASK_ZERO else self._unmask(part)))
            if not self._left:
                self._is_in_frame = False
                self._has_closed = self._is_close
                events.append(_FRAME_END)
        return events

    def _unmask(self, part: memoryview) -> memoryview:
        turned = len(part) % len(self._key)
        unmasked = apply_mask(part, self._key)
        self._key = self._key[turned:] + self._key[:turned]
        return memoryview(unmasked)

    def _read_header(self, view: memoryview, at: int, events: list[FrameEvent]) -> int:
        """Read a header, or what is there of it; return where the rest begins."""
        kept = self._kept
        if kept:
            before = len(kept)
            kept += view[at : at + MAX_HEADER_BYTES - before]
            size = self._parse_header(memoryview(kept), 0, events)
            if not size:
                return len(view)
            self._kept = bytearray()
            return at + size - before
        size = self._parse_header(view, at, events)
        if not size:
            kept += view[at:]
            return len(view)
        return at + size

    def _parse_header(self, view: memoryview, at: int, events: list[FrameEvent]) -> int:
        """Begin a frame; return the size of its header, 0 when it is not whole yet."""
        there = len(view) - at
        if there < _SHORT_HEADER.size:
            return 0
        first, second = view[at], view[at + 1]
        opcode, fin = first & _OPCODE, bool(first & _FIN)
        length = second & _LENGTH
        self._check(first, second)
        size = _SHORT_HEADER.size if length < _LENGTH_16 else (_HEADER_16 if length == _LENGTH_16 else _HEADER_64).size
        if there < size + (len(MASK_ZERO) if self._is_server else 0):
            return 0
        if length == _LENGTH_16:
            length = _HEADER_16.unpack_from(view, at)[2]
        elif length == _LENGTH_64:
            length = _HEADER_64.unpack_from(view, at)[2]
        if length > self._max_length and opcode < Opcode.CLOSE:
            raise RemoteProtocolError(f"a frame of {length} bytes; {self._max_length} are allowed", CLOSE_TOO_BIG)
        self._key = MASK_ZERO
        if self._is_server:
            self._key = bytes(view[at + size : at + size + len(MASK_ZERO)])
            size += len(MASK_ZERO)
        if opcode < Opcode.CLOSE:
            self._is_in_message = not fin
        self._is_close = opcode == Opcode.CLOSE
        self._left = length
        self._is_in_frame = True
        events.append(FrameStart(opcode, fin, length, self._key != MASK_ZERO))
        return size

    def _check(self, first: int, second: int) -> None:
        """Check the first two bytes of a header."""
        opcode = first & _OPCODE
        if first & _RESERVED or opcode not in _OPCODES:
            raise RemoteProtocolError(f"a frame that begins with {first:#04x}, which means nothing here")
        if bool(second & _MASKED) != self._is_server:
            raise RemoteProtocolError("a client's frame is not masked" if self._is_server else "a masked frame")
        if opcode >= Opcode.CLOSE:
            if second & _LENGTH > MAX_CONTROL or not first & _FIN:
                raise RemoteProtocolError(f"a control frame in fragments, or of more than {MAX_CONTROL} bytes")
        elif (opcode == Opcode.CONTINUATION) != self._is_in_message:
            raise RemoteProtocolError("a message inside another one, or the middle of none")


_FRAME_END: Final = FrameEnd()
