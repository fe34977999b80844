"""How fast the gateway starts on existing data, and how much memory it takes while it serves one workspace."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import psutil

from bench.figures import Benchmark, Figure, median
from tests.support.real_gateway import RealGateway, agents_of, read_starter

RUNS = 7
SETTLE_S = 3.0
MIB = 1024 * 1024


async def measure(folder: Path) -> Sequence[Figure]:
    """Start, serve one workspace, then start again and again on the same data."""
    async with RealGateway(folder / "gateway") as gateway:
        await gateway.sign_in()
        template = await gateway.push_template("host", read_starter("host"))
        workspace = await gateway.create_workspace("bench", template["id"])
        await gateway.wait_for_build(workspace["latest_build"]["id"])
        await gateway.wait_for_agent(workspace["id"])
        starts: list[float] = []
        for _ in range(RUNS):
            await gateway.stop()
            starts.append(await gateway.start())
        await gateway.wait_for_agent(workspace["id"])
        await asyncio.sleep(SETTLE_S)
        server = _resident(gateway)
        found = agents_of(await gateway.fetch("GET", f"/api/v2/workspaces/{workspace['id']}"))
        agent = _resident_of_agent(found[0]["id"], workspace["id"])
        await gateway.build(workspace["id"], "delete")
    return [
        Figure("gateway.start_s", median(starts), "s", RUNS),
        Figure("gateway.rss_mib", server, "MiB", 1),
        Figure("agent.rss_mib", agent, "MiB", 1),
    ]


def _resident(gateway: RealGateway) -> float:
    assert gateway.process is not None
    server = psutil.Process(gateway.process.pid)
    return sum(each.memory_info().rss for each in (server, *server.children(recursive=True))) / MIB


def _resident_of_agent(agent_id: str, workspace_id: str) -> float:
    for process in psutil.process_iter():
        try:
            command, environment = process.cmdline(), process.environ()
        except psutil.Error:
            continue
        if "genba_agent" in command and any(workspace_id in value for value in environment.values()):
            return float(process.memory_info().rss) / MIB
    raise RuntimeError(f"the process of agent {agent_id} was not found")


BENCHMARK = Benchmark(("gateway.start_s", "gateway.rss_mib", "agent.rss_mib"), measure)
