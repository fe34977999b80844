from __future__ import annotations

import pytest
from werkzeug.datastructures import MultiDict

from genba_gateway.domain.provisioning import ParameterOption, TemplateParameter
from genba_gateway.web.parameter_fields import MAX_RADIOS, PREFIX, Field, make_fields, read_values


def _options(count: int) -> tuple[ParameterOption, ...]:
    return tuple(ParameterOption(name=f"Option {number}", value=str(number)) for number in range(count))


def _field(parameter: TemplateParameter, **values: str) -> Field:
    (field,) = make_fields([parameter], values, {}, is_first_build=True)
    return field


@pytest.mark.parametrize(
    ("parameter", "control"),
    [
        (TemplateParameter("x"), "input"),
        (TemplateParameter("x", form_type="textarea"), "textarea"),
        (TemplateParameter("x", type="number"), "number"),
        (TemplateParameter("x", type="number", form_type="slider", validation_min=1, validation_max=9), "slider"),
        (TemplateParameter("x", type="number", form_type="slider"), "number"),
        (TemplateParameter("x", type="bool"), "check"),
        (TemplateParameter("x", options=_options(MAX_RADIOS)), "radio"),
        (TemplateParameter("x", options=_options(MAX_RADIOS + 1)), "select"),
        (TemplateParameter("x", options=_options(2), form_type="dropdown"), "select"),
        (TemplateParameter("x", type="bool", options=_options(2)), "radio"),
        (TemplateParameter("x", type="list(string)"), "lines"),
        (TemplateParameter("x", type="list(string)", options=_options(3)), "several"),
        (TemplateParameter("x", type="list(string)", options=_options(3), form_type="radio"), "radio"),
    ],
)
def test_each_kind_of_parameter_has_its_control(parameter: TemplateParameter, control: str) -> None:
    assert _field(parameter).control == control


def test_fields_come_in_the_templates_order() -> None:
    parameters = [TemplateParameter("late", order=2), TemplateParameter("b", order=1), TemplateParameter("a", order=1)]
    assert [each.parameter for each in make_fields(parameters, {}, {}, is_first_build=True)] == ["b", "a", "late"]


def test_a_value_that_can_not_be_changed_is_fixed_after_the_first_build() -> None:
    parameter = TemplateParameter("zone", mutable=False)
    held = {"zone": "a"}
    assert not make_fields([parameter], held, {}, is_first_build=True)[0].is_fixed
    assert make_fields([parameter], held, {}, is_first_build=False)[0].is_fixed
    assert not make_fields([parameter], {}, {}, is_first_build=False)[0].is_fixed
    mutable = TemplateParameter("zone", mutable=True)
    assert not make_fields([mutable], held, {}, is_first_build=False)[0].is_fixed


def test_what_the_author_says_of_the_looks_holds() -> None:
    field = _field(TemplateParameter("key", styling='{"placeholder": "abc", "mask_input": true, "disabled": true}'))
    assert (field.placeholder, field.is_masked, field.is_fixed) == ("abc", True, True)
    assert _field(TemplateParameter("key", styling="[")).placeholder == ""


@pytest.mark.parametrize(
    ("parameter", "typed", "value"),
    [
        (TemplateParameter("x"), ["a b"], "a b"),
        (TemplateParameter("x", form_type="textarea"), ["a\r\nb"], "a\nb"),
        (TemplateParameter("x", type="bool"), ["false"], "false"),
        (TemplateParameter("x", type="bool"), ["false", "true"], "true"),
        (TemplateParameter("x", type="list(string)"), ["a\r\n\r\n b \r\n"], '["a", "b"]'),
        (TemplateParameter("x", type="list(string)", options=_options(3)), [""], "[]"),
        (TemplateParameter("x", type="list(string)", options=_options(3)), ["", "0", "2"], '["0", "2"]'),
    ],
)
def test_what_was_typed_is_read_as_the_parameters_value(
    parameter: TemplateParameter, typed: list[str], value: str
) -> None:
    assert read_values(MultiDict([(PREFIX + "x", each) for each in typed]), [parameter]) == {"x": value}


def test_a_field_that_was_not_sent_has_no_value() -> None:
    assert read_values(MultiDict(), [TemplateParameter("x")]) == {}
