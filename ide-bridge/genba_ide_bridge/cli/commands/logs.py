"""`genba logs`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from genba_ide_bridge.cli.command import GenbaCommand
from genba_ide_bridge.cli.running import run_with_gateway
from genba_ide_bridge.cli.targets import WorkspaceTarget, get_workspace, workspace_argument

if TYPE_CHECKING:
    from genba_ide_bridge.api.client import GatewayClient


@click.command("logs", cls=GenbaCommand)
@workspace_argument
@click.option("-f", "--follow", is_flag=True, help="Go on, also into the next builds; survives outages.")
@click.option("-b", "--build", "build_number", type=click.IntRange(min=1), help="Begin with that build.")
@click.option("--agent", default="", help="Only the log of that agent.")
def logs(target: WorkspaceTarget, follow: bool, build_number: int | None, agent: str) -> None:
    """Show the log of the latest build, then those of its agents."""

    async def show_logs(client: GatewayClient) -> None:
        from genba_ide_bridge.cli.workspace_log import WorkspaceLog

        workspace = await get_workspace(client, target)
        log = WorkspaceLog(client, workspace, agent or target.agent)
        number = build_number or workspace.latest_build.build_number
        if follow:
            await log.follow(number)
        else:
            await log.show(number)

    run_with_gateway(show_logs)
