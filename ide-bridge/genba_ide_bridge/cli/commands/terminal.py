"""`genba terminal`."""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import click

from genba_ide_bridge.cli.command import GenbaCommand
from genba_ide_bridge.cli.output import note
from genba_ide_bridge.cli.running import run_with_gateway
from genba_ide_bridge.cli.targets import WorkspaceName, WorkspaceTarget
from genba_wire.errors import TransportError

if TYPE_CHECKING:
    from genba_ide_bridge.api.client import GatewayClient
    from genba_ide_bridge.cli.terminal_viewer import Left
    from genba_ide_bridge.sessions.terminal import Ended
    from genba_wire.api.workspaces import Workspace

EXIT_NO_WAY: Final = 255
"""There was no way to the terminal (any more); its own program's code is passed on, so this is OpenSSH's."""

EXIT_BY_SIGNAL: Final = 128
"""A shell's way to say which signal ended a program: this and the signal's number."""


class TerminalId(click.ParamType[str]):
    """The id of a terminal that was left."""

    name = "id"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check that it is one."""
        try:
            return str(uuid.UUID(str(value)))
        except ValueError:
            self.fail(f'"{value}" is not the id of a terminal, as the message after `~.` names it.', param, ctx)


@click.command("terminal", cls=GenbaCommand)
@click.argument("target", metavar="[OWNER/]WORKSPACE[.AGENT]", type=WorkspaceName())
@click.argument("command", metavar="[-- COMMAND...]", nargs=-1)
@click.option("--agent", default="", help="The agent, where the workspace has several.")
@click.option("--reconnect", type=TerminalId(), help="Go back to a terminal that was left less than 5 minutes ago.")
def terminal(target: WorkspaceTarget, command: tuple[str, ...], agent: str, reconnect: str | None) -> int:
    """Open a terminal in a workspace, or run a command in one.

    The words of COMMAND are joined and run by the shell there; its exit code is this command's. An outage of the
    network or the gateway is waited out. At the beginning of a line, ~. leaves the terminal, which stays for 5 minutes,
    and ~? shows what else the tilde does.
    """
    if reconnect and command:
        raise click.UsageError("--reconnect goes back to what runs in a terminal: it takes no command.")
    if agent:
        target = replace(target, agent=agent)

    async def show_terminal(client: GatewayClient) -> int:
        from genba_ide_bridge.cli.agent_readiness import wait_for_agent
        from genba_ide_bridge.cli.local_terminal import require_posix, screen_size

        require_posix()
        workspace, found = await wait_for_agent(client, target)

        from genba_ide_bridge.cli.terminal_viewer import Left, TerminalViewer
        from genba_ide_bridge.sessions.terminal import TerminalRequest, TerminalSession

        height, width = screen_size()
        request = TerminalRequest(
            workspace_id=workspace.id,
            build_id=workspace.latest_build.id,
            agent_id=found.id,
            reconnect=reconnect or str(uuid.uuid4()),
            command=" ".join(command),
            height=height,
            width=width,
            is_reattach=reconnect is not None,
        )
        outcome = await TerminalViewer(lambda events: TerminalSession(client, request, events)).run()
        if isinstance(outcome, Left):
            return _say_left(outcome, f"genba terminal --reconnect {request.reconnect} {target.name}.{found.name}")
        if outcome.exit_code is not None and outcome.exit_code < 0:
            await _tell_about_stop(client, workspace)
        return _say_ended(outcome)

    return run_with_gateway(show_terminal)


async def _tell_about_stop(client: GatewayClient, workspace: Workspace) -> None:
    """Say why a terminal's program was ended by a signal, where that is the workspace's doing."""
    with suppress(TransportError):
        build = (await client.workspaces.get_workspace_by_id(workspace.id)).latest_build
        if build.id != workspace.latest_build.id:
            verb = {"stop": "stopped", "delete": "deleted"}.get(build.transition, "started anew")
            note(f"The workspace {workspace.name} is being {verb}.")


def _say_left(left: Left, again: str) -> int:
    note(f"\ndetached; the session stays for 5 minutes: {again}")
    return EXIT_BY_SIGNAL + left.signal if left.signal else 0


def _say_ended(ended: Ended) -> int:
    if ended.exit_code is None:
        note(f"error: {ended.reason}")
        if ended.hint:
            note(ended.hint)
        return EXIT_NO_WAY
    return ended.exit_code if ended.exit_code >= 0 else EXIT_BY_SIGNAL - ended.exit_code
