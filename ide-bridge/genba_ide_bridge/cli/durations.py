"""Durations as people write them: `90m`, `1h30m`, `30d`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

import click

_UNITS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
MAX_DURATION: Final = timedelta(microseconds=(2**63 - 1) // 1000)
"""The API counts nanoseconds in 64 bits: 292 years."""

_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdw])")


class Duration(click.ParamType[timedelta]):
    """A flag's duration."""

    name = "duration"

    def __init__(self, at_least: timedelta = timedelta(0)) -> None:
        """Refuse what is shorter than `at_least`."""
        self._at_least = at_least

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Parse it once."""
        if isinstance(value, timedelta):
            return value
        try:
            duration = parse_duration(str(value))
        except ValueError as error:
            raise click.BadParameter(str(error), ctx=ctx, param=param) from error
        if duration < self._at_least:
            least = f"{self._at_least.total_seconds():g} s"
            raise click.BadParameter(f'"{value}" is less than {least}, the least it may be.', ctx=ctx, param=param)
        return duration


def parse_duration(text: str) -> timedelta:
    """Read a duration.

    Raises:
        ValueError: it is none, or one too long; says what one looks like.
    """
    compact = text.replace(" ", "")
    if compact == "0":
        return timedelta(0)
    if not compact or _PART.sub("", compact):
        raise ValueError(f'"{text}" is not a duration like 90m, 1h30m or 30d.')
    seconds = sum(float(amount) * _UNITS[unit] for amount, unit in _PART.findall(compact))
    if seconds > MAX_DURATION.total_seconds():
        raise ValueError(f'"{text}" is longer than the 292 years that a duration may have.')
    return timedelta(seconds=seconds)
