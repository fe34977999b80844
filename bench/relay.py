"""relay.efficiency and relay.stream_mbs: bulk through a real session, against processes that only copy.

Five processes each: source, client's end, gateway, agent, sink; and source, three copiers, sink. The source writes
64 KiB at a time. Gateway and agent are real ones, the agent that of a workspace; the client's end is a port of
loopback whose connections become streams of the kind "tcp". They take turns.
"""

from __future__ import annotations

import asyncio
import json
from asyncio.subprocess import Process
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from typing import Any

import psutil

from bench.figures import Benchmark, Figure, median, note
from bench.processes import run_module
from tests.support.real_gateway import RealGateway, read_starter

SIZE_BYTES = 512 * 1024 * 1024
RUNS = 7
ANSWER_S = 120.0


async def measure(folder: Path) -> Sequence[Figure]:
    """Measure both in turns."""
    copied: list[float] = []
    streamed: list[float] = []
    async with RealGateway(folder / "gateway") as gateway, AsyncExitStack() as processes:
        await gateway.sign_in()
        template = await gateway.push_template("relay", read_starter("host"))
        workspace = await gateway.create_workspace("bench", template["id"])
        await gateway.wait_for_build(workspace["latest_build"]["id"])
        agent = await gateway.wait_for_agent(workspace["id"])

        sink = await processes.enter_async_context(run_role("sink"))
        sink_port = copied_port = (await read_line(sink))["port"]
        copiers: list[Process] = []
        for _ in range(3):
            copier = await processes.enter_async_context(run_role("copier", int(copied_port)))
            copied_port = (await read_line(copier))["port"]
            copiers.append(copier)
        client = await processes.enter_async_context(run_role("client", int(sink_port)))
        await tell(client, how_to_reach(gateway, workspace, agent))
        client_port = (await read_line(client))["port"]

        ends = {
            "gateway": psutil.Process(process_of(gateway).pid),
            "agent": find_agent(gateway.url),
            "client": psutil.Process(client.pid),
            "one copier": psutil.Process(copiers[0].pid),
        }
        spent = dict.fromkeys(ends, 0.0)
        for run in range(RUNS + 1):
            before = {name: _cpu_s(process) for name, process in ends.items()}
            values = (await _carry(copied_port, sink), await _carry(client_port, sink))
            if run:  # the first one warms up
                copied.append(values[0])
                streamed.append(values[1])
                for name, process in ends.items():
                    spent[name] += _cpu_s(process) - before[name]
        await processes.aclose()
        await gateway.build(workspace["id"], "delete")
    note(f"relay.efficiency: copied {_show(copied)}, streamed {_show(streamed)} MB/s")
    gigabytes = SIZE_BYTES * RUNS / 1e9
    each = ", ".join(f"{name} {seconds / gigabytes:.2f}" for name, seconds in spent.items())
    note(f"relay.efficiency: seconds of processor time for a GB: {each}")
    ratio = median([mine / base for mine, base in zip(streamed, copied, strict=True)])
    return [
        Figure("relay.efficiency", ratio, "x", RUNS, baseline=median(copied), baseline_unit="MB/s"),
        Figure("relay.stream_mbs", median(streamed), "MB/s", RUNS),
    ]


def how_to_reach(gateway: RealGateway, workspace: dict[str, Any], agent: dict[str, Any]) -> dict[str, str]:
    """What the client's end needs to know."""
    return {
        "url": gateway.url,
        "token": gateway.token,
        "workspace_id": workspace["id"],
        "build_id": workspace["latest_build"]["id"],
        "agent_id": agent["id"],
    }


def process_of(gateway: RealGateway) -> Process:
    """The gateway's process."""
    assert gateway.process is not None
    return gateway.process


def find_agent(url: str) -> psutil.Process:
    """The agent that was told this gateway's address."""
    for process in psutil.process_iter():
        try:
            if "agent" in process.cmdline() and process.environ().get("CODER_AGENT_URL", "").rstrip("/") == url:
                return process
        except psutil.Error:
            continue
    raise AssertionError(f"no agent of {url} runs here")


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


async def _carry(port: float, sink: Process) -> float:
    """Carry `SIZE_BYTES` from a source to the sink; return MB/s."""
    async with run_role("source", int(port), SIZE_BYTES) as source:
        began = (await read_line(source))["began"]
        arrived = await read_line(sink)
    assert arrived["received"] == SIZE_BYTES, arrived
    seconds: float = arrived["ended"] - began
    return SIZE_BYTES / 1e6 / seconds


def run_role(*arguments: object) -> AbstractAsyncContextManager[Process]:
    """A process of bench/relay_process.py, until the block ends."""
    return run_module("bench.relay_process", *arguments)


async def tell(process: Process, values: dict[str, str]) -> None:
    """Say a line of JSON to a process."""
    assert process.stdin is not None
    process.stdin.write(json.dumps(values).encode() + b"\n")
    await process.stdin.drain()


async def read_line(process: Process) -> dict[str, Any]:
    """The next line of JSON that a process says."""
    assert process.stdout is not None
    async with asyncio.timeout(ANSWER_S):
        values: dict[str, Any] = json.loads(await process.stdout.readline())
    return values


def _show(values: Sequence[float]) -> str:
    return " ".join(f"{value:.0f}" for value in values)


BENCHMARK = Benchmark(("relay.efficiency", "relay.stream_mbs"), measure)
