"""The relay with many streams, a long way, keystrokes beside a download, and idle links.

* relay.parallel_ratio, relay.fairness: 50 streams of one link over one stream, and the slowest over the mean
* relay.delay50_mbs: one stream while client and gateway are 50 ms apart
* relay.rtt_added_ms: a byte through the relay and back, less the same over loopback
* relay.rtt_ratio: that over what three processes add that only copy
* relay.rtt_under_bulk_ms, api.p95_under_bulk_ms: the same, and GET /users/me, while a download of the same client runs
* relay.idle200_mib: what 200 idle links of one process cost the gateway
"""

from __future__ import annotations

import asyncio
import socket
import time
from asyncio.subprocess import Process
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import psutil

from bench.figures import Benchmark, Figure, median, note, percentile
from bench.relay import how_to_reach, process_of, read_line, run_role, tell
from genba_wire.aio.transport import Transport, TransportOptions
from tests.support.real_gateway import RealGateway, read_starter

STREAMS = 50
WINDOW_MS = 2000
TURNS = 5
LONG_WAY_MS = 50
BYTES = 1000
WARM_UP = 100
MIDDLE_PROCESSES = 3
"""Client, gateway and agent."""
REQUESTS = 200
LINKS = 200
SETTLE_S = 2.0
ANSWER_S = 120.0
MIB = 1024 * 1024


async def measure(folder: Path) -> Sequence[Figure]:
    """Measure all of it against one gateway and one workspace."""
    async with RealGateway(folder / "gateway") as gateway:
        await gateway.sign_in()
        template = await gateway.push_template("relay", read_starter("host"))
        workspace = await gateway.create_workspace("bench", template["id"])
        await gateway.wait_for_build(workspace["latest_build"]["id"])
        agent = await gateway.wait_for_agent(workspace["id"])
        how = how_to_reach(gateway, workspace, agent)
        figures = [
            *await _measure_parallel(how),
            *await _measure_long_way(how),
            *await _measure_round_trips(how),
            *await _measure_idle(how, process_of(gateway).pid),
        ]
        await gateway.build(workspace["id"], "delete")
    return figures


async def _measure_parallel(how: dict[str, str]) -> list[Figure]:
    single: list[float] = []
    many: list[float] = []
    fairness: list[float] = []
    async with AsyncExitStack() as processes:
        one_sink = await processes.enter_async_context(run_role("sinks", 1, WINDOW_MS))
        sink = await processes.enter_async_context(run_role("sinks", STREAMS, WINDOW_MS))
        client = await processes.enter_async_context(
            run_role("client", (await read_line(one_sink))["port"], (await read_line(sink))["port"])
        )
        await tell(client, how)
        one_port, port = (await read_line(client))["ports"]
        for turn in range(TURNS + 1):
            [alone], seconds = await _flood(one_port, 1, one_sink)
            counts, all_seconds = await _flood(port, STREAMS, sink)
            if turn:  # the first one warms up
                single.append(alone / 1e6 / seconds)
                many.append(sum(counts) / 1e6 / all_seconds)
                fairness.append(min(counts) * STREAMS / sum(counts))
    note(f"relay.parallel_ratio: one {_show(single)}, {STREAMS} {_show(many)} MB/s")
    ratio = median([mine / base for mine, base in zip(many, single, strict=True)])
    return [
        Figure("relay.parallel_ratio", ratio, "x", TURNS, baseline=median(single), baseline_unit="MB/s"),
        Figure("relay.fairness", median(fairness), "x", TURNS),
    ]


async def _measure_long_way(how: dict[str, str]) -> list[Figure]:
    values: list[float] = []
    async with AsyncExitStack() as processes:
        sink = await processes.enter_async_context(run_role("sinks", 1, 2 * WINDOW_MS))
        line = await processes.enter_async_context(run_role("line", how["url"].rpartition(":")[2], LONG_WAY_MS))
        client = await processes.enter_async_context(run_role("client", (await read_line(sink))["port"]))
        await tell(client, how | {"url": f"http://127.0.0.1:{(await read_line(line))['port']}"})
        port = (await read_line(client))["port"]
        for _ in range(TURNS):
            [count], seconds = await _flood(port, 1, sink)
            values.append(count / 1e6 / seconds)
    note(f"relay.delay50_mbs: {_show(values)} MB/s")
    return [Figure("relay.delay50_mbs", median(values), "MB/s", TURNS)]


