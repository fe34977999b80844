"""`genba start`, `stop`, `restart` and `update`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from genba_ide_bridge.cli.build_facts import is_over
from genba_ide_bridge.cli.command import GenbaCommand
from genba_ide_bridge.cli.commands.parameter_flags import ParameterFlags, ephemeral_options, parameter_options
from genba_ide_bridge.cli.output import note, yes_option
from genba_ide_bridge.cli.parameters import GivenValues, as_mapping
from genba_ide_bridge.cli.running import run_with_gateway
from genba_ide_bridge.cli.targets import WorkspaceTarget, get_workspace, workspace_argument
from genba_ide_bridge.errors import BridgeError

if TYPE_CHECKING:
    from genba_ide_bridge.api.client import GatewayClient
    from genba_wire.api.workspaces import Workspace, WorkspaceBuild

reason_option = click.option("--reason", default="", metavar="WORD", help="Why, for the record: vscode_connection, …")


@click.command("start", cls=GenbaCommand)
@workspace_argument
@parameter_options
@ephemeral_options
@reason_option
@yes_option
def start(
    target: WorkspaceTarget,
    parameter: tuple[str, ...],
    parameter_default: tuple[str, ...],
    rich_parameter_file: Path | None,
    ephemeral_parameter: tuple[str, ...],
    prompt_ephemeral_parameters: bool,
    always_prompt: bool,
    reason: str,
    yes: bool,
) -> None:
    """Start a workspace and wait until its build is done."""
    del yes
    given = ParameterFlags(
        parameter,
        parameter_default,
        rich_parameter_file,
        ephemeral_parameter,
        prompt_ephemeral_parameters,
        always_prompt,
    ).read()

    async def start_workspace(client: GatewayClient) -> None:
        workspace = await get_workspace(client, target)
        if workspace.latest_build.status == "running":
            click.echo(f"Workspace {target.name} is running already.")
            return
        if workspace.latest_build.transition == "start" and not is_over(workspace.latest_build.job):
            await _follow(client, workspace.latest_build, "Starting", target)
            return
        workspace = await _let_build_end(client, workspace, target)
        await _start(client, workspace, _version_to_start(workspace), given, target, reason)

    run_with_gateway(start_workspace)


@click.command("stop", cls=GenbaCommand)
@workspace_argument
@reason_option
@yes_option
def stop(target: WorkspaceTarget, reason: str, yes: bool) -> None:
    """Stop a workspace and wait until its build is done."""
    del yes

    async def stop_workspace(client: GatewayClient) -> None:
        workspace = await get_workspace(client, target)
        if workspace.latest_build.status == "stopped":
            click.echo(f"Workspace {target.name} is stopped already.")
            return
        await _stop(client, workspace, target, reason)

    run_with_gateway(stop_workspace)


@click.command("restart", cls=GenbaCommand)
@workspace_argument
@parameter_options
@ephemeral_options
@reason_option
@yes_option
def restart(
    target: WorkspaceTarget,
    parameter: tuple[str, ...],
    parameter_default: tuple[str, ...],
    rich_parameter_file: Path | None,
    ephemeral_parameter: tuple[str, ...],
    prompt_ephemeral_parameters: bool,
    always_prompt: bool,
    reason: str,
    yes: bool,
) -> None:
    """Stop a workspace, then start it again."""
    del yes
    given = ParameterFlags(
        parameter,
        parameter_default,
        rich_parameter_file,
        ephemeral_parameter,
        prompt_ephemeral_parameters,
        always_prompt,
    ).read()

    async def restart_workspace(client: GatewayClient) -> None:
        workspace = await get_workspace(client, target)
        version_id = _version_to_start(workspace)
        # Asked and checked before anything stops.
        chosen = await _choose_values(client, workspace, version_id, given)
        await _stop(client, workspace, target, reason)
        await _start(client, await get_workspace(client, target), version_id, chosen, target, reason)

    run_with_gateway(restart_workspace)


@click.command("update", cls=GenbaCommand)
@workspace_argument
@parameter_options
@ephemeral_options
@yes_option
def update(
    target: WorkspaceTarget,
    parameter: tuple[str, ...],
    parameter_default: tuple[str, ...],
    rich_parameter_file: Path | None,
    ephemeral_parameter: tuple[str, ...],
    prompt_ephemeral_parameters: bool,
    always_prompt: bool,
    yes: bool,
) -> None:
    """Start a workspace with the active version of its template."""
    del yes
    given = ParameterFlags(
        parameter,
        parameter_default,
        rich_parameter_file,
        ephemeral_parameter,
        prompt_ephemeral_parameters,
        always_prompt,
    ).read()

    async def update_workspace(client: GatewayClient) -> None:
        workspace = await get_workspace(client, target)
        if not workspace.outdated and not (always_prompt or given.values or given.ephemeral):
            click.echo(f"Workspace {target.name} has the active version of {workspace.template_name} already.")
            return
        workspace = await _let_build_end(client, workspace, target)
        await _start(client, workspace, workspace.template_active_version_id, given, target, "")

    run_with_gateway(update_workspace)


def _version_to_start(workspace: Workspace) -> str:
    wants_active = workspace.template_require_active_version or workspace.automatic_updates == "always"
    return workspace.template_active_version_id if wants_active else workspace.latest_build.template_version_id


async def _let_build_end(client: GatewayClient, workspace: Workspace, target: WorkspaceTarget) -> Workspace:
    """Wait for a start or stop that runs, since another build is refused meanwhile; returns the workspace after it."""
    build = workspace.latest_build
    if is_over(build.job) or build.transition == "delete":
        return workspace
    from genba_ide_bridge.cli.following import follow_build

    try:
        await follow_build(client, build, title=f"Waiting for build {build.build_number}", name=target.name)
    except BridgeError as error:
        note(f"{error.message} Going on.")
    return await get_workspace(client, target)


async def _choose_values(
    client: GatewayClient, workspace: Workspace, version_id: str, given: GivenValues
) -> GivenValues:
    """The values for a build, as given ones: choosing again among them asks nothing."""
    from genba_ide_bridge.cli.parameter_choice import choose_values

    parameters = await client.templates.list_parameters(version_id)
    previous = as_mapping(await client.workspaces.list_build_parameters(workspace.latest_build.id))
    return GivenValues(values=as_mapping(choose_values(parameters, given, previous)))


async def _start(
    client: GatewayClient,
    workspace: Workspace,
    version_id: str,
    given: GivenValues,
    target: WorkspaceTarget,
    reason: str,
) -> None:
    from genba_wire.api.workspaces import BuildParameter, CreateBuildRequest

    values = (await _choose_values(client, workspace, version_id, given)).values
    if workspace.dormant_at is not None:
        await client.workspaces.wake_workspace(workspace.id)
    request = CreateBuildRequest(
        transition="start",
        template_version_id=version_id,
        rich_parameter_values=[BuildParameter(name=name, value=value) for name, value in values.items()],
        reason=reason,
    )
    build = await client.workspaces.create_build(workspace.id, request)
    await _follow(client, build, "Starting", target)


async def _stop(client: GatewayClient, workspace: Workspace, target: WorkspaceTarget, reason: str) -> None:
    from genba_wire.api.workspaces import CreateBuildRequest

    build = workspace.latest_build
    if build.transition != "stop" or is_over(build.job):
        request = CreateBuildRequest(transition="stop", reason=reason)
        build = await client.workspaces.create_build(workspace.id, request)
    await _follow(client, build, "Stopping", target)


async def _follow(client: GatewayClient, build: WorkspaceBuild, doing: str, target: WorkspaceTarget) -> None:
    from genba_ide_bridge.cli.commands.listing import print_agents
    from genba_ide_bridge.cli.following import follow_build

    done = await follow_build(client, build, title=f"{doing} {target.name}", name=target.name)
    click.echo(f"Workspace {target.name} is {done.status} (build {done.build_number}).")
    if done.transition == "start":
        print_agents(done)
        click.echo(f"\nNext: `genba logs -f {target.name}` follows its start-up.")
