"""`genba list` and `genba show`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from genba_ide_bridge.cli.build_facts import agents_of
from genba_ide_bridge.cli.command import GenbaCommand
from genba_ide_bridge.cli.output import (
    Column,
    ago,
    choose_columns,
    column_option,
    note,
    output_option,
    print_json,
    print_table,
    yes_no,
)
from genba_ide_bridge.cli.running import run_with_gateway
from genba_ide_bridge.cli.targets import WorkspaceTarget, explain_absence, get_workspace, workspace_argument
from genba_wire.errors import GatewayRefused
from genba_wire.visible_text import visible_text

if TYPE_CHECKING:
    from genba_ide_bridge.api.client import GatewayClient
    from genba_wire.api.agents import WorkspaceAgent
    from genba_wire.api.workspaces import Workspace, WorkspaceBuild


def _lifetime(workspace: Workspace) -> str:
    return f"{workspace.ttl_ms // 60_000}m" if workspace.ttl_ms else ""


COLUMNS: Final[list[Column[Workspace]]] = [
    Column("favorite", lambda workspace: yes_no(workspace.favorite)),
    Column("workspace", lambda workspace: f"{workspace.owner_name}/{workspace.name}"),
    Column("organization id", lambda workspace: workspace.organization_id),
    Column("organization name", lambda workspace: workspace.organization_name),
    Column("template", lambda workspace: workspace.template_name),
    Column("status", lambda workspace: workspace.latest_build.status),
    Column("healthy", lambda workspace: yes_no(workspace.health.healthy)),
    Column("last built", lambda workspace: ago(workspace.latest_build.created_at)),
    Column("current version", lambda workspace: workspace.latest_build.template_version_name),
    Column("outdated", lambda workspace: yes_no(workspace.outdated)),
    Column("starts at", lambda workspace: workspace.autostart_schedule or ""),
    Column("starts next", lambda workspace: ago(workspace.next_start_at) if workspace.next_start_at else ""),
    Column("stops after", _lifetime),
    Column(
        "stops next",
        lambda workspace: ago(workspace.latest_build.deadline) if workspace.latest_build.deadline else "",
    ),
    Column("daily cost", lambda workspace: str(workspace.latest_build.daily_cost)),
]

DEFAULT_COLUMNS: Final = ("workspace", "template", "status", "healthy", "last built", "current version", "outdated")


@click.command("list", cls=GenbaCommand)
@click.option("-a", "--all", "all_", is_flag=True, help="Those of others too.")
@click.option("--search", default="owner:me", show_default=True, help="A search like `template:host status:failed`.")
@column_option
@output_option
def list_workspaces(all_: bool, search: str, columns: tuple[str, ...], output: str) -> None:
    """List workspaces."""
    chosen = choose_columns(COLUMNS, DEFAULT_COLUMNS, columns)
    query = "" if all_ else search

    async def show_list(client: GatewayClient) -> None:
        from genba_ide_bridge.api.workspaces import workspaces_of

        if output == "json":
            print_json(workspaces_of(await client.workspaces.list_workspaces_json(query)))
            return
        workspaces = await client.workspaces.list_workspaces(query)
        if workspaces:
            print_table(chosen, workspaces)
        else:
            note("No workspaces. `genba create NAME -t TEMPLATE` makes one; `genba templates list` shows templates.")

    run_with_gateway(show_list)


@click.command("show", cls=GenbaCommand)
@workspace_argument
@output_option
def show(target: WorkspaceTarget, output: str) -> None:
    """Show a workspace, its resources, agents and apps."""

    async def show_workspace(client: GatewayClient) -> None:
        if output == "json":
            print_json(await _get_json(client, target))
            return
        print_workspace(await get_workspace(client, target))

    run_with_gateway(show_workspace)


async def _get_json(client: GatewayClient, target: WorkspaceTarget) -> object:
    try:
        return await client.workspaces.get_workspace_json(target.owner, target.workspace)
    except GatewayRefused as refusal:
        raise explain_absence(refusal, target) from refusal


def print_workspace(workspace: Workspace) -> None:
    """Print what is known of a workspace."""
    build = workspace.latest_build
    version = build.template_version_name + (" (outdated)" if workspace.outdated else "")
    click.echo(f"{workspace.owner_name}/{workspace.name}: {build.status}")
    if build.status_reason:
        click.echo(f"  {visible_text(build.status_reason)}")
    if build.job.error:
        click.echo(f"  build {build.build_number} ({build.transition}): {visible_text(build.job.error)}")
    click.echo(f"  template {workspace.template_name}, version {version}, built {ago(build.created_at)}")
    if build.deadline:
        click.echo(f"  stops {ago(build.deadline)}")
    print_agents(build)


AGENT_COLUMNS: Final[list[Column[WorkspaceAgent]]] = [
    Column("agent", lambda agent: agent.name),
    Column("status", lambda agent: agent.status),
    Column("lifecycle", lambda agent: agent.lifecycle_state),
    Column("system", lambda agent: f"{agent.operating_system}/{agent.architecture}"),
    Column("version", lambda agent: agent.version),
    Column("apps", lambda agent: ", ".join(app.display_name or app.slug for app in agent.apps)),
    Column("why", lambda agent: agent.status_reason or agent.health.reason),
]


def print_agents(build: WorkspaceBuild) -> None:
    """Print the agents of a build as a table."""
    agents = agents_of(build)
    if agents:
        click.echo()
        print_table(AGENT_COLUMNS, agents)
