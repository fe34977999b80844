"""Which value each parameter of a build gets, and whether it may (contract 4.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from genba_gateway.domain.parameter_rules import explain_bad_type, explain_broken_rule, explain_no_option, quote_all
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

    A previous value that is not of the type counts as absent: another version may have declared another type.

    Returns:
        The values by name, and what is wrong with them (empty when all is well).
    """
    known = {parameter.name for parameter in parameters}
    problems = [
        ParameterProblem(name, f"the template has no parameter of this name; it has {quote_all(sorted(known))}")
        for name in given
        if name not in known
    ]
    values: dict[str, str] = {}
    for parameter in parameters:
        old = _find_old(parameter, previous)
        value = given.get(parameter.name, old)
        if value is None and parameter.required:
            problems.append(ParameterProblem(parameter.name, "a value is needed, since it has no default"))
            continue
        value = parameter.default_value if value is None else value
        detail = _explain_bad_value(parameter, value, None if is_first_build else old)
        if detail is not None:
            problems.append(ParameterProblem(parameter.name, detail))
        values[parameter.name] = value
    return values, problems


def choose_values_to_end(
    parameters: Sequence[TemplateParameter], given: Mapping[str, str], previous: Mapping[str, str]
) -> dict[str, str]:
    """Choose for a stop or delete, which must never be held up by a value.

    A given value that the version refuses gives way to the previous build's, which is kept though the version may
    refuse it as well: another one could move or remove what the workspace keeps over a stop. The provider holds values
    against the rules in a start alone. A parameter without any value is left out: the provider then takes one of its
    type, and the next start asks for one.
    """
    values: dict[str, str] = {}
    for parameter in parameters:
        new, old = given.get(parameter.name), _find_old(parameter, previous)
        if new is not None and _explain_bad_value(parameter, new, old) is None:
            values[parameter.name] = new
        elif old is not None:
            values[parameter.name] = old
        elif not parameter.required:
            values[parameter.name] = parameter.default_value
    return values


def _find_old(parameter: TemplateParameter, previous: Mapping[str, str]) -> str | None:
    old = None if parameter.ephemeral else previous.get(parameter.name)
    return old if old is not None and explain_bad_type(parameter, old) is None else None


def _explain_bad_value(parameter: TemplateParameter, value: str, old: str | None) -> str | None:
    if not parameter.mutable and not parameter.ephemeral and old is not None and value != old:
        return f"can't be changed after the workspace was made; it is {old!r}"
    return (
        explain_bad_type(parameter, value)
        or explain_no_option(parameter, value)
        or explain_broken_rule(parameter, value, old)
    )
