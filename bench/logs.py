"""How long a line written in a workspace takes to a websocket follower."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from pathlib import Path

from bench.figures import Benchmark, Figure, median, percentile
from genba_wire.aio.transport import Transport, TransportOptions
from tests.support.real_gateway import RealGateway, read_starter

LINES = 300
PER_SECOND = 20
WRITER = f"""
import time
for number in range({LINES}):
    print("stamp", number, time.time(), flush=True)
    time.sleep({1 / PER_SECOND})
"""


async def measure(folder: Path) -> Sequence[Figure]:
    """Follow the log of a start script that stamps each line with the time of its writing."""
    files = read_starter("host")
    files["stamps.tf"] = _script_of(WRITER)
    async with RealGateway(folder / "gateway") as gateway:
        await gateway.sign_in()
        template = await gateway.push_template("stamps", files)
        workspace = await gateway.create_workspace("bench", template["id"])
        await gateway.wait_for_build(workspace["latest_build"]["id"])
        agent = await gateway.wait_for_agent(workspace["id"], lifecycle="starting")
        delays = await _follow(gateway, agent["id"])
        await gateway.wait_for_agent(workspace["id"])
        await gateway.build(workspace["id"], "delete")
    return [
        Figure("logs.p50_ms", median(delays), "ms", len(delays)),
        Figure("logs.p95_ms", percentile(delays, 95), "ms", len(delays)),
    ]


def _script_of(program: str) -> str:
    return f"""
resource "coder_script" "stamps" {{
  agent_id     = coder_agent.main.id
  display_name = "Stamps"
  run_on_start = true
  script       = <<-EOT
    #!/usr/bin/env python3
    {program.replace(chr(10), chr(10) + "    ")}
  EOT
}}
"""


async def _follow(gateway: RealGateway, agent_id: str) -> list[float]:
    """Delays in milliseconds of the lines that came while following, not of the backlog."""
    delays: list[float] = []
    began = time.time()
    async with Transport(TransportOptions(gateway.url, gateway.token)) as transport:
        path = f"/api/v2/workspaceagents/{agent_id}/logs"
        async with transport.websocket(path, params={"follow": "true"}) as stream, asyncio.timeout(60):
            async for message in stream:
                arrived = time.time()
                for line in json.loads(message):
                    words = line["output"].split()
                    if words[:1] != ["stamp"]:
                        continue
                    written = float(words[2])
                    if written > began:
                        delays.append((arrived - written) * 1000)
                    if int(words[1]) == LINES - 1:
                        return delays
    raise RuntimeError("the log ended before its last line")


BENCHMARK = Benchmark(("logs.p50_ms", "logs.p95_ms"), measure)
