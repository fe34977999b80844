"""Checks of a configuration that a schema declares: choices, ranges, conflicts, and their diagnostics."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from genba_gateway.provider.problems import AttributePath, Problem, spell_path
from genba_gateway.provider.schema import Attribute, Block, Check, NestedBlock
from genba_gateway.provider.values import UNKNOWN, Fields, Primitive, Value

MAX_INT = 2**63 - 1


def one_of(*choices: str) -> Check:
    """Accept only these strings."""

    def check(value: Value) -> str | None:
        if value in choices:
            return None
        return f"It is {value!r}; choose one of {', '.join(repr(each) for each in choices)}."

    return check


def within(low: int, high: int | None = None) -> Check:
    """Accept numbers from `low` to `high`, both included."""

    def check(value: Value) -> str | None:
        if isinstance(value, int) and value >= low and (high is None or value <= high):
            return None
        limits = f"at least {low}" if high is None else f"between {low} and {high}"
        return f"It is {value}; give a whole number that is {limits}."

    return check


def longest(limit: int) -> Check:
    """Accept strings of up to `limit` characters."""

    def check(value: Value) -> str | None:
        if len(str(value)) <= limit:
            return None
        return f"It has {len(str(value))} characters; {limit} is the most."

    return check


def is_filled(value: Value) -> str | None:
    """Accept any string but the empty one."""
    return "It is empty. Give it a value." if value == "" else None


_BAD_ESCAPE = re.compile(r"%(?![0-9a-fA-F]{2})")
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")


def is_url(value: Value) -> str | None:
    """Accept what can be taken apart as a URL, absolute or relative; only the form is looked at."""
    text = str(value)
    problem = _find_url_problem(text)
    if problem is None:
        return None
    return f"{text!r} can't be read as a URL: {problem}. Write it like https://example.com/icon.svg."


def _find_url_problem(text: str) -> str | None:
    if any(ord(each) < 0x20 or ord(each) == 0x7F for each in text):
        return "it has control characters"
    before_query, _, rest = text.partition("?")
    if _BAD_ESCAPE.search(before_query) or _BAD_ESCAPE.search(rest.partition("#")[2]):
        return "a % is not followed by two hexadecimal digits"
    if not _SCHEME.match(text) and ":" in before_query.split("/", 1)[0]:
        return "there is a colon, but no scheme before it"
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as error:
        return str(error)
    return "there is a space in the host" if " " in parts.netloc else None


def find_problems(block: Block, config: Mapping[str, Value]) -> list[Problem]:
    """Check a block's configuration against its schema; what is unknown is not judged."""
    return list(_check_block(block, config, ()))


def _check_block(block: Block, config: Mapping[str, Value], path: AttributePath) -> Iterator[Problem]:
    for attribute in block.attributes:
        value = config[attribute.name]
        if value is None:
            continue
        yield from _check_conflicts(attribute, config, path)
        if value is not UNKNOWN:
            yield from _check_value(attribute, value, (*path, attribute.name))
    for nested in block.blocks:
        value = config[nested.name]
        if isinstance(value, list) and value:
            yield from _check_conflicts(nested, config, path)
            for number, row in enumerate(value):
                if isinstance(row, dict):
                    yield from _check_block(nested.block, row, (*path, nested.name, number))


def _check_value(attribute: Attribute, value: Value, path: AttributePath) -> Iterator[Problem]:
    summary = f"{spell_path(path)} can't have this value"
    if attribute.type is Primitive.NUMBER:
        if not isinstance(value, int):
            yield Problem(summary, f"{value} is not a whole number. Round it.", path)
            return
        if abs(value) > MAX_INT:
            yield Problem(summary, f"{value} is too large; {MAX_INT} is the most.", path)
            return
    for check in attribute.checks:
        complaint = check(value)
        if complaint is not None:
            yield Problem(summary, complaint, path)


def _check_conflicts(
    part: Attribute | NestedBlock, config: Mapping[str, Value], path: AttributePath
) -> Iterator[Problem]:
    for other in part.conflicts_with:
        value = config[other]
        if value is None or value == [] or value is UNKNOWN:
            continue
        where = (*path, part.name)
        yield Problem(
            f"{spell_path(where)} and {spell_path((*path, other))} exclude each other",
            f"Remove either {part.name} or {other}.",
            where,
        )


def find_repeated(config: Fields, blocks: str, key: str, within_path: AttributePath = ()) -> Iterator[Problem]:
    """Find blocks whose `key` is that of an earlier one; `within_path` is where `config` is."""
    seen: set[str] = set()
    for number, row in enumerate(config.rows(blocks)):
        value = row[key]
        if not isinstance(value, str):
            continue
        if value in seen:
            path = (*within_path, blocks, number, key)
            detail = f"Another {blocks} block has the {key} {value!r}. Give each one its own."
            yield Problem(f"{spell_path(path)} is repeated", detail, path)
        seen.add(value)
