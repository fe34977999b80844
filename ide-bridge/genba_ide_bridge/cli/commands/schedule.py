"""`genba schedule`: when workspaces start and stop by themselves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import click

from genba_ide_bridge.cli.command import ScheduleGroup
from genba_ide_bridge.cli.durations import Duration, parse_duration
from genba_ide_bridge.cli.output import (
    Column,
    choose_columns,
    column_option,
    note,
    output_option,
    print_json,
    print_table,
)
from genba_ide_bridge.cli.running import run_with_gateway
from genba_ide_bridge.cli.schedules import describe_schedule, parse_schedule
from genba_ide_bridge.cli.targets import WorkspaceName, WorkspaceTarget, get_workspace, workspace_argument

if TYPE_CHECKING:
    from genba_ide_bridge.api.client import GatewayClient
    from genba_wire.api.workspaces import Workspace

MANUAL: Final = "manual"
"""In place of a time: not by itself."""


def _time(time: datetime | None) -> str:
    return time.isoformat(timespec="seconds") if time else ""


def _span(milliseconds: int | None) -> str:
    if not milliseconds:
        return ""
    minutes = milliseconds // 60_000
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes}m" if hours and minutes else f"{hours}h" if hours else f"{minutes}m"


COLUMNS: Final[list[Column[Workspace]]] = [
    Column("workspace", lambda one: f"{one.owner_name}/{one.name}"),
    Column("starts at", lambda one: describe_schedule(one.autostart_schedule or "")),
    Column("starts next", lambda one: _time(one.next_start_at)),
    Column("stops after", lambda one: _span(one.ttl_ms)),
    Column("stops next", lambda one: _time(one.latest_build.deadline)),
]


@click.group("schedule", cls=ScheduleGroup)
def schedule() -> None:
    """Show and set when workspaces start and stop by themselves."""


@schedule.command("show")
@click.argument("target", metavar="[[OWNER/]WORKSPACE]", type=WorkspaceName(), required=False)
@click.option("-a", "--all", "all_", is_flag=True, help="All that you may see.")
@click.option("--search", default="owner:me", help="Which ones, as `genba list --search` takes it.")
@column_option
@output_option
def show_schedules(
    target: WorkspaceTarget | None, all_: bool, search: str, columns: tuple[str, ...], output: str
) -> None:
    """Show when workspaces start and stop."""
    chosen = choose_columns(COLUMNS, tuple(column.name for column in COLUMNS), columns)

    async def show(client: GatewayClient) -> None:
        if target is not None:
            found = [await get_workspace(client, target)]
        else:
            found = await client.workspaces.list_workspaces("" if all_ else search)
        if output == "json":
            print_json([{each.name.replace(" ", "_"): each.cell(one) for each in COLUMNS} for one in found])
        elif found:
            print_table(chosen, found)
        else:
            note("No workspaces. `genba create` makes one.")

    run_with_gateway(show)


@schedule.command("start")
@workspace_argument
@click.argument("when", nargs=-1, required=True, metavar="TIME [DAYS] [ZONE]|manual")
def set_start(target: WorkspaceTarget, when: tuple[str, ...]) -> None:
    """Let a workspace start by itself, like `9:30AM Mon-Fri Europe/Vienna`, or no longer (`manual`)."""
    try:
        cron = None if when == (MANUAL,) else parse_schedule(" ".join(when))
    except ValueError as error:
        raise click.BadParameter(str(error)) from error

    async def change(client: GatewayClient) -> None:
        workspace = await get_workspace(client, target)
        await client.workspaces.set_autostart(workspace.id, cron)
        if cron is None:
            click.echo(f"Workspace {target.name} does not start by itself.")
            return
        changed = await client.workspaces.get_workspace_by_id(workspace.id)
        upcoming = f", {_time(changed.next_start_at)} next" if changed.next_start_at else ""
        click.echo(f"Workspace {target.name} starts at {describe_schedule(cron)}{upcoming}.")

    run_with_gateway(change)


@schedule.command("stop")
@workspace_argument
@click.argument("after", metavar="DURATION|manual")
def set_stop(target: WorkspaceTarget, after: str) -> None:
    """Let a workspace stop so long after each start, like `8h`, or no longer by itself (`manual`)."""
    try:
        ttl = None if after == MANUAL else parse_duration(after)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error

    async def change(client: GatewayClient) -> None:
        workspace = await get_workspace(client, target)
        milliseconds = int(ttl / timedelta(milliseconds=1)) if ttl else None
        await client.workspaces.set_ttl(workspace.id, milliseconds)
        if milliseconds:
            click.echo(f"Workspace {target.name} stops {_span(milliseconds)} after its next start.")
        else:
            click.echo(f"Workspace {target.name} does not stop by itself.")

    run_with_gateway(change)


@schedule.command("extend")
@workspace_argument
@click.argument("duration", metavar="DURATION", type=Duration())
def extend(target: WorkspaceTarget, duration: timedelta) -> None:
    """Let a running workspace stop so long from now instead; at least 30 minutes."""

    async def change(client: GatewayClient) -> None:
        workspace = await get_workspace(client, target)
        deadline = datetime.now(UTC) + duration
        await client.workspaces.extend(workspace.id, deadline)
        click.echo(f"Workspace {target.name} stops at {_time(deadline)}.")

    run_with_gateway(change)
