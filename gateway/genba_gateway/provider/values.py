"""Terraform's values in Python, and how they travel: msgpack both ways, JSON for stored state.

A value is None, a bool, a number, a string, a list (Terraform's lists, sets and tuples), a dict (maps and
objects), or UNKNOWN: not known before apply. What a list or dict is, only its type says, so both directions are
led by a `Type`. A number that fits neither an int nor a float exactly travels as text and is a Decimal here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import TypeAlias, cast

from genba_gateway.provider.packing import UNKNOWN, MalformedValue, Unknown, pack, unpack

Value: TypeAlias = "bool | int | float | Decimal | str | Unknown | list[Value] | dict[str, Value] | None"
Object: TypeAlias = dict[str, Value]


__all__ = [
    "UNKNOWN",
    "Fields",
    "ListOf",
    "MalformedValue",
    "MapOf",
    "Object",
    "ObjectOf",
    "Primitive",
    "SetOf",
    "Type",
    "Unknown",
    "Value",
    "decode_json",
    "decode_msgpack",
    "describe_type",
    "encode_msgpack",
]


class Primitive(Enum):
    """Terraform's primitive types; the value is the name in a type's JSON form."""

    STRING = "string"
    NUMBER = "number"
    BOOL = "bool"


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list."""

    element: Type


@dataclass(frozen=True, slots=True)
class SetOf:
    """A set: a list here; Terraform itself orders and deduplicates it."""

    element: Type


@dataclass(frozen=True, slots=True)
class MapOf:
    """A map with text keys."""

    element: Type


@dataclass(frozen=True, slots=True)
class ObjectOf:
    """An object; every attribute is present, be it null."""

    attributes: Mapping[str, Type]


Type: TypeAlias = "Primitive | ListOf | SetOf | MapOf | ObjectOf"

_INT64 = range(-(2**63), 2**64)


def describe_type(of: Type) -> object:
    """Give a type's JSON form, as it stands in a schema: `"string"`, `["list", "string"]` and so on."""
    match of:
        case Primitive():
            return of.value
        case ListOf():
            return ["list", describe_type(of.element)]
        case SetOf():
            return ["set", describe_type(of.element)]
        case MapOf():
            return ["map", describe_type(of.element)]
        case ObjectOf():
            return ["object", {name: describe_type(each) for name, each in of.attributes.items()}]


def decode_msgpack(data: bytes, of: Type) -> Value:
    """Read a value of type `of`.

    Raises:
        MalformedValue: the bytes are not such a value.
    """
    return _decode(unpack(data), of, lenient=False)


def decode_json(data: bytes, of: Type) -> Value:
    """Read a value of type `of` from stored state, which may be of an older schema.

    Attributes that the type no longer has are dropped, missing ones are null.

    Raises:
        MalformedValue: the bytes are not such a value.
    """
    try:
        raw: object = json.loads(data, parse_float=Decimal)
    except ValueError as error:
        raise MalformedValue(f"not JSON: {error}") from error
    return _decode(raw, of, lenient=True)


def encode_msgpack(value: Value, of: Type) -> bytes:
    """Write a value of type `of`; the reverse of `decode_msgpack`, except that refinements are lost."""
    return pack(_encode(value, of))


def _decode(raw: object, of: Type, *, lenient: bool) -> Value:
    if raw is None or raw is UNKNOWN:
        return raw
    match of:
        case Primitive.STRING if isinstance(raw, str):
            return raw
        case Primitive.BOOL if isinstance(raw, bool):
            return raw
        case Primitive.NUMBER if not isinstance(raw, bool):
            return _decode_number(raw)
        case ListOf() | SetOf() if isinstance(raw, list):
            return [_decode(each, of.element, lenient=lenient) for each in cast("list[object]", raw)]
        case MapOf() if isinstance(raw, dict):
            items = cast("dict[str, object]", raw).items()
            return {str(key): _decode(each, of.element, lenient=lenient) for key, each in items}
        case ObjectOf() if isinstance(raw, dict):
            return _decode_object(cast("dict[str, object]", raw), of, lenient=lenient)
        case _:
            raise MalformedValue(f"{type(raw).__name__} where {json.dumps(describe_type(of))} is expected")


def _decode_object(raw: dict[str, object], of: ObjectOf, *, lenient: bool) -> Object:
    if not lenient and raw.keys() != of.attributes.keys():
        odd = ", ".join(sorted(raw.keys() ^ of.attributes.keys()))
        raise MalformedValue(f"these attributes are missing or not of the schema: {odd}")
    return {name: _decode(raw.get(name), each, lenient=lenient) for name, each in of.attributes.items()}


def _decode_number(raw: object) -> Value:
    if isinstance(raw, int | float):
        return raw
    if isinstance(raw, str | Decimal):
        try:
            exact = Decimal(raw)
        except InvalidOperation as error:
            raise MalformedValue("text that is no number where a number is expected") from error
        if exact.is_finite() and exact == exact.to_integral_value():
            return int(exact)
        return exact
    raise MalformedValue(f"{type(raw).__name__} where a number is expected")


def _encode(value: Value, of: Type) -> object:
    if value is None or value is UNKNOWN:
        return value
    match of:
        case Primitive.NUMBER if isinstance(value, int) and not isinstance(value, bool):
            return value if value in _INT64 else str(value)
        case Primitive.NUMBER if isinstance(value, float):
            return value
        case Primitive.NUMBER if isinstance(value, Decimal):
            return str(value)
        case Primitive.STRING if isinstance(value, str):
            return value
        case Primitive.BOOL if isinstance(value, bool):
            return value
        case ListOf() | SetOf() if isinstance(value, list):
            return [_encode(each, of.element) for each in value]
        case MapOf() if isinstance(value, dict):
            return {key: _encode(each, of.element) for key, each in value.items()}
        case ObjectOf() if isinstance(value, dict):
            return {name: _encode(value[name], each) for name, each in of.attributes.items()}
        case _:
            raise MalformedValue(f"{type(value).__name__} can't be sent as {json.dumps(describe_type(of))}")


class Fields:
    """Typed access to an object; unknown and null read as the type's zero value, as in Terraform's own SDK."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Value]) -> None:
        self._values = values

    def __getitem__(self, name: str) -> Value:
        """Give the value as it is."""
        return self._values[name]

    def has(self, name: str) -> bool:
        """Say whether the value is there: neither null nor unknown."""
        return self._values[name] not in (None, UNKNOWN)

    def is_unknown(self, name: str) -> bool:
        """Say whether the value is not known before apply."""
        return self._values[name] is UNKNOWN

    def text(self, name: str) -> str:
        """Give a string, "" when there is none."""
        value = self._values[name]
        return value if isinstance(value, str) else ""

    def flag(self, name: str) -> bool:
        """Give a bool, False when there is none."""
        return self._values[name] is True

    def number(self, name: str) -> int:
        """Give a whole number, 0 when there is none."""
        value = self._values[name]
        return value if isinstance(value, int) and not isinstance(value, bool) else 0

    def rows(self, name: str) -> Sequence[Fields]:
        """Give the blocks of that name that are known."""
        value = self._values[name]
        return [Fields(each) for each in value if isinstance(each, dict)] if isinstance(value, list) else []

    def as_object(self) -> Object:
        """Copy all values."""
        return dict(self._values)
