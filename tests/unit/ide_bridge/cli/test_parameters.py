"""Reading and checking values of parameters."""

from __future__ import annotations

import click
import pytest

from genba_ide_bridge.cli.parameters import check_value, parse_pairs
from genba_wire.api.templates import ParameterOption
from tests.support.cli_builders import make_parameter


def test_pairs_are_split_at_the_first_equals_sign() -> None:
    assert parse_pairs("--parameter", ["a=1=2", " b = c", "d="]) == {"a": "1=2", "b": " c", "d": ""}
    with pytest.raises(click.UsageError, match="--parameter is NAME=VALUE, and number 2 of them is not") as caught:
        parse_pairs("--parameter", ["a=1", "key:SECRET"])
    assert "SECRET" not in str(caught.value)


OPTIONS = [ParameterOption(name="Small", description="", value="s", icon="")]


@pytest.mark.parametrize(
    ("fields", "good", "bad"),
    [
        ({"type": "bool"}, ["true", "false"], ["yes", ""]),
        ({"type": "number"}, ["1", "-2.5"], ["x", ""]),
        ({"type": "number", "validation_min": 2}, ["2", "9"], ["1"]),
        ({"type": "number", "validation_max": 2}, ["2"], ["3"]),
        ({"type": "list(string)"}, ["[]", '["a"]'], ["a", "[1]", "{}"]),
        ({"options": OPTIONS}, ["s"], ["Small", ""]),
        ({}, ["", "anything"], []),
    ],
)
def test_values_are_checked_by_type(fields: dict[str, object], good: list[str], bad: list[str]) -> None:
    parameter = make_parameter(**fields)
    for value in good:
        assert check_value(parameter, value) == value
    for value in bad:
        with pytest.raises(click.UsageError):
            check_value(parameter, value)


def test_the_templates_own_words_explain_a_number_out_of_range() -> None:
    parameter = make_parameter(type="number", validation_min=1, validation_error="At least one, please.")
    with pytest.raises(click.UsageError, match=r"At least one, please\."):
        check_value(parameter, "0")
