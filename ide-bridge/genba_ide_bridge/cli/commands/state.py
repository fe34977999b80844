"""`genba state`."""

from __future__ import annotations

import base64
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from genba_ide_bridge.cli.command import GenbaGroup
from genba_ide_bridge.cli.running import run_with_gateway
from genba_ide_bridge.cli.targets import WorkspaceTarget, get_workspace, workspace_argument
from genba_ide_bridge.errors import BridgeError

if TYPE_CHECKING:
    from genba_ide_bridge.api.client import GatewayClient
    from genba_wire.api.workspaces import Workspace, WorkspaceBuild

build_option = click.option(
    "-b", "--build", "number", type=click.IntRange(min=1), help="Of that build, not the latest."
)


@click.group("state", cls=GenbaGroup)
def state() -> None:
    """Pull or push a workspace's Terraform state, to repair what Terraform can't."""


@state.command("pull")
@workspace_argument
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@build_option
def pull(target: WorkspaceTarget, file: Path | None, number: int | None) -> None:
    """Write the state to FILE, or to stdout."""

    async def pull_state(client: GatewayClient) -> None:
        workspace = await get_workspace(client, target)
        build = await _find_build(client, workspace, number)
        content = await client.workspaces.download_state(build.id)
        if file is None:
            sys.stdout.buffer.write(content)
            sys.stdout.buffer.flush()
            return
        # State holds secrets of resources.
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(content)

    run_with_gateway(pull_state)


@state.command("push")
@workspace_argument
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path))
@build_option
def push(target: WorkspaceTarget, file: Path, number: int | None) -> None:
    """Build again, like the latest build, on the state in FILE (`-` is stdin)."""

    content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()

    async def push_state(client: GatewayClient) -> None:
        from genba_ide_bridge.cli.following import follow_build
        from genba_wire.api.workspaces import CreateBuildRequest

        workspace = await get_workspace(client, target)
        like = await _find_build(client, workspace, number)
        request = CreateBuildRequest(
            transition=like.transition,
            template_version_id=like.template_version_id,
            state=base64.b64encode(content).decode(),
        )
        build = await client.workspaces.create_build(workspace.id, request)
        done = await follow_build(client, build, title=f"Building {target.name}", name=target.name)
        click.echo(f"Workspace {target.name} is {done.status} (build {done.build_number}).")

    run_with_gateway(push_state)


async def _find_build(client: GatewayClient, workspace: Workspace, number: int | None) -> WorkspaceBuild:
    if number is None:
        return workspace.latest_build
    build = await client.workspaces.find_build_by_number(workspace, number)
    if build is None:
        raise BridgeError(
            f"{workspace.name} has no build {number}.", f"Its latest build is {workspace.latest_build.build_number}."
        )
    return build
