"""`genba templates archive`: archives versions that nobody needs, of many templates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from genba_ide_bridge.cli import prompts
from genba_ide_bridge.cli.command import GenbaCommand
from genba_ide_bridge.cli.organizations import find_organization
from genba_ide_bridge.cli.output import organization_option, yes_option
from genba_ide_bridge.cli.running import run_with_gateway
from genba_ide_bridge.errors import BridgeError

if TYPE_CHECKING:
    from genba_ide_bridge.api.client import GatewayClient
    from genba_wire.api.templates import Template, TemplateVersion


@click.command("archive", cls=GenbaCommand)
@click.argument("names", nargs=-1, metavar="[NAME...]")
@click.option("--all", "all_", is_flag=True, help="Also versions that did not fail, when no workspace has them.")
@organization_option
@yes_option
def archive(names: tuple[str, ...], all_: bool, organization: str | None, yes: bool) -> None:
    """Archive versions that failed, of all templates or of some; never an active one."""

    async def archive_versions(client: GatewayClient) -> None:
        doomed = [
            (template, version)
            for template in await _list_templates(client, organization, names)
            for version in await _list_unused(client, template, with_good=all_)
        ]
        if not doomed:
            click.echo("There is no version to archive.")
            return
        if not yes:
            shown = ", ".join(f"{version.name} of {template.name}" for template, version in doomed)
            prompts.confirm(f"Archive {shown}?")
        for template, version in doomed:
            await client.templates.set_archived(version.id, archived=True)
            click.echo(f"Version {version.name} of {template.name} was archived.")

    run_with_gateway(archive_versions)


async def _list_templates(client: GatewayClient, organization: str | None, names: tuple[str, ...]) -> list[Template]:
    found = await find_organization(client, organization)
    templates = [one for one in await client.templates.list_templates() if one.organization_id == found.id]
    by_name = {template.name: template for template in templates}
    for name in names:
        if name not in by_name:
            raise BridgeError(f'There is no template "{name}".', "`genba templates list` shows all.")
    return [by_name[name] for name in dict.fromkeys(names)] if names else templates


async def _list_unused(client: GatewayClient, template: Template, *, with_good: bool) -> list[TemplateVersion]:
    versions = await client.templates.list_versions(template.id)
    used = {template.active_version_id}
    if with_good:
        workspaces = await client.workspaces.list_workspaces(f"template:{template.name}")
        used.update(one.latest_build.template_version_id for one in workspaces if one.template_id == template.id)
    wanted = {"failed", "canceled", "succeeded"} if with_good else {"failed", "canceled"}
    return [one for one in versions if one.job.status in wanted and not one.archived and one.id not in used]
