"""Starter templates: a folder each, with `main.tf` and a README that users see.

host runs the workspace as processes on the gateway's own machine. A starter is copied and uploaded like any other
template; it gets no special treatment.
"""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).resolve().parent


def list_starters() -> list[str]:
    """Name the starters, sorted."""
    return sorted(each.parent.name for each in _FOLDER.glob("*/main.tf"))


def read_starter(name: str) -> Path:
    """Give the folder of a starter.

    Raises:
        KeyError: there is none of that name; the message names those that are there.
    """
    if name not in list_starters():
        raise KeyError(f"there is no starter {name!r}; there are: {', '.join(list_starters())}")
    return _FOLDER / name
