"""Values for the parameters of a build: from flags, files, another workspace, defaults and answers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from genba_wire.api.templates import TemplateVersionParameter
    from genba_wire.api.workspaces import BuildParameter


@dataclass(frozen=True, slots=True)
class GivenValues:
    """What the command line says about parameters.

    `values` are answers, `defaults` change what is proposed, `ephemeral` are for this build only.
    """

    values: Mapping[str, str] = field(default_factory=dict[str, str])
    defaults: Mapping[str, str] = field(default_factory=dict[str, str])
    ephemeral: Mapping[str, str] = field(default_factory=dict[str, str])
    asks_all: bool = False
    """Ask also for what has a value already."""
    asks_ephemeral: bool = False


def parse_pairs(flag: str, texts: Iterable[str]) -> dict[str, str]:
    """Read `name=value` texts.

    Raises:
        click.UsageError: one has no `=`.
    """
    pairs: dict[str, str] = {}
    for number, text in enumerate(texts, start=1):
        name, separator, value = text.partition("=")
        if not separator or not name.strip():
            # The text is not repeated: `--variable key:SECRET` is a likely slip.
            raise click.UsageError(f"{flag} is NAME=VALUE, and number {number} of them is not.")
        pairs[name.strip()] = value
    return pairs


def check_value(parameter: TemplateVersionParameter, value: str) -> str:
    """Check a value as far as it can be told here; the gateway checks all of it.

    Raises:
        click.UsageError: it can't be taken; says why.
    """
    name = parameter.name
    if parameter.type == "list(string)":
        _check_list(name, value)
    elif parameter.options:
        values = [option.value for option in parameter.options]
        if value not in values:
            raise click.UsageError(f'The parameter "{name}" is one of {", ".join(values)}, not "{value}".')
    elif parameter.type == "number":
        _check_number(parameter, value)
    elif parameter.type == "bool" and value not in ("true", "false"):
        raise click.UsageError(f'The parameter "{name}" is true or false, not "{value}".')
    return value


def _check_list(name: str, value: str) -> None:
    try:
        items: object = json.loads(value)
    except ValueError:
        items = None
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):  # pyright: ignore[reportUnknownVariableType]  # JSON
        raise click.UsageError(f'The parameter "{name}" is a JSON list of texts, like ["a", "b"], not {value}.')


def _check_number(parameter: TemplateVersionParameter, value: str) -> None:
    try:
        number = float(value)
    except ValueError:
        raise click.UsageError(f'The parameter "{parameter.name}" is a number, not "{value}".') from None
    low, high = parameter.validation_min, parameter.validation_max
    if (low is not None and number < low) or (high is not None and number > high):
        allowed = " and ".join(
            words for words, bound in ((f"at least {low}", low), (f"at most {high}", high)) if bound is not None
        )
        raise click.UsageError(parameter.validation_error or f'The parameter "{parameter.name}" is {allowed}.')


def as_mapping(values: Sequence[BuildParameter]) -> dict[str, str]:
    """Values of an earlier build by name."""
    return {value.name: value.value for value in values}
