"""Frames of a carrier: each is one binary message of a websocket (docs/protocol.md, "Carriers").

A message begins with one byte of type. Unknown types below 0x80 are ignored, from 0x80 on they are fatal. Numbers are
big-endian. Only a `Hello` may be longer than its layout: a later minor version appends to it.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import Final, assert_never

from genba_wire.buffers import Buffer
from genba_wire.errors import LocalProtocolError, RemoteProtocolError
from genba_wire.tunnel.frame_types import (
    ANSWER_S,
    BOOT_ID_BYTES,
    DATA_CHUNK_BYTES,
    DEAD_AFTER_S,
    FEATURES,
    FIRST_FATAL_TYPE,
    GREETING_S,
    KEY_BYTES,
    LINK_ID_BYTES,
    MAC_BYTES,
    MAGIC,
    MAJOR,
    MAX_CONTROL_BYTES,
    MAX_MESSAGE_BYTES,
    MAX_REASON_BYTES,
    MIN_MESSAGE_BYTES,
    MINOR,
    NEVER_RESUMES,
    NO_BOOT_ID,
    NONCE_BYTES,
    PING_AFTER_S,
    TOKEN_BYTES,
    Accept,
    Ack,
    Answer,
    Challenge,
    CloseCode,
    Closed,
    Command,
    Data,
    Frame,
    FrameType,
    Hello,
    Open,
    Ping,
    Pong,
    Proof,
    Resume,
    Resumed,
)

__all__ = [
    "ANSWER_S",
    "BOOT_ID_BYTES",
    "DATA_CHUNK_BYTES",
    "DATA_HEADER_BYTES",
    "DEAD_AFTER_S",
    "FEATURES",
    "FIRST_FATAL_TYPE",
    "GREETING_S",
    "KEY_BYTES",
    "LINK_ID_BYTES",
    "MAC_BYTES",
    "MAGIC",
    "MAJOR",
    "MAX_CONTROL_BYTES",
    "MAX_MESSAGE_BYTES",
    "MAX_REASON_BYTES",
    "MINOR",
    "MIN_MESSAGE_BYTES",
    "NEVER_RESUMES",
    "NONCE_BYTES",
    "NO_BOOT_ID",
    "PING_AFTER_S",
    "TOKEN_BYTES",
    "Accept",
    "Ack",
    "Answer",
    "Challenge",
    "CloseCode",
    "Closed",
    "Command",
    "Data",
    "Frame",
    "FrameType",
    "Hello",
    "Open",
    "Ping",
    "Pong",
    "Proof",
    "Resume",
    "Resumed",
    "check_hello",
    "cut_reason",
    "data_header",
    "encode",
    "parse",
    "parse_reason",
]

_HELLO: Final = Struct(">B4sBBII16s")
_OPEN: Final = Struct(">B16s32s")
_ACCEPT: Final = Struct(">B32sI")
_RESUME: Final = Struct(">B16s16sIQ16s")
_RESUMED: Final = Struct(">BQ32s")
_CLOSED: Final = Struct(">BH")
_OFFSET: Final = Struct(">BQ")
_TOKEN: Final = Struct(">B8s")
_NONCE: Final = Struct(">B16s")
_MAC: Final = Struct(">B32s")

DATA_HEADER_BYTES: Final = _OFFSET.size
"""Type and offset, before the bytes of a Data frame."""


def data_header(offset: int) -> bytes:
    """What stands before the bytes of a Data frame, so that they need not be copied."""
    return _OFFSET.pack(FrameType.DATA, offset)


def cut_reason(reason: str) -> bytes:
    """A reason as UTF-8, cut to `MAX_REASON_BYTES` at the end of a character."""
    data = reason.encode("utf-8", "replace")
    return data if len(data) <= MAX_REASON_BYTES else data[:MAX_REASON_BYTES].decode("utf-8", "ignore").encode()


def parse_reason(data: Buffer) -> str:
    """Read a reason that the peer sent.

    Raises:
        RemoteProtocolError: longer than `MAX_REASON_BYTES`, or not UTF-8.
    """
    if len(data) > MAX_REASON_BYTES:
        raise RemoteProtocolError(f"a reason of {len(data)} bytes is longer than {MAX_REASON_BYTES}")
    try:
        return str(data, "utf-8")
    except UnicodeDecodeError as error:
        raise RemoteProtocolError("a reason is not UTF-8") from error


def check_hello(hello: Hello) -> None:
    """Check that the other end can be talked to. A later minor version, unknown features and a larger promise can.

    Raises:
        RemoteProtocolError: another major version, or it takes less in one message than every end has to.
    """
    if hello.major != MAJOR:
        raise RemoteProtocolError(f"the other end speaks version {hello.major} of the protocol, this end {MAJOR}")
    if hello.max_message < MIN_MESSAGE_BYTES:
        raise RemoteProtocolError(f"a hello promises {hello.max_message} bytes; {MIN_MESSAGE_BYTES} are the least")


def encode(frame: Frame) -> bytes:
    """Turn a frame into one message.

    Raises:
        LocalProtocolError: a number or a text past its limit, or an id, key, nonce or mac of the wrong length.
    """
    match frame:
        case Ping(token):
            return _TOKEN.pack(FrameType.PING, _exact(token, TOKEN_BYTES))
        case Pong(token):
            return _TOKEN.pack(FrameType.PONG, _exact(token, TOKEN_BYTES))
        case Hello(boot_id, major, minor, features, max_message):
            if not MIN_MESSAGE_BYTES <= max_message <= MAX_MESSAGE_BYTES:
                raise LocalProtocolError(f"a hello can't promise to take {max_message} bytes")
            boot_id = _exact(boot_id, BOOT_ID_BYTES)
            return _HELLO.pack(FrameType.HELLO, MAGIC, major, minor, features, max_message, boot_id)
        case Open(link_id, public_key):
            return _OPEN.pack(FrameType.OPEN, _exact(link_id, LINK_ID_BYTES), _exact(public_key, KEY_BYTES))
        case Accept(public_key, keep_s):
            return _ACCEPT.pack(FrameType.ACCEPT, _exact(public_key, KEY_BYTES), keep_s)
        case Resume(link_id, boot_id, epoch, received, nonce):
            link_id, boot_id = _exact(link_id, LINK_ID_BYTES), _exact(boot_id, BOOT_ID_BYTES)
            return _RESUME.pack(FrameType.RESUME, link_id, boot_id, epoch, received, _exact(nonce, NONCE_BYTES))
        case Challenge(nonce):
            return _NONCE.pack(FrameType.CHALLENGE, _exact(nonce, NONCE_BYTES))
        case Proof(mac):
            return _MAC.pack(FrameType.PROOF, _exact(mac, MAC_BYTES))
        case Resumed(received, mac):
            return _RESUMED.pack(FrameType.RESUMED, received, _exact(mac, MAC_BYTES))
        case Closed(code, reason):
            return _CLOSED.pack(FrameType.CLOSED, code) + cut_reason(reason)
        case Data(offset, data):
            return b"".join((data_header(offset), data))
        case Ack(received):
            return _OFFSET.pack(FrameType.ACK, received)
        case Command(json):
            return bytes((FrameType.COMMAND,)) + _at_most(json, MAX_CONTROL_BYTES)
        case Answer(json):
            return bytes((FrameType.ANSWER,)) + _at_most(json, MAX_CONTROL_BYTES)
        case _:
            assert_never(frame)


def parse(message: Buffer) -> Frame | None:
    """Read one message.

    Returns:
        The frame, or None for an unknown type that may be ignored. The bytes of `Data` are a view of `message`.

    Raises:
        RemoteProtocolError: empty, an unknown type from 0x80 on, or not of its type's layout.
    """
    if not message:
        raise RemoteProtocolError("a message without a type")
    frame_type = message[0]
    read = _READERS.get(frame_type)
    if read is not None:
        return read(message)
    if frame_type < FIRST_FATAL_TYPE:
        return None
    raise RemoteProtocolError(f"the frame type {frame_type:#04x} is not known")


def _exact(value: bytes, size: int) -> bytes:
    if len(value) != size:
        raise LocalProtocolError(f"{len(value)} bytes where {size} belong")
    return value


def _at_most(value: bytes, size: int) -> bytes:
    if len(value) > size:
        raise LocalProtocolError(f"{len(value)} bytes where at most {size} fit")
    return value


def _read_hello(message: Buffer) -> Hello:
    if len(message) < _HELLO.size:
        raise RemoteProtocolError(f"a hello of {len(message)} bytes is too short")
    _, magic, major, minor, features, max_message, boot_id = _HELLO.unpack_from(message)
    if magic != MAGIC:
        raise RemoteProtocolError("the other end does not speak this protocol: its hello has another magic")
    return Hello(boot_id, major, minor, features, max_message)


def _read_closed(message: Buffer) -> Closed:
    if len(message) < _CLOSED.size:
        raise RemoteProtocolError("a closed frame without a code")
    _, code = _CLOSED.unpack_from(message)
    return Closed(code, parse_reason(memoryview(message)[_CLOSED.size :]))


def _read_data(message: Buffer) -> Data:
    if len(message) < DATA_HEADER_BYTES:
        raise RemoteProtocolError("a data frame without an offset")
    return Data(_OFFSET.unpack_from(message)[1], memoryview(message)[DATA_HEADER_BYTES:])


def _read_json(message: Buffer) -> bytes:
    if len(message) - 1 > MAX_CONTROL_BYTES:
        raise RemoteProtocolError(f"a command of {len(message) - 1} bytes is longer than {MAX_CONTROL_BYTES}")
    return bytes(memoryview(message)[1:])


def _fixed(frame_class: Callable[..., Frame], layout: Struct) -> Callable[[Buffer], Frame]:
    """A reader of frames whose layout is all there is to them."""

    def read(message: Buffer) -> Frame:
        if len(message) != layout.size:
            name = FrameType(message[0]).name.lower()
            raise RemoteProtocolError(f"a {name} frame of {len(message)} bytes; it has {layout.size}")
        return frame_class(*layout.unpack_from(message)[1:])

    return read


_READERS: Final[dict[int, Callable[[Buffer], Frame]]] = {
    FrameType.PING: _fixed(Ping, _TOKEN),
    FrameType.PONG: _fixed(Pong, _TOKEN),
    FrameType.HELLO: _read_hello,
    FrameType.OPEN: _fixed(Open, _OPEN),
    FrameType.ACCEPT: _fixed(Accept, _ACCEPT),
    FrameType.RESUME: _fixed(Resume, _RESUME),
    FrameType.CHALLENGE: _fixed(Challenge, _NONCE),
    FrameType.PROOF: _fixed(Proof, _MAC),
    FrameType.RESUMED: _fixed(Resumed, _RESUMED),
    FrameType.CLOSED: _read_closed,
    FrameType.DATA: _read_data,
    FrameType.ACK: _fixed(Ack, _OFFSET),
    FrameType.COMMAND: lambda message: Command(_read_json(message)),
    FrameType.ANSWER: lambda message: Answer(_read_json(message)),
}
