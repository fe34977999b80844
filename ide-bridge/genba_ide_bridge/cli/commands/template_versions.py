"""`genba templates versions`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from genba_ide_bridge.cli import prompts
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
    yes_option,
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
    """List a template's versions, make one active, or archive some."""


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
        version = await _get_version(client, template, version_name)
        await client.templates.activate_version(template.id, version.id)
        click.echo(f"Version {version.name} of {template_name} is active.")

    run_with_gateway(activate)


@versions.command("archive")
@click.argument("template_name", metavar="TEMPLATE")
@click.argument("names", nargs=-1, metavar="[VERSION...]")
@organization_option
@yes_option
def archive(template_name: str, names: tuple[str, ...], organization: str | None, yes: bool) -> None:
    """Hide versions that no workspace should start with any more; without a name, one that you choose."""
    run_with_gateway(lambda client: _set_archived(client, organization, template_name, names, archived=True, yes=yes))


@versions.command("unarchive")
@click.argument("template_name", metavar="TEMPLATE")
@click.argument("names", nargs=-1, metavar="[VERSION...]")
@organization_option
@yes_option
def unarchive(template_name: str, names: tuple[str, ...], organization: str | None, yes: bool) -> None:
    """Bring archived versions back; without a name, one that you choose."""
    run_with_gateway(lambda client: _set_archived(client, organization, template_name, names, archived=False, yes=yes))


async def _set_archived(
    client: GatewayClient, organization: str | None, name: str, names: tuple[str, ...], *, archived: bool, yes: bool
) -> None:
    template = await _get_template(client, organization, name)
    chosen = [await _get_version(client, template, one) for one in names]
    if not chosen:
        chosen = [await _choose_version(client, template, archived=archived)]
    verb = "archive" if archived else "unarchive"
    if not yes:
        prompts.confirm(f"{verb.capitalize()} {', '.join(one.name for one in chosen)} of {name}?")
    for one in chosen:
        await client.templates.set_archived(one.id, archived=archived)
        click.echo(f"Version {one.name} of {name} was {verb}d.")


async def _choose_version(client: GatewayClient, template: Template, *, archived: bool) -> TemplateVersion:
    """Let somebody choose among the versions that are not yet as they should be."""
    verb = "archive" if archived else "unarchive"
    prompts.require_terminal("Which version?", f"its name: genba templates versions {verb} TEMPLATE VERSION")
    found = [
        one
        for one in await client.templates.list_versions(template.id, with_archived=True)
        if one.archived != archived and one.id != template.active_version_id
    ]
    if not found:
        raise BridgeError(f"{template.name} has no version to {verb}.")
    name = prompts.choose("Version", "VERSION", [(one.name, one.message or ago(one.created_at)) for one in found])
    return next(one for one in found if one.name == name)


async def _get_version(client: GatewayClient, template: Template, name: str) -> TemplateVersion:
    try:
        return await client.templates.get_version_by_name(template.id, name)
    except GatewayRefused as refusal:
        if refusal.status != 404:
            raise
        raise BridgeError(
            f'{template.name} has no version "{name}".',
            f"`genba templates versions list --include-archived {template.name}` shows them.",
        ) from refusal


async def _get_template(client: GatewayClient, organization: str | None, name: str) -> Template:
    found = await find_organization(client, organization)
    template = await client.templates.find_template(found.name, name)
    if template is None:
        raise BridgeError(f'There is no template "{name}".', "`genba templates list` shows all.")
    return template
