"""`genba rename`, `favorite`, `unfavorite` and `autoupdate`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from genba_ide_bridge.cli import prompts
from genba_ide_bridge.cli.command import GenbaCommand
from genba_ide_bridge.cli.output import yes_option
from genba_ide_bridge.cli.running import run_with_gateway
from genba_ide_bridge.cli.targets import WorkspaceTarget, get_workspace, workspace_argument

if TYPE_CHECKING:
    from genba_ide_bridge.api.client import GatewayClient


@click.command("rename", cls=GenbaCommand)
@workspace_argument
@click.argument("name", metavar="NAME")
@yes_option
def rename(target: WorkspaceTarget, name: str, yes: bool) -> None:
    """Give a workspace another name; host names of ssh follow it."""
    if not yes:
        prompts.confirm(f"Rename {target.name} to {name}? What is named after it, as a folder, may be made anew.")

    async def change(client: GatewayClient) -> None:
        workspace = await get_workspace(client, target)
        await client.workspaces.rename(workspace.id, name)
        click.echo(f"Workspace {target.name} is {name} now.")

    run_with_gateway(change)


@click.command("favorite", cls=GenbaCommand)
@workspace_argument
def favorite(target: WorkspaceTarget) -> None:
    """Put a workspace of yours first in lists."""
    _set_favorite(target, favorite=True)


@click.command("unfavorite", cls=GenbaCommand)
@workspace_argument
def unfavorite(target: WorkspaceTarget) -> None:
    """Put a workspace back into its place in lists."""
    _set_favorite(target, favorite=False)


def _set_favorite(target: WorkspaceTarget, *, favorite: bool) -> None:
    async def change(client: GatewayClient) -> None:
        workspace = await get_workspace(client, target)
        await client.workspaces.set_favorite(workspace.id, favorite=favorite)
        click.echo(f"Workspace {target.name} is {'a' if favorite else 'no'} favorite.")

    run_with_gateway(change)


@click.command("autoupdate", cls=GenbaCommand)
@workspace_argument
@click.argument("policy", type=click.Choice(["always", "never"]))
@yes_option
def autoupdate(target: WorkspaceTarget, policy: str, yes: bool) -> None:
    """Let each start of a workspace take its template's active version, or not."""
    del yes

    async def change(client: GatewayClient) -> None:
        workspace = await get_workspace(client, target)
        await client.workspaces.set_automatic_updates(workspace.id, policy)
        click.echo(f"Workspace {target.name} is updated {'at each start' if policy == 'always' else 'by you alone'}.")

    run_with_gateway(change)
