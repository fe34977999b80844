"""Workspaces on the gateway's machine: stop, delete, the operator's permission, and the machine's reboot."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from tests.support.host_template import host_template, script
from tests.support.living_processes import list_processes_with
from tests.support.real_gateway import RealGateway, agents_of


async def test_stop_runs_stop_scripts_and_delete_leaves_nothing(short_dir: Path) -> None:
    data = short_dir / "gateway" / "data"
    async with RealGateway(short_dir / "gateway") as gateway:
        await gateway.sign_in()
        stop_script = script("farewell", "echo farewell 1; sleep 0.2; echo farewell 2", run_on_stop=True)
        straggler = script("straggler", "setsid -f sleep 1000 >/dev/null 2>&1 </dev/null")
        template = await gateway.push_template("host", host_template(farewell=stop_script, straggler=straggler))
        workspace = await gateway.create_workspace("demo", template["id"])
        build = await gateway.wait_for_build(workspace["latest_build"]["id"])
        assert build["job"]["status"] == "succeeded", build["job"]
        agent = await gateway.wait_for_agent(workspace["id"])
        assert list_processes_with(workspace["id"])
        (data / "hosts" / workspace["id"] / "home" / "kept").write_text("mine")

        stopped = await gateway.build(workspace["id"], "stop")
        assert stopped["job"]["status"] == "succeeded", stopped["job"]
        assert list_processes_with(workspace["id"]) == []
        lines = await gateway.fetch("GET", f"/api/v2/workspaceagents/{agent['id']}/logs")
        outputs = [line["output"] for line in lines]
        assert [text for text in outputs if text.startswith("farewell")] == ["farewell 1", "farewell 2"]
        now = await gateway.fetch("GET", f"/api/v2/workspaces/{workspace['id']}")
        assert now["latest_build"]["status"] == "stopped"
        assert agents_of(now) == []
        assert (data / "hosts" / workspace["id"] / "home" / "kept").read_text() == "mine"
        gone = await gateway.fetch("GET", f"/api/v2/workspaceagents/{agent['id']}")
        assert gone["status"] == "disconnected"
        assert gone["lifecycle_state"] == "off"

        await gateway.build(workspace["id"], "start")
        await gateway.wait_for_agent(workspace["id"])
        deleted = await gateway.build(workspace["id"], "delete")
        assert deleted["job"]["status"] == "succeeded", deleted["job"]
        assert list_processes_with(workspace["id"]) == []
        assert not list((data / "hosts").rglob("*"))
        assert not list((data / "provisioner" / "jobs").iterdir())
        assert (await gateway.send("GET", f"/api/v2/workspaces/{workspace['id']}")).status_code == 410


async def test_without_the_operators_permission_the_build_names_the_flag(short_dir: Path) -> None:
    async with RealGateway(short_dir / "gateway", allow_host_workspaces=False) as gateway:
        await gateway.sign_in()
        template = await gateway.push_template("host", host_template())
        workspace = await gateway.create_workspace("demo", template["id"])
        build = await gateway.wait_for_build(workspace["latest_build"]["id"])
        assert build["job"]["status"] == "failed"
        lines = await gateway.fetch("GET", f"/api/v2/workspacebuilds/{build['id']}/logs")
        sentence = "start the gateway with --allow-host-workspaces"
        assert [line for line in lines if sentence in line["output"]], [line["output"] for line in lines]
        assert sentence in build["job"]["error"]
        deleted = await gateway.build(workspace["id"], "delete")
        assert deleted["job"]["status"] == "succeeded", deleted["job"]


async def test_after_a_reboot_agents_say_so_and_a_start_brings_them_back(short_dir: Path) -> None:
    async with RealGateway(short_dir / "gateway") as gateway:
        await gateway.sign_in()
        template = await gateway.push_template("host", host_template())
        workspace = await gateway.create_workspace("demo", template["id"])
        agent = await gateway.wait_for_agent(workspace["id"])
        await gateway.wait_for_build(workspace["latest_build"]["id"])
        assert await gateway.stop() == 0
        with sqlite3.connect(short_dir / "gateway" / "data" / "genba.db") as database:
            changed = database.execute(
                "UPDATE workspace_agents SET host_boot_id = 'before' WHERE id = ?", [agent["id"]]
            )
            assert changed.rowcount == 1
        database.close()

        await gateway.start()
        now = await gateway.fetch("GET", f"/api/v2/workspaces/{workspace['id']}")
        found = agents_of(now)[0]
        assert found["status"] == "disconnected"
        assert "The machine was restarted" in found["status_reason"]
        assert "Start the workspace" in found["status_reason"]
        assert now["health"] == {"healthy": False, "failing_agents": [agent["id"]]}
        assert now["latest_build"]["build_number"] == 1

        started = await gateway.build(workspace["id"], "start")
        assert started["job"]["status"] == "succeeded", started["job"]
        back = await gateway.wait_for_agent(workspace["id"])
        assert back["id"] != agent["id"]
        deleted = await gateway.build(workspace["id"], "delete")
        assert deleted["job"]["status"] == "succeeded", deleted["job"]
