"""Small JSON objects told apart by their key "type", as commands and notes are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from genba_wire.buffers import Buffer
from genba_wire.errors import RemoteProtocolError

StructT = TypeVar("StructT", bound=msgspec.Struct)


class _Tagged(msgspec.Struct, frozen=True):
    type: str


_encoder = msgspec.json.Encoder()


def encode(message: msgspec.Struct) -> bytes:
    """Return the message as JSON."""
    return _encoder.encode(message)


def decode(data: Buffer, message_type: type[StructT]) -> StructT:
    """Read one message; unknown keys are ignored.

    Raises:
        RemoteProtocolError: not JSON, or not such a message; says which key is wrong.
    """
    try:
        return msgspec.json.decode(data, type=message_type, strict=True)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise RemoteProtocolError(f"not a message that can be read: {error}") from error


def decode_tagged(data: Buffer, types: Mapping[str, type[StructT]]) -> StructT | None:
    """Read a message by its tag; None when the tag is not among `types`, since later versions have more.

    Raises:
        RemoteProtocolError: not JSON, without a tag, or not what the tag says.
    """
    message_type = types.get(decode(data, _Tagged).type)
    return None if message_type is None else decode(data, message_type)
