"""Frames of streams, inside the bytes of a link (docs/protocol.md, "Streams").

Layout, big-endian: 1 byte type, 4 bytes stream, 4 bytes payload length, payload. Unknown types below 0x80 are skipped,
from 0x80 on they are fatal. The bytes may come cut anywhere: links know nothing of streams.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from struct import Struct
from struct import error as StructError
from typing import Final, TypeAlias, assert_never

from genba_wire.buffers import Buffer
from genba_wire.errors import LocalProtocolError, RemoteProtocolError
from genba_wire.tunnel.frames import DATA_CHUNK_BYTES, FIRST_FATAL_TYPE, MAX_REASON_BYTES, cut_reason, parse_reason

MAX_HEAD_BYTES: Final = 16 * 1024
"""What is said when a stream opens or is accepted: a small JSON object, at most with a command line in it."""
MAX_NOTE_BYTES: Final = 64 * 1024
"""Notes are small too, but one may carry an environment or a list."""
MAX_KIND_BYTES: Final = 255
"""The kind's length is one byte."""
MAX_PAYLOAD_BYTES: Final = DATA_CHUNK_BYTES
"""Of every frame: what is longer is sent in several, so that other streams get between them."""


class MuxType(IntEnum):
    """The first byte of a stream's frame."""

    OPEN = 0x80
    ACCEPT = 0x81
    DATA = 0x82
    CREDIT = 0x83
    FINISH = 0x84
    RESET = 0x85
    NOTE = 0x86


class ResetCode(IntEnum):
    """Why a stream was refused or broken off. Later versions may add codes, so frames carry an int."""

    CANCELLED = 1
    """Whoever used it does not want it any more."""
    REFUSED = 2
    NOT_SUPPORTED = 3
    """The other end does not know the kind."""
    FAILED = 4
    """What is behind the stream broke: a process, a connection."""
    PROTOCOL = 5
    """The head or a note could not be read."""
    LINK_LOST = 6
    """The link is over; never sent."""
    GONE = 7
    """What the head names is not there (any more), and was not to be made."""


@dataclass(frozen=True, slots=True)
class Open:
    """A stream begins. The other end may send `window` bytes at first, once it has accepted."""

    stream: int
    window: int
    kind: str
    head: bytes = b""


@dataclass(frozen=True, slots=True)
class Accept:
    """The stream is open. The opener may send `window` bytes at first."""

    stream: int
    window: int
    head: bytes = b""


@dataclass(frozen=True, slots=True)
class Data:
    """Bytes of the stream. Read, `data` may be a part of the frame's, a view of what was fed."""

    stream: int
    data: Buffer


@dataclass(frozen=True, slots=True)
class Credit:
    """The other end may send `size` more bytes."""

    stream: int
    size: int


@dataclass(frozen=True, slots=True)
class Finish:
    """No data or notes follow from this end."""

    stream: int


@dataclass(frozen=True, slots=True)
class Reset:
    """The stream is over both ways, or was not accepted."""

    stream: int
    code: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """JSON beside the data, in order with it and outside the credit."""

    stream: int
    data: bytes


MuxFrame: TypeAlias = Open | Accept | Data | Credit | Finish | Reset | Note

HEADER: Final = Struct(">BII")
_OPEN: Final = Struct(">IB")
_U32: Final = Struct(">I")
_U16: Final = Struct(">H")

_MAX_PAYLOADS: Final[dict[int, int]] = {
    MuxType.OPEN: _OPEN.size + MAX_KIND_BYTES + MAX_HEAD_BYTES,
    MuxType.ACCEPT: _U32.size + MAX_HEAD_BYTES,
    MuxType.DATA: MAX_PAYLOAD_BYTES,
    MuxType.CREDIT: _U32.size,
    MuxType.FINISH: 0,
    MuxType.RESET: _U16.size + MAX_REASON_BYTES,
    MuxType.NOTE: MAX_NOTE_BYTES,
}


def encode(frame: MuxFrame) -> bytes:
    """Turn a frame into bytes.

    Raises:
        LocalProtocolError: a member is past its limit.
    """
    match frame:
        case Open(stream, window, kind, head):
            name = kind.encode("ascii", "replace")
            if name.decode() != kind or not 0 < len(name) <= MAX_KIND_BYTES:
                raise LocalProtocolError(f"a stream's kind is 1 to {MAX_KIND_BYTES} characters of ASCII, not {kind!r}")
            payload = _OPEN.pack(window, len(name)) + name + _at_most(head, MAX_HEAD_BYTES, "head")
            return HEADER.pack(MuxType.OPEN, stream, len(payload)) + payload
        case Accept(stream, window, head):
            payload = _U32.pack(window) + _at_most(head, MAX_HEAD_BYTES, "head")
            return HEADER.pack(MuxType.ACCEPT, stream, len(payload)) + payload
        case Data(stream, data):
            return data_header(stream, len(data)) + data
        case Credit(stream, size):
            return HEADER.pack(MuxType.CREDIT, stream, _U32.size) + _U32.pack(size)
        case Finish(stream):
            return HEADER.pack(MuxType.FINISH, stream, 0)
        case Reset(stream, code, reason):
            payload = _U16.pack(code) + cut_reason(reason)
            return HEADER.pack(MuxType.RESET, stream, len(payload)) + payload
        case Note(stream, data):
            return HEADER.pack(MuxType.NOTE, stream, len(_at_most(data, MAX_NOTE_BYTES, "note"))) + data
        case _:
            assert_never(frame)


