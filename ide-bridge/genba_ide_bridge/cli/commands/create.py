"""`genba create`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from genba_ide_bridge.cli import prompts
from genba_ide_bridge.cli.command import GenbaCommand, environment_of
from genba_ide_bridge.cli.commands.listing import print_agents
from genba_ide_bridge.cli.commands.parameter_flags import ParameterFlags, parameter_options
from genba_ide_bridge.cli.durations import Duration
from genba_ide_bridge.cli.output import note, organization_option, yes_option
from genba_ide_bridge.cli.parameters import GivenValues, as_mapping
from genba_ide_bridge.cli.running import run_with_gateway
from genba_ide_bridge.cli.schedules import AutostartSchedule
from genba_ide_bridge.cli.targets import WorkspaceTarget, get_workspace, parse_target
from genba_ide_bridge.errors import BridgeError

if TYPE_CHECKING:
    from genba_ide_bridge.api.client import GatewayClient
    from genba_wire.api.templates import Template, TemplateVersionParameter
    from genba_wire.api.workspaces import WorkspaceBuild


@dataclass(frozen=True, slots=True)
class CreateFlags:
    """What was typed."""

    template: str | None
    template_version: str | None
    organization: str | None
    copy_parameters_from: str | None
    start_at: str | None
    stop_after: timedelta | None
    automatic_updates: str


@click.command("create", cls=GenbaCommand)
@click.argument("workspace", required=False)
@click.option("-t", "--template", envvar=environment_of("TEMPLATE_NAME"), help="The template to make it from.")
@click.option("--template-version", envvar=environment_of("TEMPLATE_VERSION"), help="A version that is not active.")
@click.option(
    "--copy-parameters-from", envvar=environment_of("WORKSPACE_COPY_PARAMETERS_FROM"), help="Take another's values."
)
@click.option(
    "--start-at",
    type=AutostartSchedule(),
    envvar=environment_of("WORKSPACE_START_AT"),
    metavar="TIME [DAYS] [ZONE]",
    help='Start by itself, like "9:30AM Mon-Fri Europe/Vienna".',
)
@click.option(
    "--stop-after", type=Duration(), envvar=environment_of("WORKSPACE_STOP_AFTER"), help="Stop by itself, like 8h."
)
@click.option(
    "--automatic-updates",
    type=click.Choice(["always", "never"]),
    default="never",
    envvar=environment_of("WORKSPACE_AUTOMATIC_UPDATES"),
    help="Start with the template's active version.",
)
@parameter_options
@organization_option
@yes_option
def create(
    workspace: str | None,
    template: str | None,
    template_version: str | None,
    copy_parameters_from: str | None,
    start_at: str | None,
    stop_after: timedelta | None,
    automatic_updates: str,
    parameter: tuple[str, ...],
    parameter_default: tuple[str, ...],
    rich_parameter_file: Path | None,
    organization: str | None,
    yes: bool,
) -> None:
    """Create a workspace and wait for its first build."""
    given = ParameterFlags(parameter, parameter_default, rich_parameter_file).read()
    name = workspace or prompts.ask("Name of the workspace", "its name: genba create NAME")
    target = parse_target(name)
    if target.agent:
        raise click.BadArgumentUsage(f'"{name}" is not a name for a workspace.')
    flags = CreateFlags(
        template, template_version, organization, copy_parameters_from, start_at, stop_after, automatic_updates
    )

    async def create_workspace(client: GatewayClient) -> None:
        build = await _create(client, target, flags, given, asks=not yes and prompts.can_ask())
        _print_success(build, target)

    run_with_gateway(create_workspace)


async def _create(
    client: GatewayClient, target: WorkspaceTarget, flags: CreateFlags, given: GivenValues, *, asks: bool
) -> WorkspaceBuild:
    from genba_ide_bridge.cli.dry_run import show_dry_run
    from genba_ide_bridge.cli.following import follow_build
    from genba_ide_bridge.cli.parameter_choice import choose_values
    from genba_wire.api.workspaces import CreateWorkspaceRequest

    if await client.workspaces.find_workspace(target.owner, target.workspace) is not None:
        raise BridgeError(
            f'There is a workspace "{target.name}" already.',
            f"`genba start {target.name}` starts it, `genba delete {target.name}` removes it.",
        )
    template = await _find_template(client, flags)
    version_id = template.active_version_id
    if flags.template_version:
        version_id = (await client.templates.get_version_by_name(template.id, flags.template_version)).id
    given = await _with_copied_values(client, flags, given)
    parameters = await client.templates.list_parameters(version_id)
    values = choose_values(parameters, given, None)
    if asks:
        version = await client.templates.get_version(version_id)
        _print_plan(target, f"{template.name}, version {version.name}", parameters, as_mapping(values))
        await show_dry_run(client, version_id, target.workspace, values)
        prompts.confirm("Create it?", default=True)
    created = await client.workspaces.create_workspace(
        target.owner,
        CreateWorkspaceRequest(
            name=target.workspace,
            # One of both (contract, appendix B): a version that was named, else whichever is active by then.
            template_id="" if flags.template_version else template.id,
            template_version_id=version_id if flags.template_version else "",
            autostart_schedule=flags.start_at,
            ttl_ms=int(flags.stop_after / timedelta(milliseconds=1)) if flags.stop_after is not None else None,
            rich_parameter_values=values,
            automatic_updates=flags.automatic_updates,
        ),
    )
    return await follow_build(client, created.latest_build, title=f"Creating {target.name}", name=target.name)


async def _find_template(client: GatewayClient, flags: CreateFlags) -> Template:
    templates = await client.templates.list_templates()
    if flags.organization:
        templates = [one for one in templates if flags.organization in (one.organization_id, one.organization_name)]
    if not templates:
        raise BridgeError(
            "There is no template to make a workspace from.",
            "Push one: `genba templates init --id host`, then `genba templates push -d host`.",
        )
    by_name = {template.name: template for template in templates}
    wanted = flags.template
    if not wanted:
        choices = [(template.name, template.display_name or template.description) for template in templates]
        wanted = prompts.choose("Template", f"--template (one of {', '.join(by_name)})", choices)
    if wanted not in by_name:
        raise BridgeError(f'There is no template "{wanted}".', f"There is: {', '.join(sorted(by_name))}.")
    return by_name[wanted]


async def _with_copied_values(client: GatewayClient, flags: CreateFlags, given: GivenValues) -> GivenValues:
    if not flags.copy_parameters_from:
        return given
    source = await get_workspace(client, parse_target(flags.copy_parameters_from))
    copied = as_mapping(await client.workspaces.list_build_parameters(source.latest_build.id))
    return GivenValues(values={**copied, **given.values}, defaults=given.defaults)


def _print_plan(
    target: WorkspaceTarget, source: str, parameters: Sequence[TemplateVersionParameter], values: Mapping[str, str]
) -> None:
    note(f"Workspace {target.name} of template {source}")
    for parameter in parameters:
        if parameter.name in values or not parameter.ephemeral:
            title = parameter.display_name or parameter.name
            note(f"  {title}: {values.get(parameter.name, parameter.default_value)}")


def _print_success(build: WorkspaceBuild, target: WorkspaceTarget) -> None:
    click.echo(f"Workspace {target.name} is {build.status} (build {build.build_number}).")
    print_agents(build)
    click.echo(f"\nNext: `genba logs -f {target.name}` follows its start-up, `genba list` shows all workspaces.")
