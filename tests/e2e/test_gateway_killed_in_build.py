"""A gateway that is killed inside an apply finds the job at its next start; the workspace's agent lives through it."""

from __future__ import annotations

from pathlib import Path

import psutil

from tests.support.host_template import busy_resource, host_template
from tests.support.living_processes import list_processes_with
from tests.support.real_gateway import RealGateway, agents_of
from tests.support.waiting import eventually


async def test_a_killed_gateway_goes_on_with_what_it_left(short_dir: Path) -> None:
    gate = short_dir / "gate"
    async with RealGateway(short_dir / "gateway") as gateway:
        await gateway.sign_in()
        template = await gateway.push_template("busy", host_template(busy=busy_resource(gate)))
        workspace = await gateway.create_workspace("demo", template["id"])
        first_build = workspace["latest_build"]
        await eventually(gate.with_name("gate.began").exists)
        agent = await gateway.wait_for_agent(workspace["id"])
        of_workspace = set(list_processes_with(f"/hosts/{workspace['id']}/"))
        assert of_workspace
        await gateway.kill()
        assert of_workspace <= set(psutil.pids())

        await gateway.start()
        build = await gateway.fetch("GET", f"/api/v2/workspacebuilds/{first_build['id']}")
        assert build["job"]["status"] == "failed"
        assert "The gateway was stopped in the middle of this job" in build["job"]["error"]
        assert list_processes_with(first_build["job"]["id"]) == []
        state = await gateway.request("GET", f"/api/v2/workspacebuilds/{first_build['id']}/state")
        assert b'"genba_host"' in state.content
        back = await gateway.wait_for_agent(workspace["id"])
        assert back["id"] == agent["id"]
        assert of_workspace <= set(psutil.pids())

        gate.touch()
        again = await gateway.build(workspace["id"], "start")
        assert again["job"]["status"] == "succeeded", again["job"]
        await gateway.wait_for_agent(workspace["id"])
        now = await gateway.fetch("GET", f"/api/v2/workspaces/{workspace['id']}")
        assert [each["id"] for each in agents_of(now)] != [agent["id"]]
        assert of_workspace.isdisjoint(list_processes_with(f"/hosts/{workspace['id']}/"))
        deleted = await gateway.build(workspace["id"], "delete")
        assert deleted["job"]["status"] == "succeeded", deleted["job"]
        assert list_processes_with(workspace["id"]) == []
