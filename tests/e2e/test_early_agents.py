"""An agent connects and logs while its build's job still runs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from tests.support.host_template import busy_resource, host_template
from tests.support.real_gateway import RealGateway, agents_of


async def list_outputs(gateway: RealGateway, agent_id: str) -> list[str]:
    """The lines of an agent's log."""
    return [line["output"] for line in await gateway.fetch("GET", f"/api/v2/workspaceagents/{agent_id}/logs")]


async def check_early_agent(gateway: RealGateway, gate: Path, workspace_id: str, build_id: str) -> dict[str, Any]:
    """The agent, ready before its job ended, and the same with its log after it."""
    early = await gateway.wait_for_agent(workspace_id)
    assert "Ready." in await list_outputs(gateway, early["id"])
    build = await gateway.fetch("GET", f"/api/v2/workspacebuilds/{build_id}")
    assert build["job"]["status"] == "running"
    await asyncio.to_thread(gate.touch)
    build = await gateway.wait_for_build(build_id)
    assert build["job"]["status"] == "succeeded", build["job"]
    later = agents_of(await gateway.fetch("GET", f"/api/v2/workspaces/{workspace_id}"))
    assert [agent["id"] for agent in later] == [early["id"]]
    assert (later[0]["status"], later[0]["lifecycle_state"]) == ("connected", "ready")
    assert "Ready." in await list_outputs(gateway, early["id"])
    return early


async def test_an_agent_is_ready_before_its_job_ends(short_dir: Path) -> None:
    gate = short_dir / "gate"
    async with RealGateway(short_dir / "gateway") as gateway:
        await gateway.sign_in()
        template = await gateway.push_template("busy", host_template(busy=busy_resource(gate)))
        workspace = await gateway.create_workspace("demo", template["id"])
        first = await check_early_agent(gateway, gate, workspace["id"], workspace["latest_build"]["id"])

        stopped = await gateway.build(workspace["id"], "stop")
        assert stopped["job"]["status"] == "succeeded", stopped["job"]
        gate.unlink()
        started = await gateway.fetch("POST", f"/api/v2/workspaces/{workspace['id']}/builds", {"transition": "start"})
        second = await check_early_agent(gateway, gate, workspace["id"], started["id"])
        assert second["id"] != first["id"]
        deleted = await gateway.build(workspace["id"], "delete")
        assert deleted["job"]["status"] == "succeeded", deleted["job"]
