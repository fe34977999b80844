"""A canceled build keeps the state of what it finished and leaves no process; the workspace goes on from there."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

from tests.support.host_template import slow_template
from tests.support.living_processes import list_processes_with
from tests.support.real_gateway import RealGateway
from tests.support.waiting import eventually


async def cancel_in_apply(gateway: RealGateway, gate: Path, template_id: str) -> dict[str, Any]:
    """Make a workspace and cancel its first build inside the busy resource; the ended build."""
    workspace = await gateway.create_workspace("demo", template_id)
    build_id = workspace["latest_build"]["id"]
    await eventually(gate.with_name("gate.began").exists)
    await gateway.request("PATCH", f"/api/v2/workspacebuilds/{build_id}/cancel")
    build = await gateway.wait_for_build(build_id)
    assert build["job"]["status"] == "canceled", build["job"]
    assert build["status"] == "canceled"
    assert list_processes_with(build["job"]["id"]) == []
    return build


async def list_addresses(gateway: RealGateway, build_id: str) -> set[str]:
    """What stands in the state that a build left, tainted resources excepted."""
    response = await gateway.request("GET", f"/api/v2/workspacebuilds/{build_id}/state")
    return {
        f"{resource['type']}.{resource['name']}"
        for resource in json.loads(response.content)["resources"]
        if resource["mode"] == "managed" and all(each.get("status") != "tainted" for each in resource["instances"])
    }


async def go_on(gateway: RealGateway, gate: Path, workspace_id: str) -> None:
    """Start, stop and delete the workspace."""
    await asyncio.to_thread(gate.touch)
    for transition in ("start", "stop", "delete"):
        build = await gateway.build(workspace_id, transition)
        assert build["job"]["status"] == "succeeded", build["job"]


async def test_a_canceled_build_keeps_what_it_finished(short_dir: Path) -> None:
    gate = short_dir / "gate"
    async with RealGateway(short_dir / "gateway") as gateway:
        await gateway.sign_in()
        template = await gateway.push_template("slow", slow_template(gate))
        build = await cancel_in_apply(gateway, gate, template["id"])
        assert await list_addresses(gateway, build["id"]) == {"terraform_data.first"}
        again = await gateway.send("PATCH", f"/api/v2/workspacebuilds/{build['id']}/cancel")
        assert again.status_code == 400
        await go_on(gateway, gate, build["workspace_id"])


async def test_a_terraform_that_ignores_its_interrupt_is_killed(short_dir: Path) -> None:
    gate = short_dir / "gate"
    terraform = shutil.which("terraform")
    stubborn = short_dir / "terraform"
    # The shell stays while Terraform runs below it, and takes no notice of the interrupt that it gets.
    stubborn.write_text(f"#!/bin/sh\ntrap '' INT TERM\n{terraform} \"$@\"\nexit $?\n")
    stubborn.chmod(0o755)
    arguments = ("--cancel-grace-s", "1", "--terraform-path", str(stubborn))
    async with RealGateway(short_dir / "gateway", *arguments) as gateway:
        await gateway.sign_in()
        template = await gateway.push_template("slow", slow_template(gate))
        build = await cancel_in_apply(gateway, gate, template["id"])
        assert await list_addresses(gateway, build["id"]) == {"terraform_data.first"}
        await go_on(gateway, gate, build["workspace_id"])
