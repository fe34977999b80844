"""Reading and checking values of parameters."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from genba_ide_bridge.cli.parameters import check_value, parse_pairs, read_values_file
from genba_ide_bridge.errors import BridgeError
from genba_wire.api.templates import ParameterOption
from tests.support.cli_builders import make_parameter


def test_pairs_are_split_at_the_first_equals_sign() -> None:
    assert parse_pairs("--parameter", ["a=1=2", " b = c", "d="]) == {"a": "1=2", "b": " c", "d": ""}
    with pytest.raises(click.UsageError, match="--parameter is NAME=VALUE"):
        parse_pairs("--parameter", ["a"])


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ('{"a": "x", "n": 3, "l": ["y"], "b": true}', {"a": "x", "n": "3", "l": '["y"]', "b": "true"}),
        ("---\n# c\na: x y  # why\n\nb: 'it: is'\n", {"a": "x y", "b": "it: is"}),
        ('a: "line\\nbreak"\nurl: http://x/#y\n', {"a": "line\nbreak", "url": "http://x/#y"}),
        ("A=1\nB=x:y\n", {"A": "1", "B": "x:y"}),
        ('l: ["a", "b"]\n', {"l": '["a", "b"]'}),
    ],
)
def test_files_of_values_are_read(tmp_path: Path, text: str, values: dict[str, str]) -> None:
    file = tmp_path / "values"
    file.write_text(text)
    assert read_values_file(file) == values


@pytest.mark.parametrize("text", ["a:\n  - b\n", "- a\n", "just words\n", "a: |\n  b\n", '{"a": }', '{"a"'])
def test_what_is_no_list_of_values_is_refused_and_not_guessed_at(tmp_path: Path, text: str) -> None:
    file = tmp_path / "values"
    file.write_text(text)
    with pytest.raises(BridgeError):
        read_values_file(file)


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BridgeError, match="absent"):
        read_values_file(tmp_path / "absent")


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
