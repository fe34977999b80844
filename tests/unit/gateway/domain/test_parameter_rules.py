"""What the gateway refuses before a build, so that the provider need not within it."""

from __future__ import annotations

import pytest

from genba_gateway.domain.parameter_rules import (
    MAX_VALUE_CHARS,
    explain_bad_type,
    explain_broken_rule,
    explain_no_option,
)
from genba_gateway.domain.provisioning import ParameterOption, TemplateParameter


@pytest.mark.parametrize("value", ["nan", "inf", "-Infinity", "1_000", "abc", ""])
def test_what_python_alone_takes_for_a_number_is_refused(value: str) -> None:
    assert "is not a number" in (explain_bad_type(TemplateParameter("n", type="number"), value) or "")


def test_bools_are_those_of_the_provider() -> None:
    assert [explain_bad_type(TemplateParameter("b", type="bool"), value) for value in ("true", "False", "1")] == [
        None
    ] * 3
    assert explain_bad_type(TemplateParameter("b", type="bool"), "yes") is not None


def test_only_whole_numbers_keep_limits() -> None:
    free, limited = TemplateParameter("n", type="number"), TemplateParameter("n", type="number", validation_min=1)
    assert explain_broken_rule(free, "2.5", None) is None
    assert "whole" in (explain_broken_rule(limited, "2.5", None) or "")


def test_large_numbers_are_compared_exactly() -> None:
    parameter = TemplateParameter("n", type="number", validation_monotonic="increasing")
    assert explain_broken_rule(parameter, "9007199254740992", "9007199254740993") is not None


def test_an_expression_is_of_re2() -> None:
    letters = TemplateParameter("t", validation_regex=r"^\pL+$", validation_error="letters only")
    assert explain_broken_rule(letters, "ünï", None) is None
    assert explain_broken_rule(letters, "a1", None) == "letters only"
    python_only = TemplateParameter("t", validation_regex="a(?=b)", validation_error="no")
    assert "can't be used" in (explain_broken_rule(python_only, "ab", None) or "")


def test_an_expression_can_not_hold_up_the_gateway() -> None:
    # Python's re needs 2 to the power of 5000 steps for this.
    parameter = TemplateParameter("t", validation_regex="^(a+)+$", validation_error="only a")
    assert explain_broken_rule(parameter, "a" * 5000 + "!", None) == "only a"


def test_the_authors_words_hold_the_limits_that_there_are() -> None:
    parameter = TemplateParameter(
        "n", type="number", validation_max=5, validation_error="{value} is not in {min} to {max}"
    )
    assert explain_broken_rule(parameter, "6", None) == "6 is not in  to 5"


@pytest.mark.parametrize(
    ("form_type", "value", "is_well"),
    [("multi-select", '["a"]', True), ("multi-select", '["x"]', False), ("radio", '["a","b"]', True)],
)
def test_options_are_items_of_several_choices_and_whole_values_otherwise(
    form_type: str, value: str, is_well: bool
) -> None:
    values = ("a", "b") if form_type == "multi-select" else ('["a","b"]', "[]")
    options = tuple(ParameterOption(each, each) for each in values)
    parameter = TemplateParameter("tools", type="list(string)", options=options, form_type=form_type)
    assert (explain_no_option(parameter, value) is None) is is_well


def test_a_value_may_be_long_and_not_longer() -> None:
    parameter = TemplateParameter("s", type="string")
    assert explain_bad_type(parameter, "x" * MAX_VALUE_CHARS) is None
    assert explain_bad_type(parameter, "x" * (MAX_VALUE_CHARS + 1)) == "has 65537 characters; 65536 are allowed"
