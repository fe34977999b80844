"""Names by which OpenSSH and editors call workspaces.

* `[owner/]workspace[.agent]`, or with `owner--` where no slash may be;
* the same behind a prefix that config-ssh wrote (`--ssh-host-prefix`);
* `[agent.]workspace[.owner].<suffix>` (`--hostname-suffix`);
* `coder-vscode[.<host>]--owner--workspace[.agent or --agent]`, which older editor extensions hand on whole.

Names of owners, workspaces and agents hold no dot and no `--`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from genba_ide_bridge.cli.targets import WorkspaceTarget, get_workspace, parse_target
from genba_ide_bridge.errors import BridgeError

if TYPE_CHECKING:
    from genba_ide_bridge.api.client import GatewayClient
    from genba_wire.api.workspaces import Workspace


def parse_ssh_host(host: str, *, prefix: str = "", suffix: str = "") -> list[WorkspaceTarget]:
    """Read what ssh was called with.

    Returns:
        What it may mean, the likeliest first: `a.b.<suffix>` is the agent a of one's own workspace b, or b's a.

    Raises:
        click.BadArgumentUsage: it names no workspace.
    """
    suffix = "." + suffix.lstrip(".") if suffix else ""
    if prefix and host.startswith(prefix):
        host = host.removeprefix(prefix)
    elif suffix and host.endswith(suffix):
        host = host.removesuffix(suffix)
        if "/" not in host and "--" not in host:
            return _parse_dotted(host)
    return [parse_target(host.replace("--", "/", 1))]


def parse_vscode_host(host: str) -> WorkspaceTarget:
    """Read the host of an editor's own block in the ssh config.

    Raises:
        click.BadArgumentUsage: it is not of that form.
    """
    parts = host.split("--")[1:]
    # A gateway's name in ASCII form may have `--` too (xn--…); what follows there has a dot, an owner never.
    while len(parts) > 2 and "." in parts[0]:
        parts = parts[1:]
    if len(parts) not in (2, 3) or not all(parts):
        raise click.BadArgumentUsage(
            f'"{host}" does not name a workspace: it is coder-vscode.<host>--owner--workspace[.agent].'
        )
    target = parse_target("/".join(parts[:2]))
    if len(parts) == 2:
        return target
    if target.agent:
        raise click.BadArgumentUsage(f'"{host}" names two agents.')
    return replace(target, agent=parts[2])


async def find_workspace(client: GatewayClient, targets: list[WorkspaceTarget]) -> tuple[WorkspaceTarget, Workspace]:
    """Find the first of the workspaces that a host may mean.

    Raises:
        BridgeError: there is none; names the likeliest.
    """
    first: BridgeError | None = None
    for target in targets:
        try:
            return target, await get_workspace(client, target)
        except BridgeError as error:
            first = first or error
    assert first is not None  # noqa: S101  # for the type checkers
    raise first


def _parse_dotted(host: str) -> list[WorkspaceTarget]:
    parts = host.split(".")
    if not all(parts) or len(parts) > 3:
        raise click.BadArgumentUsage(f'"{host}" does not name a workspace: it is [agent.]workspace[.owner].')
    if len(parts) == 1:
        return [WorkspaceTarget("me", parts[0])]
    if len(parts) == 3:
        agent, workspace, owner = parts
        return [WorkspaceTarget(owner, workspace, agent)]
    first, second = parts
    return [WorkspaceTarget("me", second, first), WorkspaceTarget(second, first)]
