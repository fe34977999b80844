"""What commands print on stdout: tables and JSON."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Generic, TypeVar, cast

import click

from genba_wire.visible_text import visible_name, visible_text

RowT = TypeVar("RowT")

_OBEYED: Final = re.compile("[\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters that JSON leaves as they are, changes of direction, and bytes that were no UTF-8."""

_STYLES: Final = {
    "running": "green",
    "connected": "green",
    "ready": "green",
    "succeeded": "green",
    "active": "green",
    "failed": "red",
    "disconnected": "red",
    "timeout": "red",
    "start_error": "red",
    "stopped": "dim",
    "pending": "yellow",
    "starting": "yellow",
    "stopping": "yellow",
    "deleting": "yellow",
    "connecting": "yellow",
}
"""Colours of the words for states, on a terminal."""


@dataclass(frozen=True, slots=True)
class Column(Generic[RowT]):
    """One column of a table; `name` is what `--column` takes."""

    name: str
    cell: Callable[[RowT], str]


def print_json(value: object) -> None:
    """Print JSON as it is; what a terminal would obey is escaped, which changes no value."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    sys.stdout.write(_OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n")


def wrapped(raw: object, key: str) -> list[dict[str, object]]:
    """Put each thing of a raw list into an object of its own, as clients of the contract read some lists (2.2)."""
    things = cast(list[object], raw) if isinstance(raw, list) else []
    return [{key: thing} for thing in things]


def choose_columns(
    columns: Sequence[Column[RowT]], default: Sequence[str], requested: Sequence[str]
) -> list[Column[RowT]]:
    """Pick columns by the words of `-c a,b -c c`, or the default ones.

    Raises:
        click.BadParameter: there is no such column; names all.
    """
    by_name = {column.name: column for column in columns}
    names = [name.strip().lower() for text in requested for name in text.split(",") if name.strip()] or default
    unknown = [name for name in names if name not in by_name]
    if unknown:
        raise click.BadParameter(f'There is no column "{unknown[0]}". Columns: {", ".join(by_name)}.', param_hint="-c")
    return [by_name[name] for name in names]


def print_table(columns: Sequence[Column[RowT]], rows: Iterable[RowT]) -> None:
    """Print a table: with colours on a terminal, else in plain columns that are cheap to make and easy to cut."""
    cells = [[visible_name(column.cell(row)) for column in columns] for row in rows]
    header = [column.name.upper() for column in columns]
    if sys.stdout.isatty():
        _print_rich_table(header, cells)
        return
    lines = [header, *cells]
    widths = [max(_width(line[at]) for line in lines) for at in range(len(columns))]
    for line in lines:
        padded = (text + " " * (width - _width(text)) for text, width in zip(line, widths, strict=True))
        sys.stdout.write("  ".join(padded).rstrip() + "\n")


def _print_rich_table(header: list[str], cells: list[list[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for name in header:
        table.add_column(name, overflow="fold")
    for line in cells:
        table.add_row(*(Text(text, style=_STYLES.get(text, "")) for text in line))
    Console(highlight=False).print(table)


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def ago(moment: datetime | None, now: datetime | None = None) -> str:
    """How long ago something was, in words."""
    if moment is None or moment.year < 2000:
        return "never"
    span = (now or datetime.now(UTC)) - moment
    return f"in {_span(-span)}" if span < timedelta(0) else f"{_span(span)} ago"


def _span(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def yes_no(fact: bool) -> str:
    """A fact in a table."""
    return "yes" if fact else "no"


def note(text: str) -> None:
    """Say something beside the output: on stderr, with nothing in it that a terminal would obey.

    A terminal that is gone, or a pipe that nobody reads, ends nothing that goes on without words.
    """
    with suppress(OSError):
        sys.stderr.write(visible_text(text) + "\n")


output_option = click.option(
    "-o", "--output", type=click.Choice(["table", "json"]), default="table", show_default=True, help="How to print."
)
column_option = click.option("-c", "--column", "columns", multiple=True, help="Columns of the table, with commas.")
yes_option = click.option("-y", "--yes", is_flag=True, help="Don't ask.")
organization_option = click.option(
    "-O", "--org", "organization", envvar=["GENBA_ORGANIZATION", "CODER_ORGANIZATION"], help="The organization."
)
