"""`genba port-forward`."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from genba_ide_bridge.cli.command import LISTED_TEXT, GenbaCommand, environment_of
from genba_ide_bridge.cli.ending import ending_signals
from genba_ide_bridge.cli.forward_specs import LocalPath, LocalPort, parse_ports, parse_socket
from genba_ide_bridge.cli.local_sockets import bind_path, bind_port, remove_path
from genba_ide_bridge.cli.output import note
from genba_ide_bridge.cli.running import run_with_gateway
from genba_ide_bridge.cli.session_options import disable_autostart_option, poll_interval_option
from genba_ide_bridge.cli.targets import WorkspaceTarget, workspace_argument
from genba_ide_bridge.errors import BridgeError
from genba_wire.tunnel.streams import TCP, UDP, UNIX, TcpOpen, UdpOpen, UnixOpen, encode

if TYPE_CHECKING:
    from genba_ide_bridge.api.client import GatewayClient
    from genba_ide_bridge.cli.autostop_notice import AutostopNotice
    from genba_ide_bridge.sessions.refusals import Verdict
    from genba_ide_bridge.sessions.tunnels import Tunnels


@dataclass(frozen=True, slots=True)
class Forward:
    """One forward as it was asked for."""

    kind: str
    local: LocalPort | LocalPath
    head: bytes
    remote: str


@click.command("port-forward", cls=GenbaCommand)
@workspace_argument
@click.option(
    "-p",
    "--tcp",
    multiple=True,
    type=LISTED_TEXT,
    metavar="[ADDRESS:]LOCAL[:REMOTE]",
    envvar=environment_of("PORT_FORWARD_TCP"),
    help="Forward TCP ports: 8080, 8080:80, 8000-8009:9000-9009, several with commas.",
)
@click.option(
    "--udp",
    multiple=True,
    type=LISTED_TEXT,
    metavar="[ADDRESS:]LOCAL[:REMOTE]",
    envvar=environment_of("PORT_FORWARD_UDP"),
    help="The same for UDP.",
)
@click.option(
    "--unix",
    multiple=True,
    metavar="LOCAL:REMOTE",
    help="Forward a unix socket of the workspace; LOCAL is a path, or [ADDRESS:]PORT.",
)
@disable_autostart_option()
@poll_interval_option
def port_forward(
    target: WorkspaceTarget,
    tcp: Sequence[str],
    udp: Sequence[str],
    unix: Sequence[str],
    disable_autostart: bool,
    workspace_poll_interval: timedelta,
) -> int:
    """Make ports and unix sockets of a workspace reachable on this machine, until Ctrl-C.

    Programs here connect to localhost, unless ADDRESS says where else to listen. The ports stay through outages of the
    network or the gateway.
    """
    forwards = _collect(tcp, udp, unix)
    if not forwards:
        raise click.UsageError("Say what to forward: --tcp 8080, --udp 53 or --unix ./docker.sock:/run/docker.sock.")

    async def forward(client: GatewayClient) -> int:
        from genba_ide_bridge.cli.agent_readiness import Wish, wait_for_agent
        from genba_ide_bridge.cli.autostop_notice import AutostopNotice
        from genba_ide_bridge.sessions.refusals import AgentAddress
        from genba_ide_bridge.sessions.tunnels import Tunnels

        with ExitStack() as stack:
            # Before the workspace is waited for, and all of them or none: a taken port is said at once.
            bound = [(each, await asyncio.to_thread(_bind, each, stack)) for each in forwards]
            workspace, agent = await wait_for_agent(client, target, Wish("port-forward", starts=not disable_autostart))
            tunnels = Tunnels(
                client,
                AgentAddress(workspace.id, workspace.latest_build.id, agent.id),
                on_outage=lambda reason: note(f"The way to {target.name} is lost: {reason} Trying again."),
                on_way=_Greeting(target.name, forwards).say,
            )
            notice = AutostopNotice(client, workspace, workspace_poll_interval.total_seconds(), target.name)
            verdict = await _serve(tunnels, bound, notice)
        if verdict is None:
            return 0
        raise BridgeError(verdict.reason, verdict.hint)

    return run_with_gateway(forward)


def _collect(tcp: Sequence[str], udp: Sequence[str], unix: Sequence[str]) -> list[Forward]:
    forwards: list[Forward] = []
    for each in (forward for text in tcp for forward in parse_ports(text)):
        # A name, since programs listen on either loopback address.
        head = encode(TcpOpen(host="localhost", port=each.remote_port))
        forwards.append(Forward(TCP, each.local, head, f"TCP port {each.remote_port}"))
    for each in (forward for text in udp for forward in parse_ports(text)):
        head = encode(UdpOpen(host="127.0.0.1", port=each.remote_port))
        forwards.append(Forward(UDP, each.local, head, f"UDP port {each.remote_port}"))
    for socket_forward in (parse_socket(text) for text in unix):
        head = encode(UnixOpen(path=socket_forward.remote_path))
        forwards.append(Forward(UNIX, socket_forward.local, head, socket_forward.remote_path))
    return forwards


def _bind(forward: Forward, stack: ExitStack) -> list[socket.socket]:
    local = forward.local
    if isinstance(local, LocalPath):
        ends = [bind_path(local)]
        stack.callback(remove_path, local)
    else:
        ends = bind_port(local, socket.SOCK_DGRAM if forward.kind == UDP else socket.SOCK_STREAM)
    for end in ends:
        stack.callback(end.close)
    return ends


async def _serve(
    tunnels: Tunnels, bound: list[tuple[Forward, list[socket.socket]]], notice: AutostopNotice
) -> Verdict | None:
    """Forward until there is no way any more; None when a signal ended it."""
    from genba_ide_bridge.sessions.forwards import ConnectionForward, DatagramForward

    ending = asyncio.Event()
    with ending_signals(ending.set):
        async with asyncio.TaskGroup() as group:
            running = group.create_task(tunnels.run(), name="tunnels")
            stopped = group.create_task(ending.wait(), name="signals")
            noticing = group.create_task(notice.run(), name="autostop notice")
            tasks = [
                group.create_task(
                    (DatagramForward if forward.kind == UDP else ConnectionForward)(
                        tunnels, forward.kind, forward.head, _Complaints(forward).say
                    ).serve(end),
                    name=f"forward of {forward.local}",
                )
                for forward, ends in bound
                for end in ends
            ]
            await asyncio.wait((running, stopped), return_when=asyncio.FIRST_COMPLETED)
            verdict = running.result() if running.done() else None
            for task in (running, stopped, noticing, *tasks):
                task.cancel()
    return verdict


class _Greeting:
    """Says what is forwarded once it works, and later that it works again."""

    def __init__(self, workspace: str, forwards: Sequence[Forward]) -> None:
        self._workspace = workspace
        self._forwards = forwards
        self._is_said = False

    def say(self) -> None:
        if self._is_said:
            note(f"The way to {self._workspace} is there again.")
            return
        self._is_said = True
        for forward in self._forwards:
            note(f"Forwarding {forward.local} to {forward.remote} of {self._workspace}.")
        note("Ready; Ctrl-C ends.")


class _Complaints:
    """Says why connections fail in the workspace, once for each reason."""

    def __init__(self, forward: Forward) -> None:
        self._forward = forward
        self._last = ""

    def say(self, reason: str) -> None:
        if reason != self._last:
            self._last = reason
            note(f"A connection to {self._forward.local} failed: {reason}")
