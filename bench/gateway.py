"""How fast the gateway starts on existing data, and how much memory it takes while it serves one workspace."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import psutil

from bench.figures import Benchmark, Figure, median
from tests.support.real_gateway import RealGateway, read_starter

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
        await gateway.build(workspace["id"], "delete")
    return [
        Figure("gateway.start_s", median(starts), "s", RUNS),
        Figure("gateway.rss_mib", server, "MiB", 1),
    ]


def _resident(gateway: RealGateway) -> float:
    assert gateway.process is not None
    server = psutil.Process(gateway.process.pid)
    return sum(each.memory_info().rss for each in (server, *server.children(recursive=True))) / MIB


BENCHMARK = Benchmark(("gateway.start_s", "gateway.rss_mib"), measure)
