"""`genba speedtest`."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal

import click

from genba_ide_bridge.cli.command import GenbaCommand
from genba_ide_bridge.cli.durations import Duration
from genba_ide_bridge.cli.output import (
    Column,
    choose_columns,
    column_option,
    note,
    output_option,
    print_json,
    print_table,
)
from genba_ide_bridge.cli.running import run_with_gateway
from genba_ide_bridge.cli.targets import WorkspaceName, WorkspaceTarget
from genba_ide_bridge.errors import BridgeError
from genba_wire.errors import StreamRefused
from genba_wire.tunnel.streams import SPEED, SpeedOpen, encode

if TYPE_CHECKING:
    from genba_ide_bridge.api.client import GatewayClient
    from genba_ide_bridge.sessions.measuring import Throughput

_COLUMNS: Final[list[Column[tuple[str, Throughput]]]] = [
    Column("interval", lambda row: f"{row[0]}{row[1].start_s:.2f}-{row[1].end_s:.2f} sec"),
    Column("throughput", lambda row: f"{row[1].mbits:.2f} Mbits/sec"),
]


@click.command("speedtest", cls=GenbaCommand)
@click.argument("target", metavar="[OWNER/]WORKSPACE[.AGENT]", type=WorkspaceName())
@click.option("-t", "--time", "span", type=Duration(), default="5s", show_default=True, help="How long to measure.")
@click.option(
    "--direction", type=click.Choice(["up", "down"]), default="down", show_default=True, help="Which way bytes go."
)
@click.option("-d", "--direct", is_flag=True, help="Insist on a direct connection: there is none, so this says so.")
@click.option("--pcap-file", default="", help="Write packets to a file: there are none, so this is refused in words.")
@output_option
@column_option
def speedtest(
    target: WorkspaceTarget,
    span: timedelta,
    direction: Literal["up", "down"],
    direct: bool,
    pcap_file: str,
    output: str,
    columns: tuple[str, ...],
) -> None:
    """Measure how much goes through between this machine and a workspace's agent."""
    if not span:
        raise click.BadParameter("is too short to measure anything.", param_hint="--time")
    if pcap_file:
        raise click.BadParameter(
            "the tunnel is a connection to the gateway and has no packets of its own to write. "
            "`tcpdump` on that connection captures what there is.",
            param_hint="--pcap-file",
        )
    chosen = choose_columns(_COLUMNS, ["interval", "throughput"], columns)
    if direct:
        note("There are no direct connections: what is measured goes through the gateway.")

    async def measure(client: GatewayClient) -> tuple[Throughput, list[Throughput]]:
        from genba_ide_bridge.cli.tunnels import open_stream, tunnel_to
        from genba_ide_bridge.sessions.measuring import measure_throughput

        intervals: list[Throughput] = []
        async with tunnel_to(client, target, command="speedtest") as (tunnel, name):
            stream = await open_stream(tunnel, SPEED, encode(SpeedOpen(direction=direction)), name)
            note(f"Measuring for {span.total_seconds():g} s what goes {direction} through {client.base_url}.")
            try:
                overall = await measure_throughput(
                    stream, is_up=direction == "up", duration_s=span.total_seconds(), on_interval=intervals.append
                )
            except StreamRefused as refusal:
                raise BridgeError(f"The measurement broke off: {refusal.reason}") from refusal
        return overall, intervals

    overall, intervals = run_with_gateway(measure)
    if output == "json":
        print_json({"overall": _as_json(overall), "intervals": [_as_json(each) for each in intervals]})
    else:
        print_table(chosen, [*(("", each) for each in intervals), ("total ", overall)])


def _as_json(measured: Throughput) -> dict[str, float]:
    return {
        "start_time_seconds": _as_number(measured.start_s),
        "end_time_seconds": _as_number(measured.end_s),
        "throughput_mbits": _as_number(measured.mbits),
    }


def _as_number(value: float) -> float:
    """A whole number without its `.0`, as the contract's own client writes it."""
    return int(value) if value.is_integer() else value
