"""Answers of the command line's small gateway."""

from __future__ import annotations

from typing import Any

import msgspec
from quart import Response

from genba_wire.api.message import encode_message

Json = Any


def json_answer(value: object, status: int = 200) -> Response:
    return Response(encode_message(value), status=status, content_type="application/json; charset=utf-8")


def refuse(status: int, message: str, **more: Any) -> Response:
    return json_answer({"message": message, **more}, status)


def with_unknown_key(value: object) -> Json:
    """A message with a key that the client has never heard of."""
    raw: Json = msgspec.to_builtins(value)
    if isinstance(value, list):
        return [{**one, "future": 7} for one in raw]
    return {**raw, "future": 7}
