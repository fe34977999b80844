"""Values for the parameters of a build: from flags, files, another workspace, defaults and answers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from genba_ide_bridge.errors import BridgeError

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


def read_values_file(path: Path) -> dict[str, str]:
    """Read a file of values: a JSON object, or lines `name: value` (plain YAML) or `name=value`.

    Nested YAML is refused, and not guessed at: lists and objects are written as JSON after the name.

    Raises:
        BridgeError: the file can't be read as one of these; names the line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BridgeError(f"Can't read the values in {path}: {error}.") from error
    if text.lstrip().startswith("{"):
        return _read_json_values(path, text)
    values: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#") or stripped == "---":
            continue
        name, value = _split_line(stripped)
        if not name or line[0].isspace() or stripped.startswith("- ") or (value in ("|", ">", "") and ":" in stripped):
            raise BridgeError(
                f"{path}, line {number}, is not `name: value`.",
                "Lists and objects are written as JSON on one line, longer files as one JSON object.",
            )
        values[name] = _unquote(value)
    return values


def _split_line(line: str) -> tuple[str, str]:
    at = min((line.find(mark) for mark in (":", "=") if mark in line), default=-1)
    return (line[:at].strip().strip("\"'"), line[at + 1 :].strip()) if at > 0 else ("", "")


def _unquote(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        return str(json.loads(value)) if value[0] == '"' and _is_json(value) else value[1:-1]
    return value.partition(" #")[0].rstrip()


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _read_json_values(path: Path, text: str) -> dict[str, str]:
    try:
        values: dict[str, object] = json.loads(text)
    except ValueError as error:
        raise BridgeError(f"{path} is not valid JSON: {error}.") from error
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}


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
