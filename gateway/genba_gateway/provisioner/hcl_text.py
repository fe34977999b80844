"""Reads HCL and its JSON form into plain values: quotes, escapes and `${…}` taken off.

Only literals are values; anything with a reference or a call stays an `Expression`, since it takes Terraform to
evaluate it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, cast

# Larger files are generated ones, and the parser takes seconds a MiB; Terraform itself reads them all the same.
MAX_FILE_CHARACTERS = 1024 * 1024

_ESCAPE = re.compile(r'\\(?:(["\\nrt])|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))|(\$\$\{|%%\{)')
_SIMPLE_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_TEMPLATE = re.compile(r"(?<!\$)\$\{|(?<!%)%\{")
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
_WRAPPED = re.compile(r"\$\{(.*)\}", re.DOTALL)


class HclError(ValueError):
    """The text is not HCL that this reader understands; Terraform has the last word."""


@dataclass(frozen=True, slots=True)
class Expression:
    """Source text of something that only Terraform can evaluate."""

    text: str


Value: TypeAlias = "bool | int | float | str | Expression | Sequence[Value] | Mapping[str, Value] | None"


def parse_hcl(text: str) -> Mapping[str, Value]:
    """Parse HCL: attributes are values, blocks are lists of mappings from labels to bodies.

    Raises:
        HclError: it doesn't parse, or is too long.
    """
    # Imported when first used: the grammar costs half a second, and only imports and cache misses need it.
    import hcl2
    from hcl2.utils import SerializationOptions
    from lark.exceptions import LarkError

    if len(text) > MAX_FILE_CHARACTERS:
        raise HclError("the file is too long")
    options = SerializationOptions(with_comments=False, preserve_heredocs=False, explicit_blocks=False)
    try:
        # The library's type is a bare dict.
        parsed = cast("dict[str, Value]", hcl2.loads(text, serialization_options=options))  # pyright: ignore[reportUnknownMemberType]
        return {_unquote(key): _plain(value) for key, value in parsed.items()}
    except (LarkError, RuntimeError, RecursionError, ValueError, TypeError, KeyError, IndexError) as error:
        raise HclError(str(error)) from error


def parse_json(text: str) -> Mapping[str, Value]:
    """Parse the JSON form of HCL; strings are taken as they are.

    Raises:
        HclError: it is not a JSON object.
    """
    try:
        parsed = cast("Value", json.loads(text))
    except (ValueError, RecursionError) as error:
        raise HclError(str(error)) from error
    if not isinstance(parsed, Mapping):
        raise HclError("the file is not a JSON object")
    return parsed


def parse_literal(text: str) -> Value:
    """Parse one literal, as in `["a", "b"]` or `{ size = 3 }`.

    Raises:
        HclError: it is something else.
    """
    attributes = parse_hcl(f"value = {text}\n")
    if set(attributes) != {"value"} or has_expression(attributes["value"]):
        raise HclError("not one literal")
    return attributes["value"]


def _plain(value: Value) -> Value:
    match value:
        case str():
            return _plain_text(value)
        case Mapping():
            return {_unquote(key): _plain(item) for key, item in value.items()}
        case None | bool() | int() | float() | Expression():
            return value
        case _:
            return [_plain(item) for item in value]


def _plain_text(text: str) -> Value:
    if len(text) >= 2 and text[0] == text[-1] == '"':
        inner = text[1:-1]
        return Expression(text) if _TEMPLATE.search(inner) else _unescape(inner)
    wrapped = _WRAPPED.fullmatch(text)
    bare = wrapped[1].strip() if wrapped is not None else text
    return float(bare) if _NUMBER.fullmatch(bare) else Expression(bare)


def _unquote(label: str) -> str:
    return _unescape(label[1:-1]) if len(label) >= 2 and label[0] == label[-1] == '"' else label


def _unescape(text: str) -> str:
    def replace(match: re.Match[str]) -> str:
        simple, short, long, template = match.groups()
        if simple is not None:
            return _SIMPLE_ESCAPES[simple]
        if template is not None:
            return str(template[1:])
        codepoint = int(short or long, 16)
        is_character = codepoint < 0x110000 and not 0xD800 <= codepoint < 0xE000
        return chr(codepoint) if is_character else match[0]

    return _ESCAPE.sub(replace, text)


def has_expression(value: Value) -> bool:
    """Tell whether some part of a value needs Terraform to evaluate."""
    match value:
        case Expression():
            return True
        case Mapping():
            return any(has_expression(item) for item in value.values())
        case None | bool() | int() | float() | str():
            return False
        case _:
            return any(has_expression(item) for item in value)


def value_text(value: Value) -> str:
    """Return a value as users write it: strings bare, null empty, expressions as source, the rest as JSON."""
    match value:
        case None:
            return ""
        case str():
            return value
        case Expression():
            return value.text
        case _:
            return json.dumps(_json_ready(value), ensure_ascii=False)


def _json_ready(value: Value) -> Value:
    match value:
        case Expression():
            return value.text
        case float() if value.is_integer():
            return int(value)
        case Mapping():
            return {key: _json_ready(item) for key, item in value.items()}
        case None | bool() | int() | float() | str():
            return value
        case _:
            return [_json_ready(item) for item in value]


def blocks_of(value: Value) -> list[Mapping[str, Value]]:
    """Return the bodies of one kind of block; JSON syntax allows a single object in place of a list."""
    match value:
        case Mapping():
            return [value]
        case None | bool() | int() | float() | str() | Expression():
            return []
        case _:
            return [item for item in value if isinstance(item, Mapping)]


def labeled_blocks_of(value: Value) -> list[tuple[str, Mapping[str, Value]]]:
    """Return label and body of each block of a kind that has a label."""
    return [(label, body) for group in blocks_of(value) for label, inner in group.items() for body in blocks_of(inner)]
