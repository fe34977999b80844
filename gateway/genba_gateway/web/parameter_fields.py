"""Fields of a form for a template's parameters: how each is shown, and what was typed into it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

from werkzeug.datastructures import MultiDict

from genba_gateway.domain.parameter_values import BOOLS, read_list
from genba_gateway.domain.provisioning import ParameterOption, TemplateParameter

PREFIX: Final = "p:"
"""Stands before a parameter's name in the form, apart from the form's own fields."""
MAX_RADIOS: Final = 5
"""More options than these are a list that opens."""
_TRUE: Final = frozenset(each for each in BOOLS if each[0] in "1tT")
_CONTROLS: Final = {
    "radio": "radio",
    "dropdown": "select",
    "textarea": "textarea",
    "slider": "slider",
    "switch": "check",
    "checkbox": "check",
    "multi-select": "several",
    "tag-select": "lines",
    "input": "input",
}


@dataclass(frozen=True, slots=True)
class Field:
    """One parameter's field."""

    id: str
    name: str
    """In the form."""
    parameter: str
    label: str
    description: str
    control: str
    """Which piece of parameters/field.html shows it."""
    value: str
    chosen: tuple[str, ...]
    """The values that are ticked or written, of a list."""
    options: tuple[ParameterOption, ...]
    placeholder: str
    is_required: bool
    is_fixed: bool
    """It was given once and can't be changed any more."""
    is_masked: bool
    keeps: bool
    """Left empty, it keeps the value that the workspace has, which is not shown."""
    is_ephemeral: bool
    low: int | None
    high: int | None
    problem: str


def make_fields(
    parameters: Sequence[TemplateParameter],
    values: Mapping[str, str],
    problems: Mapping[str, str],
    *,
    is_first_build: bool,
) -> list[Field]:
    """The fields in the template's order, filled with what was typed or holds already, else with the defaults."""
    ordered = sorted(enumerate(parameters), key=lambda each: (each[1].order, each[0]))
    return [_make_field(index, each, values, problems, is_first_build) for index, (_, each) in enumerate(ordered)]


def _make_field(
    index: int,
    parameter: TemplateParameter,
    values: Mapping[str, str],
    problems: Mapping[str, str],
    is_first_build: bool,
) -> Field:
    keeps = not is_first_build and keeps_when_empty(parameter, values)
    value = "" if keeps else values.get(parameter.name, parameter.default_value)
    styling = _read_styling(parameter)
    return Field(
        id=f"p{index}",
        name=PREFIX + parameter.name,
        parameter=parameter.name,
        label=parameter.display_name or parameter.name,
        description=parameter.description,
        control=choose_control(parameter),
        value=value,
        chosen=_chosen(parameter, value),
        options=parameter.options,
        placeholder=str(styling.get("placeholder", "")),
        is_required=parameter.required and not keeps,
        is_fixed=bool(styling.get("disabled"))
        or (not is_first_build and not parameter.mutable and not parameter.ephemeral and parameter.name in values),
        is_masked=is_masked(parameter),
        keeps=keeps,
        is_ephemeral=parameter.ephemeral,
        low=parameter.validation_min,
        high=parameter.validation_max,
        problem=problems.get(parameter.name, ""),
    )


def is_masked(parameter: TemplateParameter) -> bool:
    """Whether the author wants the value hidden from who looks over one's shoulder."""
    return bool(_read_styling(parameter).get("mask_input"))


def keeps_when_empty(parameter: TemplateParameter, held: Mapping[str, str]) -> bool:
    """Whether the field of a parameter does not show the value that a workspace holds, and keeps it if left empty."""
    return (
        parameter.name in held
        and not parameter.ephemeral
        and is_masked(parameter)
        and choose_control(parameter) in {"input", "number", "textarea"}
    )


def drop_kept(
    typed: Mapping[str, str], parameters: Sequence[TemplateParameter], held: Mapping[str, str]
) -> dict[str, str]:
    """What was typed, without the fields that were left empty to keep what a workspace holds."""
    keeping = {each.name for each in parameters if keeps_when_empty(each, held)}
    return {name: value for name, value in typed.items() if value or name not in keeping}


def choose_control(parameter: TemplateParameter) -> str:
    """Which control shows a parameter: what its author asked for, where it fits the type, else what fits."""
    control = _CONTROLS.get(parameter.form_type, "")
    if parameter.type == "list(string)":
        return "several" if parameter.options and control in {"", "several"} else (control or "lines")
    if parameter.options:
        return (
            control if control in {"radio", "select"} else "radio" if len(parameter.options) <= MAX_RADIOS else "select"
        )
    if parameter.type == "bool":
        return "check"
    if control == "slider" and (parameter.validation_min is None or parameter.validation_max is None):
        control = ""
    return control or ("number" if parameter.type == "number" else "input")


def _chosen(parameter: TemplateParameter, value: str) -> tuple[str, ...]:
    if parameter.type == "list(string)":
        return tuple(read_list(value) or ())
    if parameter.type == "bool":
        return ("true",) if value in _TRUE else ()
    return (value,)


def _read_styling(parameter: TemplateParameter) -> dict[str, object]:
    try:
        styling: object = json.loads(parameter.styling or "{}")
    except ValueError:
        return {}
    return cast("dict[str, object]", styling) if isinstance(styling, dict) else {}


def read_values(form: MultiDict[str, str], parameters: Sequence[TemplateParameter]) -> dict[str, str]:
    """What was typed, by parameter; a field that is not in the form gives none."""
    values: dict[str, str] = {}
    for parameter in parameters:
        typed = form.getlist(PREFIX + parameter.name)
        if typed:
            values[parameter.name] = _read_value(parameter, typed)
    return values


def _read_value(parameter: TemplateParameter, typed: Sequence[str]) -> str:
    """Ticked boxes come after an empty field of the same name, which says that the form had them at all."""
    match choose_control(parameter):
        case "several":
            return json.dumps([each for each in typed if each], ensure_ascii=False)
        case "lines":
            lines = [line.strip() for line in typed[-1].splitlines()]
            return json.dumps([line for line in lines if line], ensure_ascii=False)
        case "check":
            return "true" if "true" in typed else "false"
        case "textarea":
            return typed[-1].replace("\r\n", "\n")
        case _:
            return typed[-1]
