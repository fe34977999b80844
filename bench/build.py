"""How long a start of a stopped workspace takes, against Terraform alone on the same files and state."""

from __future__ import annotations

import asyncio
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.figures import Benchmark, Figure, median
from genba_gateway.provider.host import ProviderContext, ProviderHost
from genba_gateway.provider.host_workspaces import HostWorkspaces
from tests.support.real_gateway import RealGateway, agents_of, clean_environment, read_starter

TURNS = 7


async def measure(folder: Path) -> Sequence[Figure]:
    """In turns: a start through the gateway, then plan and apply alone."""
    totals: list[float] = []
    connected: list[float] = []
    bare: list[float] = []
    async with RealGateway(folder / "gateway") as gateway:
        await gateway.sign_in()
        template = await gateway.push_template("host", read_starter("host"))
        workspace = await gateway.create_workspace("bench", template["id"])
        await gateway.wait_for_build(workspace["latest_build"]["id"])
        await gateway.wait_for_agent(workspace["id"])
        alone = TerraformAlone(folder / "alone", gateway.url, read_starter("host"))
        await alone.start()
        await alone.stop()
        for _ in range(TURNS):
            await gateway.build(workspace["id"], "stop")
            total, connect = await _timed_start(gateway, workspace["id"])
            totals.append(total)
            connected.append(connect)
            bare.append(await alone.start())
            await alone.stop()
        await alone.delete()
        await gateway.build(workspace["id"], "delete")
    baseline = median(bare)
    return [
        Figure("build.start_ms", median(totals), "ms", TURNS, baseline, "ms"),
        Figure(
            "build.start_ratio",
            median([total / alone_ms for total, alone_ms in zip(totals, bare, strict=True)]),
            "x",
            TURNS,
            baseline,
            "ms",
        ),
        Figure("build.connected_ms", median(connected), "ms", TURNS),
    ]


async def _timed_start(gateway: RealGateway, workspace_id: str) -> tuple[float, float]:
    """Milliseconds from POST to the job's end and to the agent's connection."""
    began = time.monotonic()
    build = await gateway.fetch("POST", f"/api/v2/workspaces/{workspace_id}/builds", {"transition": "start"})
    ended = await gateway.wait_for_build(build["id"])
    total = (time.monotonic() - began) * 1000
    if ended["job"]["status"] != "succeeded":
        raise RuntimeError(f"the start failed: {ended['job']}")
    await gateway.wait_for(
        f"/api/v2/workspaces/{workspace_id}",
        lambda found: any(agent["status"] == "connected" for agent in agents_of(found)),
    )
    return total, (time.monotonic() - began) * 1000


class TerraformAlone:
    """The same files and state without a gateway; the provider is hosted by this process."""

    def __init__(self, folder: Path, access_url: str, files: Mapping[str, str]) -> None:
        self._folder = folder / "files"
        self._folder.mkdir(parents=True)
        for name, text in files.items():
            (self._folder / name).write_text(text)
        hosts = HostWorkspaces(root=folder / "hosts", agent_command=(sys.executable, "-m", "genba_agent"))
        self._host = ProviderHost(folder / "run", hosts)
        self._access_url = access_url
        self._workspace_id = str(uuid.uuid4())

    async def start(self) -> float:
        """Plan and apply a start; milliseconds of the two commands."""
        return await self._run("start")

    async def stop(self) -> None:
        """Plan and apply a stop."""
        await self._run("stop")

    async def delete(self) -> None:
        """Destroy everything."""
        await self._run("destroy", "-destroy")

    async def _run(self, transition: str, *options: str) -> float:
        environment = {
            "CODER_WORKSPACE_TRANSITION": transition,
            "CODER_WORKSPACE_NAME": "alone",
            "CODER_WORKSPACE_ID": self._workspace_id,
        }
        context = ProviderContext(job_id=str(uuid.uuid4()), access_url=self._access_url, environment=environment)
        async with self._host.serve(context) as reattach:
            began = time.monotonic()
            await self._terraform(reattach, "plan", "-input=false", "-out=plan", *options)
            await self._terraform(reattach, "apply", "-input=false", "-auto-approve", "plan")
            return (time.monotonic() - began) * 1000

    async def _terraform(self, reattach: Mapping[str, str], *arguments: str) -> None:
        environment = {**clean_environment(), **reattach, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
        process = await asyncio.create_subprocess_exec(
            "terraform",
            *arguments,
            cwd=self._folder,
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        if process.returncode != 0:
            raise RuntimeError(f"terraform {arguments[0]} failed:\n{output.decode()}")


BENCHMARK = Benchmark(("build.start_ms", "build.start_ratio", "build.connected_ms"), measure)
