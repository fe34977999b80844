"""Which value each parameter of a build gets, and whether it may (contract 4.3)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from genba_gateway.domain.provisioning import TemplateParameter


@dataclass(frozen=True, slots=True)
class ParameterProblem:
    """A value that a parameter can't have; `detail` says why and what would do."""

    name: str
    detail: str


def choose_values(
    parameters: Sequence[TemplateParameter],
    given: Mapping[str, str],
    previous: Mapping[str, str],
    *,
    is_first_build: bool,
) -> tuple[dict[str, str], list[ParameterProblem]]:
    """Choose and check: the given value, else the previous build's (not for ephemeral ones), else the default.

    Returns:
        The values by name, and what is wrong with them (empty when all is well).
    """
    known = {parameter.name for parameter in parameters}
    problems = [
        ParameterProblem(name, f"the template has no parameter of this name; it has {_list(sorted(known))}")
        for name in given
        if name not in known
    ]
    values: dict[str, str] = {}
    for parameter in parameters:
        old = None if parameter.ephemeral else previous.get(parameter.name)
        value = given.get(parameter.name, old)
        if value is None and parameter.required:
            problems.append(ParameterProblem(parameter.name, "a value is needed, since it has no default"))
            continue
        value = parameter.default_value if value is None else value
        detail = _explain_bad_value(parameter, value, old, is_first_build=is_first_build)
        if detail is not None:
            problems.append(ParameterProblem(parameter.name, detail))
        values[parameter.name] = value
    return values, problems


def _explain_bad_value(
    parameter: TemplateParameter, value: str, old: str | None, *, is_first_build: bool
) -> str | None:
    if not parameter.mutable and not parameter.ephemeral and not is_first_build and old is not None and value != old:
        return f"can't be changed after the workspace was made; it is {old!r}"
    if parameter.options and parameter.type != "list(string)":
        allowed = [option.value for option in parameter.options]
        if value not in allowed:
            return f"{value!r} is none of its options: {_list(allowed)}"
    match parameter.type:
        case "number":
            return _explain_bad_number(parameter, value, old)
        case "bool":
            return None if value in {"true", "false"} else f"{value!r} is neither true nor false"
        case "list(string)":
            return _explain_bad_list(parameter, value)
        case _:
            return _explain_bad_text(parameter, value)


def _explain_bad_number(parameter: TemplateParameter, value: str, old: str | None) -> str | None:
    try:
        number = float(value)
    except ValueError:
        return f"{value!r} is not a number"
    low, high = parameter.validation_min, parameter.validation_max
    if (low is not None and number < low) or (high is not None and number > high):
        fallback = (
            f"must be between {low} and {high}"
            if None not in (low, high)
            else (f"must be at least {low}" if low is not None else f"must be at most {high}")
        )
        return _custom_error(parameter, value) or fallback
    if old is not None and parameter.validation_monotonic:
        before = float(old)
        if parameter.validation_monotonic == "increasing" and number < before:
            return f"may only grow; it was {old}"
        if parameter.validation_monotonic == "decreasing" and number > before:
            return f"may only shrink; it was {old}"
    return None


def _explain_bad_list(parameter: TemplateParameter, value: str) -> str | None:
    try:
        items = json.loads(value)
    except ValueError:
        items = None
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):  # pyright: ignore[reportUnknownVariableType]
        return 'is a list of texts: write it as JSON, for example ["a", "b"]'
    allowed = {option.value for option in parameter.options}
    strange: list[str] = [str(item) for item in items if allowed and item not in allowed]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return f"{strange[0]!r} is none of its options: {_list(sorted(allowed))}" if strange else None


def _explain_bad_text(parameter: TemplateParameter, value: str) -> str | None:
    if parameter.validation_regex and not re.search(parameter.validation_regex.replace(r"\z", r"\Z"), value):
        return _custom_error(parameter, value) or f"must match {parameter.validation_regex}"
    return None


def _custom_error(parameter: TemplateParameter, value: str) -> str:
    text = parameter.validation_error
    for placeholder, filling in (
        ("{min}", parameter.validation_min),
        ("{max}", parameter.validation_max),
        ("{value}", value),
    ):
        text = text.replace(placeholder, str(filling))
    return text


def _list(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names) if names else "none"
