"""`genba ping`."""

from __future__ import annotations

import asyncio
import statistics
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import click

from genba_ide_bridge.cli.command import GenbaCommand
from genba_ide_bridge.cli.durations import Duration
from genba_ide_bridge.cli.ending import ending_signals
from genba_ide_bridge.cli.output import note
from genba_ide_bridge.cli.running import run_with_gateway
from genba_ide_bridge.cli.targets import WorkspaceName, WorkspaceTarget
from genba_ide_bridge.errors import BridgeError
from genba_wire.errors import StreamRefused
from genba_wire.tunnel.streams import SPEED, SpeedOpen, encode
from genba_wire.visible_text import visible_name

if TYPE_CHECKING:
    from genba_ide_bridge.api.client import GatewayClient
    from genba_ide_bridge.sessions.tunnel import Tunnel

SLOW_MS: Final = 250.0
"""From here on editors mark a connection as slow (contract, `coder.networkThreshold.latencyMs`)."""


@click.command("ping", cls=GenbaCommand)
@click.argument("target", metavar="[OWNER/]WORKSPACE[.AGENT]", type=WorkspaceName())
@click.option("-n", "--num", "count", type=click.IntRange(min=0), default=0, help="End after so many; 0: with Ctrl-C.")
@click.option("--wait", type=Duration(), default="1s", show_default=True, help="The time between two.")
@click.option("-t", "--timeout", type=Duration(), default="5s", show_default=True, help="How long to wait for each.")
@click.option("--time", "shows_time", is_flag=True, help="Show when each answer came.")
@click.option("--utc", "is_utc", is_flag=True, help="Show it in UTC.")
def ping(
    target: WorkspaceTarget, count: int, wait: timedelta, timeout: timedelta, shows_time: bool, is_utc: bool
) -> int:
    """Measure how long a workspace's agent takes to answer, and say what is wrong when it does not."""

    async def run(client: GatewayClient) -> int:
        from genba_ide_bridge.cli.tunnels import tunnel_to

        lost: list[str] = []
        await _explain_no_way(client)
        async with tunnel_to(client, target, command="ping", on_outage=lost.append) as (tunnel, name):
            pinger = _Pinger(tunnel, name, client, lost, wait.total_seconds(), timeout.total_seconds())
            if shows_time or is_utc:
                pinger.stamp = lambda: datetime.now(UTC if is_utc else None).isoformat(timespec="milliseconds") + " "
            stopped = asyncio.Event()
            with ending_signals(stopped.set):
                await pinger.run(count, stopped)
        return pinger.finish()

    return run_with_gateway(run)


async def _explain_no_way(client: GatewayClient) -> None:
    """Look at the way to the gateway first: what is wrong with it is no matter of the workspace.

    Raises:
        BridgeError: there is no way; says why, and what to change.
    """
    from genba_ide_bridge.diagnosis.judging import judge
    from genba_ide_bridge.diagnosis.probing import probe

    for problem in judge(await probe(client.calls.transport)):
        if problem.is_error:
            raise BridgeError(problem.what, problem.remedy)
        note(str(problem))


class _Pinger:
    """Asks, prints, and counts."""

    def __init__(
        self, tunnel: Tunnel, name: str, client: GatewayClient, lost: list[str], wait_s: float, timeout_s: float
    ) -> None:
        self.stamp: Callable[[], str] = lambda: ""
        self._tunnel = tunnel
        self._name = name
        self._url = client.base_url
        self._ways = client.calls.transport.carrier_ways
        self._lost = lost
        self._wait_s = wait_s
        self._timeout_s = timeout_s
        self._sent = 0
        self._times_ms: list[float] = []

    async def run(self, count: int, stopped: asyncio.Event) -> None:
        """Ask so many times (0: for ever), or until told to stop."""
        async with asyncio.TaskGroup() as group:
            asking = group.create_task(self._ask_all(count), name="pings")
            waiting = group.create_task(stopped.wait(), name="signals")
            await asyncio.wait((asking, waiting), return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            asking.cancel()

    def finish(self) -> int:
        """Print the sum; returns the exit code."""
        answered, times = len(self._times_ms), self._times_ms
        note(f"\n{self._name}: {self._sent} sent, {answered} answered, {self._sent - answered} without an answer.")
        if not times:
            return 1
        middle = statistics.median(times)
        note(f"Round trip: {min(times):.1f} ms at best, {middle:.1f} in the middle, {max(times):.1f} at worst.")
        if middle >= SLOW_MS:
            note(f"Typing will feel slow: look at the network between here, {self._url} and the workspace.")
        elif answered < self._sent:
            reason = f": {self._lost[-1]}" if self._lost else "."
            note(f"The way was lost for a while{reason}")
        elif self._lost:
            note(
                f"The way was lost while nothing was sent ({len(self._lost)} times: {self._lost[-1]}). A proxy's"
                " time-out may be too short: `genba netcheck --idle 20s` looks."
            )
        else:
            note("Nothing is wrong.")
        return 0

    async def _ask_all(self, count: int) -> None:
        from genba_ide_bridge.cli.tunnels import open_stream
        from genba_ide_bridge.sessions.measuring import EchoLine

        head = encode(SpeedOpen(direction="echo"))
        line: EchoLine | None = None
        while not count or self._sent < count:
            if self._sent:
                await asyncio.sleep(self._wait_s)
            self._sent += 1
            try:
                async with asyncio.timeout(self._timeout_s):
                    line = line or EchoLine(await open_stream(self._tunnel, SPEED, head, self._name))
                    span_s = await line.ask()
            except asyncio.CancelledError:
                self._sent -= 1  # it would have been answered, as far as anybody knows
                raise
            except TimeoutError:
                reason = f": {self._lost[-1]}" if self._lost else "."
                self._print(f"no answer from {self._name} within {self._timeout_s:g} s{reason}")
            except StreamRefused as refusal:
                line = None
                self._print(f"no answer from {self._name}: {refusal.reason}")
            else:
                self._times_ms.append(span_s * 1000)
                self._print(
                    f"pong from {self._name} through the gateway {self._url}{self._way()} in {span_s * 1000:.1f} ms"
                )

    def _way(self) -> str:
        return " over HTTP requests" if self._ways.http_reason else ""

    def _print(self, text: str) -> None:
        sys.stdout.write(f"{self.stamp()}{visible_name(text)}\n")
        sys.stdout.flush()