async def _measure_round_trips(how: dict[str, str]) -> list[Figure]:
    async with AsyncExitStack() as processes:
        echo = await processes.enter_async_context(run_role("echo"))
        flood = await processes.enter_async_context(run_role("flood"))
        direct = (await read_line(echo))["port"]
        client = await processes.enter_async_context(run_role("client", direct, (await read_line(flood))["port"]))
        await tell(client, how)
        relayed, download = (await read_line(client))["ports"]
        copied = direct
        for _ in range(MIDDLE_PROCESSES):
            copied = (await read_line(await processes.enter_async_context(run_role("copier", copied))))["port"]
        ways = await asyncio.to_thread(_exchange, [direct, copied, relayed], WARM_UP + BYTES)
        base, copies, mine = (median(values[WARM_UP:]) for values in ways)
        drain = await processes.enter_async_context(run_role("drain", download))
        speed = (await read_line(drain))["mbs"]
        [busy] = await asyncio.to_thread(_exchange, [relayed], BYTES)
        async with Transport(TransportOptions(how["url"], how["token"])) as transport:
            requests = [await _time_request(transport) for _ in range(REQUESTS)]
    note(f"relay.rtt_under_bulk_ms: median {median(busy):.1f} ms beside {speed:.0f} MB/s")
    return [
        Figure("relay.rtt_added_ms", mine - base, "ms", BYTES, base, "ms"),
        Figure("relay.rtt_ratio", (mine - base) / (copies - base), "x", BYTES, copies - base, "ms"),
        Figure("relay.rtt_under_bulk_ms", percentile(busy, 95), "ms", BYTES, mine, "ms"),
        Figure("api.p95_under_bulk_ms", percentile(requests, 95), "ms", REQUESTS),
    ]


async def _measure_idle(how: dict[str, str], pid: int) -> list[Figure]:
    gateway = psutil.Process(pid)
    before = gateway.memory_info().rss
    async with run_role("idlers", LINKS) as idlers:
        await tell(idlers, how)
        assert (await read_line(idlers))["links"] == LINKS
        await asyncio.sleep(SETTLE_S)
        cost = gateway.memory_info().rss - before
    return [Figure("relay.idle200_mib", cost / MIB, "MiB", 1, before / MIB, "MiB")]


async def _flood(port: int, count: int, sink: Process) -> tuple[list[int], float]:
    """Write to `count` streams for as long as the sink reads; return what it read of each, and for how long."""
    async with run_role("sources", port, count):
        said = await read_line(sink)
    return said["counts"], said["seconds"]


def _exchange(ports: list[int], count: int) -> list[list[float]]:
    """Milliseconds for a byte to an echo and back, over each port in turns."""
    connections = [socket.create_connection(("127.0.0.1", port)) for port in ports]
    values: list[list[float]] = [[] for _ in ports]
    for connection in connections:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for _ in range(count):
        for connection, its in zip(connections, values, strict=True):
            began = time.perf_counter()
            connection.sendall(b"k")
            connection.recv(1)
            its.append((time.perf_counter() - began) * 1000)
    for connection in connections:
        connection.close()
    return values


async def _time_request(transport: Transport) -> float:
    began = time.perf_counter()
    await transport.fetch("GET", "/api/v2/users/me", dict[str, Any])
    return (time.perf_counter() - began) * 1000


def _show(values: Sequence[float]) -> str:
    return " ".join(f"{value:.0f}" for value in values)


BENCHMARK = Benchmark(
    (
        "relay.parallel_ratio",
        "relay.fairness",
        "relay.delay50_mbs",
        "relay.rtt_added_ms",
        "relay.rtt_ratio",
        "relay.rtt_under_bulk_ms",
        "api.p95_under_bulk_ms",
        "relay.idle200_mib",
    ),
    measure,
)
