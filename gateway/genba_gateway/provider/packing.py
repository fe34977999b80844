"""msgpack as Terraform uses it: unknown values travel as extensions."""

# msgpack ships no types; this module is the one that has to know.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from enum import Enum
from typing import Final, cast

import msgpack  # type: ignore[import-untyped]  # it ships no types


class MalformedValue(ValueError):
    """A message of Terraform does not fit the type it was announced with."""


class Unknown(Enum):
    """Has one member, so that a type checker can tell it from every other value."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN

# An unknown value travels as extension 0; one of which something is known (a prefix, that it isn't null) as 12.
UNKNOWN_EXTENSION = 0
REFINED_UNKNOWN_EXTENSION = 12
_ENCODED_UNKNOWN = msgpack.ExtType(UNKNOWN_EXTENSION, b"\x00")


def unpack(data: bytes) -> object:
    """Read one msgpack value.

    Raises:
        MalformedValue: the bytes are no such value.
    """
    try:
        return cast(object, msgpack.unpackb(data, raw=False, strict_map_key=False, ext_hook=_read_extension))
    except (ValueError, TypeError, msgpack.exceptions.UnpackException) as error:  # TypeError: a list as a key
        raise MalformedValue(f"not a msgpack value: {error}") from error


def pack(value: object) -> bytes:
    """Write one msgpack value, UNKNOWN included."""
    return cast(bytes, msgpack.packb(value, use_bin_type=True, default=_write_extension))


def _read_extension(code: int, data: bytes) -> Unknown:
    if code in (UNKNOWN_EXTENSION, REFINED_UNKNOWN_EXTENSION):
        return UNKNOWN
    raise MalformedValue(f"extension {code} of {len(data)} bytes has no meaning here")


def _write_extension(value: object) -> object:
    if value is UNKNOWN:
        return _ENCODED_UNKNOWN
    raise MalformedValue(f"{type(value).__name__} can't be sent")
