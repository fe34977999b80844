"""`genba delete`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from genba_ide_bridge.cli import prompts
from genba_ide_bridge.cli.command import GenbaCommand
from genba_ide_bridge.cli.output import note, yes_option
from genba_ide_bridge.cli.running import run_with_gateway
from genba_ide_bridge.cli.targets import WorkspaceTarget, get_workspace, workspace_argument

if TYPE_CHECKING:
    from genba_ide_bridge.api.client import GatewayClient


@click.command("delete", cls=GenbaCommand)
@workspace_argument
@click.option("--orphan", is_flag=True, help="Forget the workspace and leave its resources as they are.")
@yes_option
def delete(target: WorkspaceTarget, orphan: bool, yes: bool) -> None:
    """Delete a workspace and all its resources."""

    async def delete_workspace(client: GatewayClient) -> None:
        from genba_ide_bridge.cli.build_facts import is_over
        from genba_ide_bridge.cli.following import follow_build
        from genba_wire.api.workspaces import CreateBuildRequest

        workspace = await get_workspace(client, target)
        build = workspace.latest_build
        if build.transition == "delete" and not is_over(build.job):
            # A second build would be refused, and would say nothing new.
            await follow_build(client, build, title=f"Deleting {target.name}", name=target.name)
            click.echo(f"Workspace {target.name} was deleted.")
            return
        if not yes:
            what = "Forget it and leave its resources" if orphan else "Delete it and all that is in it"
            prompts.confirm(f"Workspace {workspace.owner_name}/{workspace.name}: {what}?")
        request = CreateBuildRequest(transition="delete", orphan=orphan)
        build = await client.workspaces.create_build(workspace.id, request)
        await follow_build(client, build, title=f"Deleting {target.name}", name=target.name)
        if orphan:
            kept = [f"{one.type}.{one.name}" for one in workspace.latest_build.resources]
            note(f"Left as they are, for you to remove: {', '.join(kept)}." if kept else "No resources were left.")
        click.echo(f"Workspace {target.name} was deleted.")

    run_with_gateway(delete_workspace)
