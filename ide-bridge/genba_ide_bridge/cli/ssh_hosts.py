"""Names by which OpenSSH and editors call workspaces.

* `[owner/]workspace[.agent]`, or with `owner--` where no slash may be;
* the same behind a prefix that config-ssh wrote (`--ssh-host-prefix`);
* `workspace`, `agent.workspace` or `agent.workspace.owner`, and `.<suffix>` (`--hostname-suffix`);
* these two with the owner whom config-ssh wrote behind them (`genba_wire.ssh_names`);
* `coder-vscode[.<host>]--owner--workspace[.agent or --agent]`, which older editor extensions hand on whole.

Names of owners, workspaces and agents hold no dot and no `--`.
"""

from __future__ import annotations

from dataclasses import replace

import click

from genba_ide_bridge.cli.targets import WorkspaceTarget, parse_target
from genba_wire.ssh_names import split_owner


def parse_ssh_host(host: str, *, prefix: str = "", suffix: str = "") -> WorkspaceTarget:
    """Read what ssh was called with.

    Raises:
        click.BadArgumentUsage: it names no workspace.
    """
    name, owner = split_owner(host)
    target = _parse_name(name, prefix, "." + suffix.lstrip(".") if suffix else "")
    if not owner:
        return target
    if target.owner != "me":
        raise click.BadArgumentUsage(f'"{host}" names two owners.')
    return replace(target, owner=owner)


def _parse_name(name: str, prefix: str, suffix: str) -> WorkspaceTarget:
    # OpenSSH hands the host on in lower case, and both flags as they were written.
    if prefix and name[: len(prefix)].lower() == prefix.lower():
        name = name[len(prefix) :]
    elif suffix and name[-len(suffix) :].lower() == suffix.lower():
        name = name[: -len(suffix)]
        if "/" not in name and "--" not in name:
            return _parse_dotted(name)
    return parse_target(name.replace("--", "/", 1))


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


def _parse_dotted(name: str) -> WorkspaceTarget:
    parts = name.split(".")
    if not all(parts) or len(parts) > 3:
        raise click.BadArgumentUsage(f'"{name}" does not name a workspace: it is [agent.]workspace, or with .owner.')
    *agent, workspace, owner = parts if len(parts) == 3 else [*parts, "me"]
    return WorkspaceTarget(owner, workspace, *agent)
