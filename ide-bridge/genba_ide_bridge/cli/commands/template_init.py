"""`genba templates init`."""

from __future__ import annotations

import shutil
from importlib.resources import as_file, files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

import click

from genba_ide_bridge.cli import prompts
from genba_ide_bridge.cli.command import GenbaCommand
from genba_ide_bridge.errors import BridgeError

STARTERS: Final = "genba_gateway.starters"
"""The package that holds the starters, named by a string and never imported by a statement.

The programs don't import one another (import-linter holds that). The starters are data that ship with the gateway,
and every installation but the one-file executable holds all programs.
"""


@click.command("init", cls=GenbaCommand)
@click.argument("directory", required=False, type=click.Path(file_okay=False, path_type=Path))
@click.option("--id", "starter", help="Which starter.")
def init(directory: Path | None, starter: str | None) -> None:
    """Write a starter template into DIRECTORY (by default one of the starter's name)."""
    starters = find_starters()
    if starter is None:
        starter = prompts.choose("Starter", f"--id (one of {', '.join(starters)})", [(name, "") for name in starters])
    if starter not in starters:
        raise click.UsageError(f'There is no starter "{starter}". Starters: {", ".join(starters)}.')
    folder = directory or Path(starter)
    copy_starter(starters[starter], folder)
    click.echo(f"Wrote the template {starter} to {folder}.\nNext: `genba templates push -d {folder}`.")


def find_starters() -> dict[str, Traversable]:
    """The starters of this installation by name.

    Raises:
        BridgeError: this installation holds none.
    """
    try:
        root = files(STARTERS)
        found = {entry.name: entry for entry in root.iterdir() if entry.is_dir() and _holds_terraform(entry)}
    except (ModuleNotFoundError, FileNotFoundError):
        found = {}
    if not found:
        raise BridgeError(
            "This installation holds no starter templates: they come with the gateway.",
            "Install it all with `uv tool install genba`, or write a template of your own.",
        )
    return dict(sorted(found.items()))


def _holds_terraform(folder: Traversable) -> bool:
    return any(entry.name.endswith(".tf") for entry in folder.iterdir())


def copy_starter(starter: Traversable, folder: Path) -> None:
    """Copy a starter's files.

    Raises:
        BridgeError: a file of that name is there already; nothing was written then.
    """
    with as_file(starter) as source:
        # Python leaves its cache wherever a package lies.
        names = [path.relative_to(source) for path in sorted(source.rglob("*")) if path.is_file()]
        names = [name for name in names if "__pycache__" not in name.parts]
        taken = next((name for name in names if (folder / name).exists()), None)
        if taken is not None:
            raise BridgeError(f"{folder / taken} exists already.", "Name another folder: genba templates init DIR.")
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, folder / name)
