"""An agent finds its gateway again soon, however it lost it. Real waits: `make soak`."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from genba_agent.connection import STABLE_AFTER_S
from genba_wire.tunnel.frames import DEAD_AFTER_S
from tests.support.broken_line import broken_line
from tests.support.host_template import host_template
from tests.support.real_gateway import RealGateway, agents_of, free_port

pytestmark = [pytest.mark.soak, pytest.mark.timeout(300)]

BACK_WITHIN_S = 2.0
NOTICED_WITHIN_S = 1.0
"""On top of the 30 s of silence: what a loaded machine takes for its timers and for dialling."""


async def start_workspace(gateway: RealGateway) -> dict[str, Any]:
    """A running workspace, whose agent is connected."""
    await gateway.sign_in()
    template = await gateway.push_template("host", host_template())
    workspace = await gateway.create_workspace("demo", template["id"])
    await gateway.wait_for_build(workspace["latest_build"]["id"])
    await gateway.wait_for_agent(workspace["id"])
    return workspace


async def wait_for_status(gateway: RealGateway, workspace: dict[str, Any], status: str) -> float:
    """When the agent has a status."""
    await gateway.wait_for(
        f"/api/v2/workspaces/{workspace['id']}", lambda found: agents_of(found)[0]["status"] == status
    )
    return time.monotonic()


async def test_agent_is_back_within_2_seconds_after_the_gateway_was_away(short_dir: Path) -> None:
    async with RealGateway(short_dir / "gateway") as gateway:
        workspace = await start_workspace(gateway)
        for away_s in (0.0, 1.0, 7.0, 15.0, 30.0):
            await gateway.kill()
            await asyncio.sleep(away_s)
            await gateway.start()
            there_at = time.monotonic()
            took_s = await wait_for_status(gateway, workspace, "connected") - there_at
            assert took_s <= BACK_WITHIN_S, f"{took_s:.1f} s after {away_s:g} s"
            # A connection that ends before that belongs to the same outage, and the waits of a long one grow.
            await asyncio.sleep(STABLE_AFTER_S + 1)
        await gateway.build(workspace["id"], "delete")


async def test_half_open_line_is_noticed_within_30_seconds(short_dir: Path) -> None:
    port, line_port = free_port(), free_port()
    async with (
        broken_line(line_port, port) as line,
        RealGateway(short_dir / "gateway", "--access-url", f"http://127.0.0.1:{line_port}", port=port) as gateway,
    ):
        workspace = await start_workspace(gateway)
        controls = len(line.controls_at)
        silent_at = line.silence()
        took_s = await line.wait_for_controls(controls + 1) - silent_at
        assert took_s <= DEAD_AFTER_S + NOTICED_WITHIN_S
        await wait_for_status(gateway, workspace, "connected")
        await gateway.build(workspace["id"], "delete")
