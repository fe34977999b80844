"""A shutdown ends followers, watches and builds, and the next start tells of the build."""

from __future__ import annotations

import asyncio
from pathlib import Path

from websockets.exceptions import ConnectionClosed

from tests.support.host_template import slow_template
from tests.support.living_processes import list_processes_with
from tests.support.real_gateway import RealGateway
from tests.support.real_streams import open_events, open_websocket, read_messages
from tests.support.waiting import eventually

DRAIN_CEILING_S = 20.0
"""Twice what the gateway gives open requests and builds, so that a busy machine doesn't matter."""


async def test_a_shutdown_with_everything_open_is_clean(short_dir: Path) -> None:
    gate = short_dir / "gate"
    async with RealGateway(short_dir / "gateway") as gateway:
        await gateway.sign_in()
        template = await gateway.push_template("slow", slow_template(gate))
        workspace = await gateway.create_workspace("demo", template["id"])
        build = workspace["latest_build"]
        await eventually(gate.with_name("gate.began").exists)
        opened = asyncio.Barrier(3)
        closes: list[int] = []
        kinds: list[str] = []

        async def follow() -> None:
            try:
                async with open_websocket(gateway, f"/api/v2/workspacebuilds/{build['id']}/logs?follow") as websocket:
                    await opened.wait()
                    async for _ in read_messages(websocket):
                        pass
            except ConnectionClosed as closed:
                closes.append(closed.rcvd.code if closed.rcvd else 0)

        async def watch() -> None:
            # The answer is whole: a body that broke off in the middle would raise.
            async with open_events(gateway, f"/api/v2/workspaces/{workspace['id']}/watch") as events:
                await opened.wait()
                kinds.extend([kind async for kind, _ in events])

        async with asyncio.timeout(DRAIN_CEILING_S), asyncio.TaskGroup() as tasks:
            tasks.create_task(follow())
            tasks.create_task(watch())
            await opened.wait()
            assert await gateway.stop() == 0
        assert closes in ([1001], [])
        assert set(kinds) <= {"ping", "data"}
        assert "Traceback" not in gateway.read_log(), gateway.read_log()
        assert " ERROR " not in gateway.read_log(), gateway.read_log()
        assert list_processes_with(build["job"]["id"]) == []

        await gateway.start()
        found = await gateway.fetch("GET", f"/api/v2/workspacebuilds/{build['id']}")
        assert found["job"]["status"] == "failed"
        assert "The gateway was stopped in the middle of this job" in found["job"]["error"]
        state = await gateway.request("GET", f"/api/v2/workspacebuilds/{build['id']}/state")
        assert b'"kept"' in state.content
        gate.touch()
        for transition in ("start", "delete"):
            again = await gateway.build(workspace["id"], transition)
            assert again["job"]["status"] == "succeeded", again["job"]
