"""The queue of builds: position and size are told, a waiting build says nothing, canceling it needs no Terraform."""

from __future__ import annotations

from pathlib import Path

from tests.support.host_template import slow_template
from tests.support.real_gateway import RealGateway
from tests.support.real_streams import open_websocket, read_messages
from tests.support.waiting import eventually


async def test_builds_wait_their_turn(short_dir: Path) -> None:
    gate = short_dir / "gate"
    async with RealGateway(short_dir / "gateway", "--concurrent-builds", "1") as gateway:
        await gateway.sign_in()
        template = await gateway.push_template("slow", slow_template(gate))
        first = await gateway.create_workspace("first", template["id"])
        await eventually(gate.with_name("gate.began").exists)
        second = await gateway.create_workspace("second", template["id"])
        third = await gateway.create_workspace("third", template["id"])

        async def job_of(build_id: str) -> dict[str, object]:
            build = await gateway.fetch("GET", f"/api/v2/workspacebuilds/{build_id}")
            job: dict[str, object] = build["job"]
            return job

        builds = [each["latest_build"]["id"] for each in (first, second, third)]
        found = [await job_of(build) for build in builds]
        assert [job["status"] for job in found] == ["running", "pending", "pending"]
        assert [job["queue_position"] for job in found] == [0, 1, 2]
        assert [job["queue_size"] for job in found[1:]] == [2, 2]
        logs = f"/api/v2/workspacebuilds/{builds[1]}/logs"
        assert await gateway.fetch("GET", logs) == []

        await gateway.request("PATCH", f"/api/v2/workspacebuilds/{builds[2]}/cancel")
        canceled = await job_of(builds[2])
        assert canceled["status"] == "canceled"
        assert "started_at" not in canceled
        assert (await job_of(builds[1]))["queue_size"] == 1

        async with open_websocket(gateway, f"{logs}?follow&after=0") as websocket:
            assert (await job_of(builds[1]))["status"] == "pending"
            gate.touch()
            stages = [line["stage"] async for line in read_messages(websocket)]
        assert len(set(stages)) > 2, stages
        for build in builds[:2]:
            assert (await gateway.wait_for_build(build))["job"]["status"] == "succeeded"
        assert await gateway.fetch("GET", f"/api/v2/workspacebuilds/{builds[2]}/logs") == []
        # A workspace whose only build never began has nothing, and can be deleted like any other.
        deleted = await gateway.build(third["id"], "delete")
        assert deleted["job"]["status"] == "succeeded", deleted["job"]
