"""Frames of websockets (RFC 6455, section 5), as our ends of a carrier and the relay between them need them.

No extension is ever negotiated on a carrier, so the reserved bits have to be zero. What clients send is masked; ours
mask with the key 0, so that the payload is what it was and nobody has to touch it. Payloads are never copied while a
frame lies whole in what was fed; what is handed out are views of the fed bytes, valid while the caller leaves them
as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import Final, TypeAlias

from genba_wire.buffers import Buffer
from genba_wire.errors import RemoteProtocolError
from genba_wire.websocket_parser import (
    CLOSE_NOT_UTF8,
    CLOSE_TOO_BIG,
    CLOSE_UNSUPPORTED,
    MASK_ZERO,
    MAX_CONTROL,
    MAX_HEADER_BYTES,
    NO_STATUS,
    FrameEnd,
    FrameEvent,
    FrameParser,
    FramePayload,
    FrameStart,
    Opcode,
    encode_close,
    encode_header,
)

__all__ = [
    "CLOSE_NOT_UTF8",
    "CLOSE_TOO_BIG",
    "CLOSE_UNSUPPORTED",
    "MASK_ZERO",
    "MAX_CONTROL",
    "MAX_HEADER_BYTES",
    "NO_STATUS",
    "BinaryMessage",
    "Close",
    "FrameEnd",
    "FrameEvent",
    "FrameParser",
    "FramePayload",
    "FrameStart",
    "MessageEvent",
    "MessageReader",
    "Opcode",
    "Ping",
    "Pong",
    "encode_close",
    "encode_header",
]

_CODE: Final = Struct(">H")
_NEVER_SENT: Final = frozenset((1004, NO_STATUS, 1006))


@dataclass(frozen=True, slots=True)
class BinaryMessage:
    """A whole message. `data` is a view of the fed bytes when the message lay whole in them."""

    data: memoryview | bytes


@dataclass(frozen=True, slots=True)
class Ping:
    """To be answered by a pong with the same data."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Pong:
    """The answer to a ping, or unasked."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Close:
    """The peer closes; nothing follows. `code` is 1005 when it gave none."""

    code: int
    reason: str


MessageEvent: TypeAlias = BinaryMessage | Ping | Pong | Close


class MessageReader:
    """Puts the messages of one direction together."""

    def __init__(self, is_server: bool, max_message: int) -> None:
        """Make the reader of one connection.

        Args:
            is_server: whether this end is the server, whose peer has to mask; a client's peer must not.
            max_message: bytes that a message may have, over all its fragments.
        """
        self._parser = FrameParser(is_server, max_message)
        self._max_message = max_message
        self._opcode = 0
        self._fin = True
        self._whole: memoryview | None = None
        """The only piece of the message so far."""
        self._pieces = bytearray()
        """Pieces of a message that came in several: copied, since many small views would cost more than they hold."""
        self._control = b""

    def feed(self, data: Buffer) -> list[MessageEvent]:
        """Take what was received; return the messages that are whole, in order. After a `Close` all is dropped.

        Raises:
            RemoteProtocolError: the peer broke a rule or sent text; the reader is of no further use.
        """
        events: list[MessageEvent] = []
        for event in self._parser.feed(data):
            match event:
                case FramePayload(payload):
                    self._add(payload)
                case FrameStart(opcode, fin, length):
                    self._begin(opcode, fin, length)
                case FrameEnd():
                    self._end(events)
        self._keep()
        return events

    def _begin(self, opcode: int, fin: bool, length: int) -> None:
        self._opcode, self._fin = opcode, fin
        if opcode >= Opcode.CLOSE:
            self._control = b""
        elif opcode == Opcode.TEXT:
            raise RemoteProtocolError("text, where only binary messages belong", CLOSE_UNSUPPORTED)
        elif opcode == Opcode.CONTINUATION:
            self._keep()
            if len(self._pieces) + length > self._max_message:
                raise RemoteProtocolError(f"a message of more than {self._max_message} bytes", CLOSE_TOO_BIG)

    def _add(self, payload: memoryview) -> None:
        if self._opcode >= Opcode.CLOSE:
            self._control += payload
        elif self._whole is None and not self._pieces:
            self._whole = payload
        else:
            self._keep()
            self._pieces += payload

    def _end(self, events: list[MessageEvent]) -> None:
        match self._opcode:
            case Opcode.PING:
                events.append(Ping(self._control))
            case Opcode.PONG:
                events.append(Pong(self._control))
            case Opcode.CLOSE:
                events.append(_parse_close(self._control))
            case _ if self._fin:
                if self._whole is not None:
                    events.append(BinaryMessage(self._whole))
                    self._whole = None
                else:
                    events.append(BinaryMessage(memoryview(self._pieces)))
                    self._pieces = bytearray()
            case _:
                pass

    def _keep(self) -> None:
        """Copy the piece of an unfinished message: the fed bytes are the caller's again."""
        if self._whole is not None:
            self._pieces += self._whole
            self._whole = None


def _parse_close(payload: bytes) -> Close:
    if not payload:
        return Close(NO_STATUS, "")
    if len(payload) < _CODE.size:
        raise RemoteProtocolError("a close frame with half a code")
    code = _CODE.unpack_from(payload)[0]
    if not (1000 <= code <= 1014 or 3000 <= code <= 4999) or code in _NEVER_SENT:
        raise RemoteProtocolError(f"a close frame with the code {code}, which nobody may send")
    try:
        return Close(code, payload[_CODE.size :].decode())
    except UnicodeDecodeError as error:
        raise RemoteProtocolError("the reason of a close frame is not UTF-8", CLOSE_NOT_UTF8) from error
