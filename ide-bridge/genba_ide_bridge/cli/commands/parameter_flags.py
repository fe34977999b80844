"""The flags about parameters that create, start, restart and update share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import click

from genba_ide_bridge.cli.command import LISTED_TEXT, environment_of
from genba_ide_bridge.cli.parameters import GivenValues, parse_pairs
from genba_ide_bridge.cli.values_file import read_values_file

FunctionT = TypeVar("FunctionT", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class ParameterFlags:
    """What was typed."""

    parameter: tuple[str, ...]
    parameter_default: tuple[str, ...]
    rich_parameter_file: Path | None
    ephemeral_parameter: tuple[str, ...] = ()
    prompt_ephemeral_parameters: bool = False
    always_prompt: bool = False

    def read(self) -> GivenValues:
        """Read flags and file; flags win."""
        from_file = read_values_file(self.rich_parameter_file) if self.rich_parameter_file else {}
        return GivenValues(
            values={**from_file, **parse_pairs("--parameter", self.parameter)},
            defaults=parse_pairs("--parameter-default", self.parameter_default),
            ephemeral=parse_pairs("--ephemeral-parameter", self.ephemeral_parameter),
            asks_all=self.always_prompt,
            asks_ephemeral=self.prompt_ephemeral_parameters,
        )


def parameter_options(function: FunctionT) -> FunctionT:
    """Flags for values: `parameter`, `parameter_default`, `rich_parameter_file`."""
    for option in (
        click.option(
            "--rich-parameter-file",
            type=click.Path(dir_okay=False, path_type=Path),
            envvar=environment_of("RICH_PARAMETER_FILE"),
            help="A file of values: a JSON object, or YAML of `name: value`.",
        ),
        click.option(
            "--parameter-default",
            multiple=True,
            type=LISTED_TEXT,
            envvar=environment_of("RICH_PARAMETER_DEFAULT"),
            metavar="NAME=VALUE",
            help="What to propose, or take where nobody can be asked.",
        ),
        click.option(
            "--parameter",
            multiple=True,
            type=LISTED_TEXT,
            envvar=environment_of("RICH_PARAMETER"),
            metavar="NAME=VALUE",
            help="The value of a parameter, repeatable.",
        ),
    ):
        function = option(function)
    return function


def ephemeral_options(function: FunctionT) -> FunctionT:
    """Flags for values of one build: `ephemeral_parameter`, `prompt_ephemeral_parameters`, `always_prompt`."""
    for option in (
        click.option("--always-prompt", is_flag=True, help="Ask for all parameters."),
        click.option(
            "--prompt-ephemeral-parameters",
            "--build-options",
            "prompt_ephemeral_parameters",
            is_flag=True,
            envvar=environment_of("PROMPT_EPHEMERAL_PARAMETERS"),
            help="Ask for the parameters of one build.",
        ),
        click.option(
            "--ephemeral-parameter",
            "--build-option",
            "ephemeral_parameter",
            multiple=True,
            type=LISTED_TEXT,
            envvar=[*environment_of("EPHEMERAL_PARAMETER"), *environment_of("BUILD_OPTION")],
            metavar="NAME=VALUE",
            help="A value for this build only, repeatable.",
        ),
    ):
        function = option(function)
    return function
