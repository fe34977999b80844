"""Which value a parameter gets (contract 4.3)."""

from __future__ import annotations

import pytest

from genba_gateway.domain.build_parameters import choose_values, choose_values_to_end
from genba_gateway.domain.provisioning import ParameterOption, TemplateParameter

MUTABLE = TemplateParameter(name="size", default_value="small", mutable=True)


def details(
    parameter: TemplateParameter, given: str, previous: str | None = None, *, is_first_build: bool = False
) -> list[str]:
    before = {} if previous is None else {parameter.name: previous}
    _, problems = choose_values([parameter], {parameter.name: given}, before, is_first_build=is_first_build)
    return [problem.detail for problem in problems]


def test_given_wins_over_previous_and_previous_over_default() -> None:
    for given, previous, expected in (
        ({"size": "l"}, {"size": "m"}, "l"),
        ({}, {"size": "m"}, "m"),
        ({}, {}, "small"),
    ):
        assert choose_values([MUTABLE], given, previous, is_first_build=False) == ({"size": expected}, [])


def test_ephemeral_forgets_its_previous_value() -> None:
    parameter = TemplateParameter(name="size", default_value="small", mutable=True, ephemeral=True)
    assert choose_values([parameter], {}, {"size": "l"}, is_first_build=False)[0] == {"size": "small"}


def test_required_without_a_value_is_named() -> None:
    parameter = TemplateParameter(name="region", required=True)
    values, problems = choose_values([parameter], {}, {}, is_first_build=True)
    assert values == {}
    assert [problem.name for problem in problems] == ["region"]


def test_a_previous_value_of_another_type_counts_as_absent() -> None:
    optional = TemplateParameter(name="n", type="number", default_value="2", validation_monotonic="increasing")
    required = TemplateParameter(name="n", type="number", required=True)
    before = {"n": "abc"}
    assert choose_values([optional], {}, before, is_first_build=False) == ({"n": "2"}, [])
    assert choose_values([optional], {"n": "7"}, before, is_first_build=False) == ({"n": "7"}, [])
    _, problems = choose_values([required], {}, before, is_first_build=False)
    assert "a value is needed" in problems[0].detail


@pytest.mark.parametrize(
    ("parameter", "given", "previous", "expected"),
    [
        (TemplateParameter("n", type="number", default_value="2"), None, "abc", "2"),
        (TemplateParameter("n", type="number", default_value="2"), "7", "abc", "7"),
        (TemplateParameter("n", type="number", default_value="2"), "x", "abc", "2"),
        (TemplateParameter("n", type="number", required=True), None, "abc", None),
        (TemplateParameter("n", default_value="2"), "7", "abc", "abc"),
        (TemplateParameter("n", default_value="2", mutable=True, ephemeral=True), None, "abc", "2"),
        (TemplateParameter("n", type="number", default_value="2", validation_max=5), None, "9", "9"),
        (TemplateParameter("n", default_value="a", options=(ParameterOption("A", "a"),)), None, "b", "b"),
        (TemplateParameter("n", default_value="a", mutable=True), None, None, "a"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_stop_or_delete_gets_a_value_whatever_came_before(
    parameter: TemplateParameter, given: str | None, previous: str | None, expected: str | None
) -> None:
    asked = {"unknown": "1"} if given is None else {"n": given}
    before = {} if previous is None else {"n": previous}
    assert choose_values_to_end([parameter], asked, before) == ({} if expected is None else {"n": expected})


def test_unknown_name_is_refused_with_the_known_ones() -> None:
    _, problems = choose_values([MUTABLE], {"sise": "l"}, {}, is_first_build=True)
    assert problems[0].name == "sise"
    assert "'size'" in problems[0].detail


def test_immutable_keeps_its_first_value() -> None:
    parameter = TemplateParameter(name="disk", default_value="10")
    assert details(parameter, "20", "10") != []
    assert details(parameter, "10", "10") == []
    assert details(parameter, "20", is_first_build=True) == []


@pytest.mark.parametrize(("value", "is_well"), [("1", True), ("0", False), ("10", True), ("11", False), ("x", False)])
def test_number_keeps_within_its_limits(value: str, is_well: bool) -> None:
    parameter = TemplateParameter(name="cpus", type="number", mutable=True, validation_min=1, validation_max=10)
    assert (details(parameter, value) == []) is is_well


@pytest.mark.parametrize(
    ("order", "before", "value", "is_well"),
    [
        ("increasing", "5", "5", True),
        ("increasing", "5", "4", False),
        ("decreasing", "5", "5", True),
        ("decreasing", "5", "6", False),
    ],
)
def test_monotonic_number_goes_one_way(order: str, before: str, value: str, is_well: bool) -> None:
    parameter = TemplateParameter(name="disk", type="number", mutable=True, validation_monotonic=order)
    assert (details(parameter, value, before) == []) is is_well


def test_regex_uses_the_authors_words() -> None:
    parameter = TemplateParameter(
        name="branch", mutable=True, validation_regex="^[a-z]+$", validation_error="{value} is no branch"
    )
    assert details(parameter, "Main") == ["Main is no branch"]
    assert details(parameter, "main") == []


def test_options_are_the_only_values() -> None:
    options = (ParameterOption("Small", "s"), ParameterOption("Large", "l"))
    parameter = TemplateParameter(name="size", mutable=True, options=options, default_value="s")
    assert details(parameter, "l") == []
    assert details(parameter, "xl") != []


def test_list_is_json_of_texts_among_the_options() -> None:
    options = (ParameterOption("A", "a"), ParameterOption("B", "b"))
    parameter = TemplateParameter(name="tools", type="list(string)", mutable=True, options=options)
    assert details(parameter, '["a","b"]') == []
    assert details(parameter, '["c"]') != []
    assert details(parameter, "a,b") != []


def test_bool_is_true_or_false() -> None:
    parameter = TemplateParameter(name="gpu", type="bool", mutable=True)
    assert details(parameter, "true") == []
    assert details(parameter, "yes") != []
