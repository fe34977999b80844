"""When a text is of a parameter's type.

Values are always text. Numbers and bools are read as Coder does, so that a template means the same on both. The
gateway asks before a build and the provider within it: by the same rules, so that neither accepts what the other
refuses.
"""

from __future__ import annotations

import json
import math
import re
from typing import cast

BOOLS = frozenset({"1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"})

_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_HEXADECIMAL = re.compile(r"[+-]?0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)[pP][+-]?[0-9]+")
_SPECIAL = re.compile(r"[+-]?inf(?:inity)?|nan", re.IGNORECASE)
_WHOLE = re.compile(r"[+-]?[0-9]{1,19}")


def find_type_problem(of: str, value: str) -> str | None:
    """Say why `value` is not of the type `of`, or None."""
    match of:
        case "number" if not _is_number(value):
            return f"{value!r} is not a number. Write it like 4 or 2.5."
        case "bool" if value not in BOOLS:
            return f"{value!r} is not a bool. Write true or false."
        case "list(string)" if read_list(value) is None:
            return f"{value!r} is not a list of strings. Write it as JSON, with jsonencode([...])."
        case _:
            return None


def read_list(value: str) -> list[str] | None:
    """Read a JSON list of strings; None when it isn't one."""
    try:
        items: object = json.loads(value)
    except (ValueError, RecursionError):
        return None
    if items is None:
        return []
    if not isinstance(items, list):
        return None
    texts = [each or "" for each in cast("list[object]", items) if each is None or isinstance(each, str)]
    return texts if len(texts) == len(cast("list[object]", items)) else None


def read_whole_number(value: str) -> int | None:
    """Read a whole number of 64 bits; None when it isn't one."""
    if not _WHOLE.fullmatch(value):
        return None
    number = int(value)
    return number if -(2**63) <= number < 2**63 else None


def read_number(value: str) -> float | None:
    """Read a finite number; None when it isn't one."""
    try:
        if _DECIMAL.fullmatch(value):
            number = float(value)
        elif _HEXADECIMAL.fullmatch(value):
            number = float.fromhex(value)
        else:
            return None
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _is_number(value: str) -> bool:
    return bool(_SPECIAL.fullmatch(value)) or read_number(value) is not None
