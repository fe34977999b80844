"""Checks that schemas declare, and where their diagnostics point."""

from __future__ import annotations

import pytest

from genba_gateway.provider.checks import (
    MAX_INT,
    find_problems,
    find_repeated,
    is_filled,
    is_url,
    longest,
    one_of,
    within,
)
from genba_gateway.provider.schema import Attribute, Block, NestedBlock
from genba_gateway.provider.values import UNKNOWN, Fields, Object, Primitive, Value

INNER = Block((Attribute("size", Primitive.NUMBER, checks=(within(1, 5),)),))
BLOCK = Block(
    (
        Attribute("kind", checks=(one_of("a", "b"),)),
        Attribute("url", conflicts_with=("command", "row")),
        Attribute("command"),
        Attribute("on", Primitive.BOOL, conflicts_with=("command",)),
    ),
    (NestedBlock("row", INNER, conflicts_with=("command",)),),
)


def config(**given: Value) -> Object:
    return {"kind": None, "url": None, "command": None, "on": None, "row": [], **given}


def paths(**given: Value) -> list[tuple[str | int, ...]]:
    return [each.path for each in find_problems(BLOCK, config(**given))]


def test_empty_configuration_is_fine() -> None:
    assert paths() == []


@pytest.mark.parametrize("value", ["a", None, UNKNOWN])
def test_known_values_only_are_checked(value: Value) -> None:
    assert paths(kind=value) == []


def test_problem_names_the_path_and_the_choices() -> None:
    (problem,) = find_problems(BLOCK, config(kind="c"))
    assert problem.path == ("kind",)
    assert "'a', 'b'" in problem.detail


def test_problem_in_a_block_has_its_number() -> None:
    assert paths(row=[{"size": 3}, {"size": 9}]) == [("row", 1, "size")]


@pytest.mark.parametrize(("size", "is_ok"), [(1, True), (5, True), (0, False), (6, False), (1.5, False)])
def test_range_includes_its_limits(size: Value, is_ok: bool) -> None:
    assert (paths(row=[{"size": size}]) == []) is is_ok


def test_number_of_more_than_64_bits_is_refused() -> None:
    block = Block((Attribute("n", Primitive.NUMBER),))
    assert find_problems(block, {"n": MAX_INT}) == []
    assert "too large" in find_problems(block, {"n": MAX_INT + 1})[0].detail


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"url": "u", "command": "c"}, [("url",)]),
        ({"on": False, "command": "c"}, [("on",)]),
        ({"row": [{"size": 1}], "command": "c"}, [("row",)]),
        ({"row": [{"size": 1}], "url": "u"}, [("url",)]),
        ({"url": UNKNOWN, "command": "c"}, [("url",)]),
        ({"url": "u", "command": UNKNOWN}, []),
    ],
)
def test_attributes_that_exclude_each_other(given: Object, where: list[tuple[str, ...]]) -> None:
    assert paths(**given) == where


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/icon/code.svg",
        "https://example.com/a%20b?x=%zz#y",
        "vscode://open",
        "http://[::1]:80/",
        "a/b:c",
        "mailto:x",
    ],
)
def test_url_is_accepted(url: str) -> None:
    assert is_url(url) is None


@pytest.mark.parametrize(
    "url", ["%zz", "a#%zz", "http://[::1", " a:b", ":x", "1a:b", "http://x:port/", "http://a b/", "a\nb", "x\x7f"]
)
def test_what_is_no_url_is_refused(url: str) -> None:
    assert is_url(url) is not None


def test_length_is_checked_at_its_limit() -> None:
    assert longest(3)("abc") is None
    assert "4 characters" in (longest(3)("abcd") or "")


def test_empty_string_is_not_filled() -> None:
    assert is_filled("x") is None
    assert is_filled("") is not None


def test_repeated_keys_are_found_where_they_repeat() -> None:
    rows: list[Value] = [{"key": "a"}, {"key": UNKNOWN}, {"key": UNKNOWN}, {"key": "a"}]
    (problem,) = find_repeated(Fields({"row": rows}), "row", "key", ("outer", 0))
    assert problem.path == ("outer", 0, "row", 3, "key")
