"""Write the TypeScript types of the bridge's messages: `python -m scripts.gen_ts_types`.

They come from genba_ide_bridge/lsp/messages.py, so that the extension and the bridge can't mean different things; a
test fails when the file is stale.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Final

import msgspec
from msgspec import inspect as types

from genba_ide_bridge.lsp import messages
from scripts.clone import ROOT

TARGET: Final = ROOT / "vscode-extension" / "src" / "bridge" / "messages.ts"

HEAD: Final = "// Written by scripts/gen_ts_types.py from genba_ide_bridge/lsp/messages.py: change that, and run it.\n"


def generate_types(module: ModuleType) -> str:
    """Return the text of the TypeScript file for the message types that a module defines, in its order."""
    return "\n".join([HEAD, *(_declare(message) for message in _list_messages(module))])


def _list_messages(module: ModuleType) -> Iterator[type[msgspec.Struct]]:
    for value in vars(module).values():
        if not (isinstance(value, type) and issubclass(value, msgspec.Struct)):
            continue
        # Bases that only set options are no messages.
        if value.__module__ == module.__name__ and not value.__subclasses__():
            yield value


def _declare(message: type[msgspec.Struct]) -> str:
    comment = f"/** {inspect.cleandoc(message.__doc__ or '').splitlines()[0]} */\n"
    info = types.type_info(message)
    if not isinstance(info, types.StructType):
        raise TypeError(f"{message!r} is no message")
    if not info.fields:
        return f"{comment}export type {message.__name__} = Record<string, never>;\n"
    lines = [_declare_field(field) for field in info.fields]
    return f"{comment}export interface {message.__name__} {{\n{''.join(lines)}}}\n"


def _declare_field(field: types.Field) -> str:
    # What has a default may be left out, by whoever sends it.
    optional = "" if field.required else "?"
    return f"  {field.encode_name}{optional}: {name_type(field.type)};\n"


def name_type(info: types.Type) -> str:
    """Name a type of msgspec's in TypeScript, as it is in JSON."""
    match info:
        case types.StrType() | types.DateTimeType() | types.UUIDType():
            return "string"
        case types.IntType() | types.FloatType():
            return "number"
        case types.BoolType():
            return "boolean"
        case types.NoneType():
            return "null"
        case types.StructType():
            return info.cls.__name__
        case types.ListType():
            return f"{_in_brackets(info.item_type)}[]"
        case types.DictType():
            return f"Record<string, {name_type(info.value_type)}>"
        case types.LiteralType():
            return " | ".join(f'"{value}"' if isinstance(value, str) else str(value) for value in info.values)
        case types.UnionType():
            return " | ".join(name_type(each) for each in info.types)
        case _:
            raise TypeError(f"{info!r} has no TypeScript type here: add it to scripts/gen_ts_types.py")


def _in_brackets(info: types.Type) -> str:
    name = name_type(info)
    return f"({name})" if " | " in name else name


def write_types(target: Path = TARGET) -> None:
    """Write the file."""
    target.write_text(generate_types(messages), encoding="utf-8")


if __name__ == "__main__":
    write_types()
