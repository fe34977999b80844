"""`genba templates pull`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from genba_ide_bridge.cli import prompts
from genba_ide_bridge.cli.archive import unpack_template
from genba_ide_bridge.cli.command import GenbaCommand
from genba_ide_bridge.cli.organizations import find_organization
from genba_ide_bridge.cli.output import organization_option, yes_option
from genba_ide_bridge.cli.running import run_with_gateway
from genba_ide_bridge.errors import BridgeError

if TYPE_CHECKING:
    from genba_ide_bridge.api.client import GatewayClient
    from genba_wire.api.templates import Template, TemplateVersion


@click.command("pull", cls=GenbaCommand)
@click.argument("name")
@click.argument("destination", required=False, type=click.Path(file_okay=False, path_type=Path))
@click.option("--tar", "as_tar", is_flag=True, help="Write a tar to stdout.")
@click.option("--zip", "as_zip", is_flag=True, help="Write a zip to stdout.")
@click.option("--version", "version_name", default="", help="A version's name, or `active` (the default).")
@organization_option
@yes_option
def pull(
    name: str,
    destination: Path | None,
    as_tar: bool,
    as_zip: bool,
    version_name: str,
    organization: str | None,
    yes: bool,
) -> None:
    """Download a template's files into DESTINATION (by default a folder of its name)."""
    folder = destination or Path(name)

    async def pull_template(client: GatewayClient) -> None:
        found = await find_organization(client, organization)
        template = await client.templates.find_template(found.name, name)
        if template is None:
            raise BridgeError(f'There is no template "{name}".', "`genba templates list` shows all.")
        version = await _find_version(client, template, version_name)
        content = await client.templates.download(version.job.file_id, as_zip=as_zip)
        if as_tar or as_zip:
            sys.stdout.buffer.write(content)
            sys.stdout.buffer.flush()
            return
        if folder.is_dir() and any(folder.iterdir()) and not yes:
            prompts.confirm(f"{folder} is not empty. Overwrite files in it?")
        folder.mkdir(parents=True, exist_ok=True)
        count = unpack_template(content, folder)
        click.echo(f"Wrote {count} files of {name}, version {version.name}, to {folder}.")

    run_with_gateway(pull_template)


async def _find_version(client: GatewayClient, template: Template, name: str) -> TemplateVersion:
    if name in ("", "active"):
        return await client.templates.get_version(template.active_version_id)
    return await client.templates.get_version_by_name(template.id, name)
