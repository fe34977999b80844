"""The base of all messages, and how they become bytes."""

from __future__ import annotations

from typing import TypeVar

import msgspec

MessageT = TypeVar("MessageT")

NIL_UUID = "00000000-0000-0000-0000-000000000000"


class Message(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A JSON object of the API; unknown keys are ignored when read."""


_encoder = msgspec.json.Encoder()


def encode_message(value: object) -> bytes:
    """Encode a message, or a list or dict of them, as JSON bytes."""
    return _encoder.encode(value)


def decode_message(data: bytes | str, message_type: type[MessageT]) -> MessageT:
    """Decode and check JSON.

    Raises:
        msgspec.ValidationError: a key is absent or of the wrong type; the message names it by its path.
        msgspec.DecodeError: not JSON at all.
    """
    return msgspec.json.decode(data, type=message_type, strict=True)


class ValidationProblem(Message, frozen=True, kw_only=True):
    """One field that was refused, by its JSON name."""

    field: str
    detail: str


class Response(Message, frozen=True, kw_only=True):
    """The body of every error, and of answers that only say something."""

    message: str
    detail: str = ""
    validations: list[ValidationProblem] = []
