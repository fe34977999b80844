"""Real code-server in a `host` workspace: healthy on its socket, back after crashes, gone with the stop."""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.support.code_server import install_code_server, put_on_path
from tests.support.debian_packages import MissingPart
from tests.support.living_processes import list_processes_with
from tests.support.real_gateway import RealGateway, agents_of, read_starter

pytestmark = pytest.mark.timeout(900)  # code-server is compiled once for each version


def is_healthy(workspace: dict[str, Any]) -> bool:
    return any(app["health"] == "healthy" for agent in agents_of(workspace) for app in agent["apps"])


def find_code_server(socket: Path) -> psutil.Process:
    """The process that the script started."""
    found = [each for each in psutil.process_iter() if "--socket" in _words(each) and str(socket) in _words(each)]
    (outer,) = [each for each in found if each.ppid() not in {other.pid for other in found}]
    return outer


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


async def wait_for_line(gateway: RealGateway, agent_id: str, words: str, times: int = 1) -> None:
    """Wait until the agent's log says something so often."""

    async with asyncio.timeout(60):
        while True:
            lines = await gateway.fetch("GET", f"/api/v2/workspaceagents/{agent_id}/logs")
            if sum(words in line["output"] for line in lines) >= times:
                return
            await asyncio.sleep(0.1)


async def test_it_runs_from_the_path_survives_crashes_and_ends_with_the_workspace(short_dir: Path) -> None:
    programs = short_dir / "bin"
    programs.mkdir()
    try:
        put_on_path(await asyncio.to_thread(install_code_server), programs)
    except MissingPart as missing:
        pytest.skip(f"no code-server here: {missing}")
    environment = {"PATH": f"{programs}:{os.environ['PATH']}"}
    async with RealGateway(short_dir / "gateway", environment=environment) as gateway:
        await gateway.sign_in()
        template = await gateway.push_template("host", read_starter("host", code_server=True))
        workspace = await gateway.create_workspace("demo", template["id"])
        socket = short_dir / "gateway" / "data" / "hosts" / workspace["id"] / "home" / ".code-server" / "socket"
        agent = await gateway.wait_for_agent(workspace["id"])
        await gateway.wait_for(f"/api/v2/workspaces/{workspace['id']}", is_healthy)
        await wait_for_line(gateway, agent["id"], f"Starting {programs / 'code-server'}.")
        assert stat.S_IMODE(socket.stat().st_mode) == 0o600
        async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(uds=str(socket))) as client:
            answer = await client.get("http://localhost/healthz")
        assert answer.json()["status"] in {"alive", "expired"}

        first = await asyncio.to_thread(find_code_server, socket)
        first.kill()
        await wait_for_line(gateway, agent["id"], "code-server ended with status 137 and is started again in 1 s")
        await wait_for_line(gateway, agent["id"], "code-server is ready", times=2)

        # The agent crashes; the supervisor of host workspaces starts it again.
        second = await asyncio.to_thread(find_code_server, socket)
        script = psutil.Process(second.ppid())
        psutil.Process(script.ppid()).kill()
        await wait_for_line(gateway, agent["id"], "code-server runs already")
        assert second.is_running()

        stopped = await gateway.build(workspace["id"], "stop")
        assert stopped["job"]["status"] == "succeeded", stopped["job"]
        assert list_processes_with(workspace["id"]) == []
        await gateway.build(workspace["id"], "delete")
