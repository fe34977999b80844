"""The agent as workspaces get it: how big its download is, how soon it is connected, how much memory it takes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import psutil

from bench.figures import Benchmark, Figure, median
from scripts.build_agent import OUTPUT, machine_arch, prepare_executable
from tests.support.host_template import CODER
from tests.support.real_gateway import RealGateway, agents_of, clean_environment

RUNS = 9
SETTLE_S = 3.0
CONNECT_WITHIN_S = 30.0
AWAY_S = 3.0
MIB = 1024 * 1024

TEMPLATE = (
    CODER
    + """
data "coder_provisioner" "me" {}

resource "coder_agent" "main" {
  os   = "linux"
  arch = data.coder_provisioner.me.arch
}

resource "terraform_data" "machine" {
  provisioner "local-exec" {
    command     = "printf %s \\"$TOKEN\\" >'@FILE@'"
    environment = { TOKEN = coder_agent.main.token }
  }
}
"""
)
"""A machine that somebody else starts: only the agent's token leaves the build."""


async def measure(folder: Path) -> Sequence[Figure]:
    """Start the unpacked executable again and again; `genba version` of it is the baseline."""
    if await asyncio.to_thread(prepare_executable) is None:
        raise RuntimeError("there is no executable to measure")
    executable = OUTPUT / f"genba-linux-{machine_arch()}"
    async with RealGateway(folder / "gateway") as gateway:
        await gateway.sign_in()
        token_file = folder / "token"
        template = await gateway.push_template("machine", {"main.tf": TEMPLATE.replace("@FILE@", str(token_file))})
        workspace = await gateway.create_workspace("bench", template["id"])
        build = await gateway.wait_for_build(workspace["latest_build"]["id"])
        agent_id: str = agents_of({"latest_build": build})[0]["id"]
        environment = {
            **clean_environment(),
            "HOME": str(folder),
            "CODER_AGENT_URL": gateway.url,
            "CODER_AGENT_TOKEN": token_file.read_text(),
            "CODER_AGENT_LOG_DIR": str(folder / "logs"),
        }
        await _run_version(executable, environment)
        versions = [await _run_version(executable, environment) for _ in range(RUNS)]
        connected: list[float] = []
        for _ in range(RUNS):
            async with _running(executable, environment) as (began, _process):
                await _wait_for_status(gateway, agent_id, "connected")
                connected.append(time.monotonic() - began)
            await _wait_for_status(gateway, agent_id, "disconnected")
        async with _running(executable, environment) as (_began, process):
            await _wait_for_status(gateway, agent_id, "connected")
            await asyncio.sleep(SETTLE_S)
            resident = psutil.Process(process.pid).memory_info().rss / MIB
            back = [await _come_back(gateway, agent_id) for _ in range(RUNS)]
    return [
        Figure("agent.connect_s", median(connected), "s", RUNS, median(versions), "s"),
        Figure("agent.back_s", median(back), "s", RUNS),
        Figure("agent.rss_mib", resident, "MiB", 1),
        Figure("agent.download_mib", executable.stat().st_size / MIB, "MiB", 1),
    ]


async def _come_back(gateway: RealGateway, agent_id: str) -> float:
    """Kill the gateway; the time from its next answer to the agent's connection."""
    before = await gateway.fetch("GET", f"/api/v2/workspaceagents/{agent_id}")
    await gateway.kill()
    await asyncio.sleep(AWAY_S)
    await gateway.start()
    began = time.monotonic()
    await gateway.wait_for(
        f"/api/v2/workspaceagents/{agent_id}",
        lambda agent: agent["status"] == "connected" and agent["last_connected_at"] != before["last_connected_at"],
        CONNECT_WITHIN_S,
    )
    return time.monotonic() - began


@asynccontextmanager
async def _running(
    executable: Path, environment: dict[str, str]
) -> AsyncGenerator[tuple[float, asyncio.subprocess.Process]]:
    """An agent, and when it was started; it has ended when this is left."""
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        executable, "agent", env=environment, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        yield began, process
    finally:
        process.terminate()
        await process.wait()


async def _run_version(executable: Path, environment: dict[str, str]) -> float:
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        executable, "version", env=environment, stdout=asyncio.subprocess.DEVNULL
    )
    if await process.wait() != 0:
        raise RuntimeError(f"{executable} version failed")
    return time.monotonic() - began


async def _wait_for_status(gateway: RealGateway, agent_id: str, status: str) -> None:
    await gateway.wait_for(
        f"/api/v2/workspaceagents/{agent_id}", lambda agent: agent["status"] == status, CONNECT_WITHIN_S
    )


BENCHMARK = Benchmark(("agent.connect_s", "agent.back_s", "agent.rss_mib", "agent.download_mib"), measure)
