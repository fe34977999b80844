"""How people name a workspace, and finding it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from genba_ide_bridge.errors import BridgeError
from genba_wire.errors import GatewayRefused

if TYPE_CHECKING:
    from genba_ide_bridge.api.client import GatewayClient
    from genba_wire.api.workspaces import Workspace


@dataclass(frozen=True, slots=True)
class WorkspaceTarget:
    """`[owner/]workspace[.agent]` (contract 2.2); `agent` may be empty."""

    owner: str
    workspace: str
    agent: str = ""

    @property
    def name(self) -> str:
        """The workspace as its owner would type it."""
        return self.workspace if self.owner == "me" else f"{self.owner}/{self.workspace}"


def parse_target(text: str) -> WorkspaceTarget:
    """Read the name of a workspace.

    Raises:
        click.BadArgumentUsage: it is not `[owner/]workspace[.agent]`.
    """
    owner, slash, rest = text.partition("/")
    if not slash:
        owner, rest = "me", text
    workspace, dot, agent = rest.partition(".")
    if not owner or not workspace or "/" in rest or (dot and not agent):
        raise click.BadArgumentUsage(f'"{text}" does not name a workspace: it is [owner/]workspace[.agent].')
    return WorkspaceTarget(owner, workspace, agent)


class WorkspaceName(click.ParamType[WorkspaceTarget]):
    """The argument of commands on a workspace."""

    name = "workspace"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> WorkspaceTarget:
        """Parse it once."""
        return value if isinstance(value, WorkspaceTarget) else parse_target(str(value))


workspace_argument = click.argument("target", metavar="[OWNER/]WORKSPACE", type=WorkspaceName())


async def get_workspace(client: GatewayClient, target: WorkspaceTarget) -> Workspace:
    """Find a workspace.

    Raises:
        BridgeError: there is none of that name.
    """
    try:
        return await client.workspaces.get_workspace(target.owner, target.workspace)
    except GatewayRefused as refusal:
        raise explain_absence(refusal, target) from refusal


def explain_absence(refusal: GatewayRefused, target: WorkspaceTarget) -> Exception:
    """Name the workspace that is not there; other refusals stay as they are."""
    if refusal.status == 410:
        return BridgeError(f'The workspace "{target.name}" was deleted.', "`genba list` shows those that are there.")
    if refusal.status == 404:
        return BridgeError(
            f'There is no workspace "{target.name}".',
            "`genba list` shows yours, `genba list --all` all that you may see.",
        )
    return refusal
