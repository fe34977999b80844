"""Chooses the value of each parameter of a build, asking on a terminal for what is not known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from genba_ide_bridge.cli import prompts
from genba_ide_bridge.cli.parameters import GivenValues, check_value
from genba_wire.api.workspaces import BuildParameter
from genba_wire.visible_text import visible_text

if TYPE_CHECKING:
    from genba_wire.api.templates import TemplateVersionParameter


def choose_values(
    parameters: Sequence[TemplateVersionParameter], given: GivenValues, previous: Mapping[str, str] | None
) -> list[BuildParameter]:
    """Choose what to send with a build.

    What is not sent keeps its previous value or gets its default at the gateway (contract 4.3).

    Args:
        parameters: of the template version that will be built.
        given: by flags and files.
        previous: values of the build before; None for the first build.

    Raises:
        click.UsageError: a name or value that the template doesn't take, or a question that nobody can be asked.
    """
    known = {parameter.name for parameter in parameters}
    for name in [*given.values, *given.ephemeral]:
        if name not in known:
            listed = ", ".join(sorted(known)) or "none"
            raise click.UsageError(f'The template has no parameter "{name}". It has: {listed}.')
    chosen: list[BuildParameter] = []
    for parameter in parameters:
        value = _choose_value(parameter, given, previous)
        if value is not None:
            chosen.append(BuildParameter(name=parameter.name, value=check_value(parameter, value)))
    return chosen


def _choose_value(
    parameter: TemplateVersionParameter, given: GivenValues, previous: Mapping[str, str] | None
) -> str | None:
    name = parameter.name
    if parameter.ephemeral:
        return _choose_ephemeral(parameter, given)
    if name in given.ephemeral:
        raise click.UsageError(f'The parameter "{name}" is not for one build only: use --parameter {name}=…')
    if name in given.values:
        return given.values[name]
    before = (previous or {}).get(name)
    is_fixed = previous is not None and not parameter.mutable and before is not None
    if before is not None and (is_fixed or not given.asks_all):
        return None
    default = before if before is not None else given.defaults.get(name, _default_of(parameter))
    is_new = before is None
    if prompts.can_ask() and (given.asks_all or is_new):
        return ask_value(parameter, default)
    if default is None:
        raise click.UsageError(f'The parameter "{name}" has no default: pass --parameter {name}=VALUE.')
    return given.defaults.get(name)


def _choose_ephemeral(parameter: TemplateVersionParameter, given: GivenValues) -> str | None:
    name = parameter.name
    if name in given.ephemeral:
        return given.ephemeral[name]
    if name in given.values:
        return given.values[name]
    if given.asks_ephemeral:
        return ask_value(parameter, _default_of(parameter))
    return given.defaults.get(name)


def _default_of(parameter: TemplateVersionParameter) -> str | None:
    return None if parameter.required else parameter.default_value


def ask_value(parameter: TemplateVersionParameter, default: str | None) -> str:
    """Ask for one value, until it is a right one."""
    title = parameter.display_name or parameter.name
    flag = f"--parameter {parameter.name}=VALUE"
    if parameter.description_plaintext:
        click.echo(visible_text(parameter.description_plaintext.strip()), err=True)
    if parameter.options and parameter.type != "list(string)":
        choices = [
            (option.value, option.name + (f" ({option.description})" if option.description else ""))
            for option in parameter.options
        ]
        return prompts.choose(title, flag, choices, default=default or None)
    if parameter.type == "bool":
        return prompts.choose(title, flag, [("true", "yes"), ("false", "no")], default=default or None)
    return prompts.ask(title, flag, default=default, check=lambda answer: check_value(parameter, answer))
