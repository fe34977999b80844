"""`genba stat`: for the metadata of templates, and for those who wonder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import click

from genba_ide_bridge.cli.command import GenbaCommand, GenbaGroup
from genba_ide_bridge.cli.machine_stat import PREFIXES, Figure, MachineStat
from genba_ide_bridge.cli.output import Column, choose_columns, column_option, output_option, print_json, print_table

_FIGURES: Final[dict[str, Callable[[MachineStat], Figure | None]]] = {
    "host cpu": MachineStat.host_cpu,
    "host memory": MachineStat.host_memory,
    "home disk": lambda stat: stat.disk(Path.home()),
    "container cpu": MachineStat.container_cpu,
    "container memory": MachineStat.container_memory,
}
"""By the names of columns; the JSON has underscores for spaces (contract 2.2)."""

_text_option = click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How to print."
)
_host_option = click.option("--host", is_flag=True, help="Of the machine, also inside a container.")
_prefix_option = click.option(
    "--prefix", type=click.Choice([*PREFIXES]), default="Gi", show_default=True, help="Of bytes, in text."
)


@click.group("stat", cls=GenbaGroup, invoke_without_command=True)
@column_option
@output_option
@click.pass_context
def stat(context: click.Context, columns: tuple[str, ...], output: str) -> None:
    """Show how busy the machine and the container are that this runs in, without asking a gateway."""
    if context.invoked_subcommand is not None:
        return
    machine = MachineStat()
    chosen = choose_columns([_column(name) for name in _FIGURES], [*_FIGURES], columns)
    found = {one.name: _FIGURES[one.name](machine) for one in chosen}
    if output == "json":
        print_json({name.replace(" ", "_"): figure.as_json() if figure else None for name, figure in found.items()})
        return
    print_table(chosen, [{name: figure.as_text() if figure else "" for name, figure in found.items()}])


def _column(name: str) -> Column[dict[str, str]]:
    return Column(name, lambda row: row[name])


@stat.command("cpu", cls=GenbaCommand)
@_host_option
@_text_option
def cpu(host: bool, output: str) -> None:
    """Show the processors that are busy: of the container, if this runs in one."""
    machine = MachineStat()
    _print((None if host else machine.container_cpu()) or machine.host_cpu(), output)


@stat.command("mem", cls=GenbaCommand)
@_host_option
@_prefix_option
@_text_option
def mem(host: bool, prefix: str, output: str) -> None:
    """Show the memory that is used: of the container, if this runs in one."""
    machine = MachineStat()
    _print((None if host else machine.container_memory()) or machine.host_memory(), output, prefix)


@stat.command("disk", cls=GenbaCommand)
@click.option("--path", default="/", show_default=True, type=click.Path(path_type=Path), help="A path on the disk.")
@_prefix_option
@_text_option
def disk(path: Path, prefix: str, output: str) -> None:
    """Show what is used of a disk."""
    _print(MachineStat().disk(path), output, prefix)


def _print(figure: Figure, output: str, prefix: str = "Gi") -> None:
    if output == "json":
        print_json(figure.as_json())
    else:
        click.echo(figure.as_text(prefix))
