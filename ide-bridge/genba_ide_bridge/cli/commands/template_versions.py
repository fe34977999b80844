"""`genba templates versions`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from genba_ide_bridge.cli.command import GenbaGroup, environment_of
from genba_ide_bridge.cli.organizations import find_organization
from genba_ide_bridge.cli.output import (
    Column,
    ago,
    choose_columns,
    column_option,
    organization_option,
    output_option,
    print_json,
    print_table,
    wrapped,
    yes_no,
)
from genba_ide_bridge.cli.running import run_with_gateway
from genba_ide_bridge.errors import BridgeError
from genba_wire.errors import GatewayRefused

if TYPE_CHECKING:
    from genba_ide_bridge.api.client import GatewayClient
    from genba_wire.api.templates import Template, TemplateVersion

DEFAULT_COLUMNS: Final = ("name", "created at", "created by", "status", "active")


@click.group("versions", cls=GenbaGroup)
def versions() -> None:
    """List a template's versions, or make one active."""


def _columns(active_version_id: str) -> list[Column[TemplateVersion]]:
    return [
        Column("name", lambda version: version.name),
        Column("created at", lambda version: ago(version.created_at)),
        Column("created by", lambda version: version.created_by.username),
        Column("status", lambda version: version.job.status),
        Column("active", lambda version: yes_no(version.id == active_version_id)),
        Column("archived", lambda version: yes_no(version.archived)),
    ]


@versions.command("list")
@click.argument("template_name", metavar="TEMPLATE")
@click.option("--include-archived", is_flag=True, help="Archived ones too.")
@column_option
@output_option
@organization_option
def list_versions(
    template_name: str, include_archived: bool, columns: tuple[str, ...], output: str, organization: str | None
) -> None:
    """List the versions of a template."""
    choose_columns(_columns(""), DEFAULT_COLUMNS, columns)

    async def show(client: GatewayClient) -> None:
        template = await _get_template(client, organization, template_name)
        if output == "json":
            raw = await client.templates.list_versions_json(template.id, with_archived=include_archived)
            print_json(wrapped(raw, "TemplateVersion"))
            return
        default = (*DEFAULT_COLUMNS, "archived") if include_archived else DEFAULT_COLUMNS
        chosen = choose_columns(_columns(template.active_version_id), default, columns)
        print_table(chosen, await client.templates.list_versions(template.id, with_archived=include_archived))

    run_with_gateway(show)


@versions.command("promote")
@click.option("-t", "--template", "template_name", required=True, envvar=environment_of("TEMPLATE_NAME"))
@click.option("--template-version", "version_name", required=True, envvar=environment_of("TEMPLATE_VERSION_NAME"))
@organization_option
def promote(template_name: str, version_name: str, organization: str | None) -> None:
    """Make a version the one that workspaces start with."""

    async def activate(client: GatewayClient) -> None:
        template = await _get_template(client, organization, template_name)
        try:
            version = await client.templates.get_version_by_name(template.id, version_name)
        except GatewayRefused as refusal:
            if refusal.status != 404:
                raise
            raise BridgeError(
                f'{template_name} has no version "{version_name}".',
                f"`genba templates versions list {template_name}` shows them.",
            ) from refusal
        await client.templates.activate_version(template.id, version.id)
        click.echo(f"Version {version.name} of {template_name} is active.")

    run_with_gateway(activate)


async def _get_template(client: GatewayClient, organization: str | None, name: str) -> Template:
    found = await find_organization(client, organization)
    template = await client.templates.find_template(found.name, name)
    if template is None:
        raise BridgeError(f'There is no template "{name}".', "`genba templates list` shows all.")
    return template