def data_header(stream: int, size: int) -> bytes:
    """What stands before `size` bytes of a stream, so that they need not be copied."""
    if size > MAX_PAYLOAD_BYTES:
        raise LocalProtocolError(f"{size} bytes in one frame; {MAX_PAYLOAD_BYTES} are allowed")
    return HEADER.pack(MuxType.DATA, stream, size)


KEPT_SHARE: Final = 8
"""A part of less than an eighth of what was fed is copied, so that who keeps it keeps eight times its bytes at most. A
frame of bulk is a fourth of the longest message."""


class MuxFrameReader:
    """Takes the bytes of a link apart, however they were cut. Only what is not data is kept until it is whole."""

    def __init__(self) -> None:
        self._kept = bytearray()
        """The beginning of a header, or of a payload that is neither data nor skipped."""
        self._is_in_payload = False
        self._type = self._stream = self._left = 0
        """Of the frame whose payload is being read; `_left` bytes of it are still to come."""

    def feed(self, data: Buffer) -> list[MuxFrame]:
        """Take bytes; return the frames in them. A Data frame may come in several parts, each as a Data.

        Raises:
            RemoteProtocolError: the peer broke a rule; the reader is of no further use.
        """
        view = memoryview(data)
        end = len(view)
        at = 0
        frames: list[MuxFrame] = []
        while at < end:
            if not self._is_in_payload:
                at = self._read_header(view, at)
                if not self._is_in_payload:
                    break
            part = view[at : at + self._left]
            at += len(part)
            self._left -= len(part)
            if self._type == MuxType.DATA:
                if part:
                    # A view keeps all that was fed: who keeps little must not keep much.
                    is_much = len(part) * KEPT_SHARE >= end
                    frames.append(Data(self._stream, part if is_much else memoryview(bytes(part))))
            elif self._type >= FIRST_FATAL_TYPE:
                self._kept += part
                if not self._left:
                    frames.append(_parse(self._type, self._stream, bytes(self._kept)))
                    self._kept.clear()
            self._is_in_payload = self._left > 0
        return frames

    def _read_header(self, view: memoryview, at: int) -> int:
        """Read a header, or what is there of it; return where the rest begins."""
        kept = self._kept
        if not kept and len(view) - at >= HEADER.size:
            self._type, self._stream, size = HEADER.unpack_from(view, at)
            at += HEADER.size
        else:
            part = view[at : at + HEADER.size - len(kept)]
            kept += part
            at += len(part)
            if len(kept) < HEADER.size:
                return at
            self._type, self._stream, size = HEADER.unpack(kept)
            kept.clear()
        self._left = _check_size(self._type, size)
        self._is_in_payload = True
        return at


def _check_size(frame_type: int, size: int) -> int:
    """Return the size when the type may have it."""
    limit = _MAX_PAYLOADS.get(frame_type)
    if limit is None:
        if frame_type >= FIRST_FATAL_TYPE:
            raise RemoteProtocolError(f"the type {frame_type:#04x} of a stream's frame is not known")
        limit = MAX_PAYLOAD_BYTES
    if size > limit:
        raise RemoteProtocolError(f"a stream's frame of type {frame_type:#04x} has {size} bytes; {limit} are allowed")
    return size


def _parse(frame_type: int, stream: int, payload: bytes) -> MuxFrame:
    try:
        match frame_type:
            case MuxType.OPEN:
                window, kind_size = _OPEN.unpack_from(payload)
                kind, head = payload[_OPEN.size : _OPEN.size + kind_size], payload[_OPEN.size + kind_size :]
                if not kind or len(kind) != kind_size or len(head) > MAX_HEAD_BYTES:
                    raise RemoteProtocolError("the kind or head of a stream is too short or too long")
                return Open(stream, window, kind.decode("ascii"), head)
            case MuxType.ACCEPT:
                return Accept(stream, _U32.unpack_from(payload)[0], payload[_U32.size :])
            case MuxType.CREDIT:
                return Credit(stream, _U32.unpack(payload)[0])
            case MuxType.FINISH:
                return Finish(stream)
            case MuxType.RESET:
                return Reset(stream, _U16.unpack_from(payload)[0], parse_reason(payload[_U16.size :]))
            case _:
                return Note(stream, payload)
    except (StructError, UnicodeDecodeError) as error:
        raise RemoteProtocolError(f"a stream's frame of type {frame_type:#04x} is malformed") from error


def _at_most(value: bytes, size: int, name: str) -> bytes:
    if len(value) > size:
        raise LocalProtocolError(f"a {name} of {len(value)} bytes; at most {size} fit")
    return value
