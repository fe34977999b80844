"""Validation blocks: their misuse, and values that break them."""

from __future__ import annotations

import pytest

from genba_gateway.provider.coder.parameter_rules import Rules
from genba_gateway.provider.values import Fields


def rules(
    minimum: int | None = None,
    maximum: int | None = None,
    monotonic: str = "",
    regex: str = "",
    error: str = "",
) -> Rules:
    return Rules(minimum, maximum, monotonic, regex, error)


def test_block_without_limits_has_none() -> None:
    block = Fields({"min": None, "max": 0, "monotonic": None, "regex": None, "error": None})
    assert Rules.from_block(block) == rules(maximum=0)


@pytest.mark.parametrize(
    ("of", "given", "where"),
    [
        ("string", rules(minimum=1), "min"),
        ("bool", rules(maximum=1), "max"),
        ("list(string)", rules(monotonic="increasing"), "monotonic"),
        ("number", rules(monotonic="sideways"), "monotonic"),
        ("number", rules(regex="a", error="e"), "regex"),
        ("string", rules(regex="a"), "regex"),
        ("string", rules(regex="(a", error="e"), "regex"),
    ],
)
def test_misuse_is_found_where_it_is(of: str, given: Rules, where: str) -> None:
    misuse = given.find_misuse(of)
    assert misuse is not None
    assert misuse.path == ("validation", 0, where)


@pytest.mark.parametrize(
    ("of", "given"),
    [("number", rules(1, 2, "decreasing")), ("string", rules(regex="a", error="e")), ("string", rules(error="e"))],
)
def test_proper_use_is_fine(of: str, given: Rules) -> None:
    assert given.find_misuse(of) is None


@pytest.mark.parametrize(("value", "is_ok"), [("1", True), ("5", True), ("0", False), ("6", False), ("2.5", False)])
def test_number_is_held_against_its_limits(value: str, is_ok: bool) -> None:
    assert (rules(1, 5).find_breach("number", value, None) is None) is is_ok


def test_limit_of_zero_is_a_limit() -> None:
    assert rules(minimum=0).find_breach("number", "-5", None) is not None


def test_authors_words_are_used() -> None:
    given = rules(1, 5, error="{value} is not in {min}..{max}")
    assert given.find_breach("number", "9", None) == "9 is not in 1..5"


@pytest.mark.parametrize(
    ("monotonic", "value", "previous", "is_ok"),
    [
        ("increasing", "3", "3", True),
        ("increasing", "2", "3", False),
        ("decreasing", "3", "3", True),
        ("decreasing", "4", "3", False),
        ("increasing", "2", None, True),
        ("increasing", "2", "", True),
        ("", "2", "3", True),
    ],
)
def test_monotonic_compares_with_the_build_before(
    monotonic: str, value: str, previous: str | None, is_ok: bool
) -> None:
    assert (rules(monotonic=monotonic).find_breach("number", value, previous) is None) is is_ok


def test_string_is_held_against_its_expression() -> None:
    given = rules(regex="^a", error="must begin with a")
    assert given.find_breach("string", "ab", None) is None
    assert "must begin with a" in (given.find_breach("string", "b", None) or "")
