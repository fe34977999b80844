"""`genba open`."""

from __future__ import annotations

import posixpath
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

import click

from genba_ide_bridge.cli.command import GenbaGroup, environment_of
from genba_ide_bridge.cli.opener import open_link
from genba_ide_bridge.cli.output import note
from genba_ide_bridge.cli.running import current_settings, run_with_gateway
from genba_ide_bridge.cli.targets import WorkspaceName, WorkspaceTarget
from genba_ide_bridge.errors import BridgeError

if TYPE_CHECKING:
    from genba_ide_bridge.api.client import GatewayClient
    from genba_wire.api.agents import WorkspaceAgent

LINK: Final = "vscode://coder.coder-remote/open"
"""What Coder's extension of VS Code listens to (contract 2.1.4)."""


@click.group("open", cls=GenbaGroup)
def open_() -> None:
    """Open a workspace in an editor."""


@open_.command("vscode")
@click.argument("target", metavar="[OWNER/]WORKSPACE[.AGENT]", type=WorkspaceName())
@click.argument("directory", required=False, metavar="[DIRECTORY IN WORKSPACE]")
@click.option(
    "--generate-token",
    is_flag=True,
    envvar=environment_of("OPEN_VSCODE_GENERATE_TOKEN"),
    help="Sign the editor in, with a new session in the link.",
)
def open_vscode(target: WorkspaceTarget, directory: str | None, generate_token: bool) -> None:
    """Open a workspace that runs in VS Code with Coder's extension; prints the link where there is no desktop."""

    async def open_workspace(client: GatewayClient) -> None:
        from genba_ide_bridge.cli.agent_readiness import wait_for_agent

        workspace, agent = await wait_for_agent(client, target)
        query = {
            "url": client.base_url,
            "owner": workspace.owner_name,
            "workspace": workspace.name,
            "agent": agent.name,
        }
        folder = find_folder(agent, directory)
        query |= {"folder": folder} if folder else {"openRecent": "true"}
        if generate_token:
            await _open_signed_in(client, query)
        else:
            _open(query)

    run_with_gateway(open_workspace)


def find_folder(agent: WorkspaceAgent, directory: str | None) -> str:
    """The folder to open, as the workspace names it; empty for the one that was open last.

    Raises:
        BridgeError: it is relative, and nobody knows to what.
    """
    start = agent.expanded_directory
    if not directory:
        return start
    if agent.operating_system == "windows":
        path = PureWindowsPath(start, directory)
        absolute, is_absolute = str(path), path.is_absolute()
    else:
        absolute = posixpath.normpath(posixpath.join(start, directory))
        is_absolute = PurePosixPath(absolute).is_absolute()
    if not is_absolute:
        raise BridgeError(
            f"The agent {agent.name} names no folder that {directory} could lie in.", "Give an absolute path."
        )
    return absolute


def _make_link(query: dict[str, str]) -> str:
    return f"{LINK}?{urlencode(query, quote_via=quote)}"


def _open(query: dict[str, str]) -> None:
    link = _make_link(query)
    if current_settings().opens_browser and open_link(link):
        click.echo(f"Opening {query['workspace']} in VS Code.")
    else:
        note("Open this link where VS Code is:")
        click.echo(link)


async def _open_signed_in(client: GatewayClient, query: dict[str, str]) -> None:
    token = await client.users.create_key()
    if not current_settings().opens_browser:
        # Somebody asked for the link itself, with the session in it.
        click.echo(_make_link(query | {"token": token}))
        return
    if open_link(_make_link(query | {"token": token})):
        click.echo(f"Opening {query['workspace']} in VS Code.")
        return
    # Nobody took it, so it must not lie about in a terminal's history. A token begins with the id of its key.
    await client.users.delete_key(token.partition("-")[0])
    note("VS Code could not be opened; the new session was ended again. Open this link where VS Code is:")
    click.echo(_make_link(query))
