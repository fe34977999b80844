"""Durations as people write them: `90m`, `1h30m`, `30d`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

import click

_UNITS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdw])")


class Duration(click.ParamType[timedelta]):
    """A flag's duration."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Parse it once."""
        if isinstance(value, timedelta):
            return value
        try:
            return parse_duration(str(value))
        except ValueError as error:
            raise click.BadParameter(str(error), ctx=ctx, param=param) from error


def parse_duration(text: str) -> timedelta:
    """Read a duration.

    Raises:
        ValueError: it is none; says what one looks like.
    """
    compact = text.replace(" ", "")
    if compact == "0":
        return timedelta(0)
    if not compact or _PART.sub("", compact):
        raise ValueError(f'"{text}" is not a duration like 90m, 1h30m or 30d.')
    return timedelta(seconds=sum(float(amount) * _UNITS[unit] for amount, unit in _PART.findall(compact)))
