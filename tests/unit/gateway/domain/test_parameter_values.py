"""When a text is of a parameter's type."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genba_gateway.domain.parameter_values import find_type_problem, read_list, read_number, read_whole_number


@pytest.mark.parametrize("value", ["1", "1.5", "-3", "+5", "1e3", ".5", "5.", "inf", "-Infinity", "NaN", "0x1p-2"])
def test_number(value: str) -> None:
    assert find_type_problem("number", value) is None


@pytest.mark.parametrize("value", ["", " 1", "1 ", "1_0", "0x10", "abc", "1e999", "٣", "--1", ".", "0x1p99999"])
def test_no_number(value: str) -> None:
    assert "is not a number" in (find_type_problem("number", value) or "")


@pytest.mark.parametrize("value", ["true", "True", "T", "1", "false", "F", "0"])
def test_bool(value: str) -> None:
    assert find_type_problem("bool", value) is None


@pytest.mark.parametrize("value", ["", "yes", "tRUE", "2"])
def test_no_bool(value: str) -> None:
    assert find_type_problem("bool", value) is not None


@pytest.mark.parametrize("value", ["", "a", "[1]", '{"a": "b"}', '"a"', "[[]]", "[" * 5000])
def test_no_list(value: str) -> None:
    assert "jsonencode" in (find_type_problem("list(string)", value) or "")


@given(st.lists(st.text()))
def test_list_of_strings_is_read(items: list[str]) -> None:
    text = json.dumps(items)
    assert find_type_problem("list(string)", text) is None
    assert read_list(text) == items


@given(st.text())
def test_string_is_anything(value: str) -> None:
    assert find_type_problem("string", value) is None


@given(st.integers())
def test_whole_numbers_have_64_bits(number: int) -> None:
    expected = number if -(2**63) <= number < 2**63 else None
    assert read_whole_number(str(number)) == expected


@pytest.mark.parametrize("value", ["1.0", "1e3", "", "inf", "0x1"])
def test_what_is_not_whole(value: str) -> None:
    assert read_whole_number(value) is None


@pytest.mark.parametrize(("value", "number"), [("1", 1.0), ("-2.5", -2.5), ("1e3", 1000.0), ("0x1p-2", 0.25)])
def test_finite_number_is_read(value: str, number: float) -> None:
    assert read_number(value) == number


@pytest.mark.parametrize("value", ["nan", "inf", "-Infinity", "1_000", "1e999", "0x1p99999", "", " 1"])
def test_what_is_no_finite_number(value: str) -> None:
    assert read_number(value) is None
