"""`genba templates`: the group, with `list` and `delete`; the other commands have modules of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from genba_ide_bridge.cli import prompts
from genba_ide_bridge.cli.command import GenbaGroup
from genba_ide_bridge.cli.commands.template_archive import archive
from genba_ide_bridge.cli.commands.template_init import init
from genba_ide_bridge.cli.commands.template_pull import pull
from genba_ide_bridge.cli.commands.template_push import push
from genba_ide_bridge.cli.commands.template_versions import versions
from genba_ide_bridge.cli.organizations import find_organization
from genba_ide_bridge.cli.output import (
    Column,
    ago,
    choose_columns,
    column_option,
    note,
    organization_option,
    output_option,
    print_json,
    print_table,
    wrapped,
    yes_option,
)
from genba_ide_bridge.cli.running import run_with_gateway
from genba_ide_bridge.errors import BridgeError

if TYPE_CHECKING:
    from genba_ide_bridge.api.client import GatewayClient
    from genba_wire.api.templates import Template

COLUMNS: Final[list[Column[Template]]] = [
    Column("name", lambda template: template.name),
    Column("created at", lambda template: template.created_at.isoformat(timespec="seconds")),
    Column("last updated", lambda template: ago(template.updated_at)),
    Column("organization id", lambda template: template.organization_id),
    Column("organization name", lambda template: template.organization_name),
    Column("provisioner", lambda template: template.provisioner),
    Column("active version id", lambda template: template.active_version_id),
    Column("used by", lambda template: _users(template.active_user_count)),
    Column("default ttl", lambda template: f"{template.default_ttl_ms // 60_000}m" if template.default_ttl_ms else ""),
    Column("description", lambda template: template.description),
]

DEFAULT_COLUMNS: Final = ("name", "last updated", "used by")


def _users(count: int) -> str:
    # -1 stands for unknown (contract 4.2).
    return "" if count < 0 else f"{count} developer{'' if count == 1 else 's'}"


@click.group("templates", cls=GenbaGroup)
def templates() -> None:
    """Push, list and delete templates, which workspaces are made from."""


templates.add_command(init)
templates.add_command(push)
templates.add_command(pull)
templates.add_command(versions)
templates.add_command(archive)


@templates.command("list")
@column_option
@output_option
def list_templates(columns: tuple[str, ...], output: str) -> None:
    """List templates."""
    chosen = choose_columns(COLUMNS, DEFAULT_COLUMNS, columns)

    async def show(client: GatewayClient) -> None:
        if output == "json":
            print_json(wrapped(await client.templates.list_templates_json(), "Template"))
            return
        found = await client.templates.list_templates()
        if found:
            print_table(chosen, found)
        else:
            note("No templates. `genba templates init --id host` writes one, `genba templates push -d host` pushes it.")

    run_with_gateway(show)


async def _choose_template(client: GatewayClient, organization_id: str) -> str:
    prompts.require_terminal("Which template?", "its name: genba templates delete NAME")
    found = [one for one in await client.templates.list_templates() if one.organization_id == organization_id]
    if not found:
        raise BridgeError("There is no template to delete.")
    return prompts.choose("Template", "NAME", [(one.name, one.display_name or one.description) for one in found])


@templates.command("delete")
@click.argument("names", nargs=-1, metavar="[NAME...]")
@organization_option
@yes_option
def delete(names: tuple[str, ...], organization: str | None, yes: bool) -> None:
    """Delete templates that no workspace uses; without a name, one that you choose."""

    async def delete_templates(client: GatewayClient) -> None:
        found = await find_organization(client, organization)
        doomed: list[Template] = []
        chosen = names or (await _choose_template(client, found.id),)
        for name in chosen:
            template = await client.templates.find_template(found.name, name)
            if template is None:
                raise BridgeError(f'There is no template "{name}".', "`genba templates list` shows all.")
            doomed.append(template)
        if not yes:
            prompts.confirm(f"Delete {', '.join(chosen)}?")
        for template in doomed:
            await client.templates.delete_template(template.id)
            click.echo(f"Template {template.name} was deleted.")

    run_with_gateway(delete_templates)
