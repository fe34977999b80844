"""`genba start`, `stop`, `restart`, `update` and `delete`."""

from __future__ import annotations

from pathlib import Path

import pytest

from genba_wire.api.workspaces import BuildParameter
from tests.support.cli_builders import NOW, VERSION_ID, make_build, make_job, make_parameter, make_workspace
from tests.support.cli_gateway import TOKEN, CliGateway, running_cli_gateway
from tests.support.cli_process import genba_on_terminal, run_genba, running_genba

STOPPED = {"transition": "stop", "status": "stopped"}


def session(gateway: CliGateway) -> dict[str, str]:
    return {"GENBA_URL": gateway.url, "GENBA_SESSION_TOKEN": TOKEN}


def builds_of(gateway: CliGateway, workspace_id: str) -> list[dict[str, object]]:
    return [one.json() for one in gateway.requests_of("POST", f"/workspaces/{workspace_id}/builds")]


async def test_an_editor_starts_a_stopped_workspace(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        workspace = gateway.add_workspace(make_workspace(latest_build=make_build(**STOPPED), dormant_at=NOW))
        done = await run_genba(
            "start", "--yes", "--reason", "vscode_connection", "alice/dev", folder=tmp_path, env=session(gateway)
        )
        assert (done.code, done.err) == (0, "")
        assert "Workspace alice/dev is running (build 2)." in done.out
        assert builds_of(gateway, workspace.id) == [
            {"transition": "start", "template_version_id": VERSION_ID, "reason": "vscode_connection"}
        ]
        assert gateway.requests_of("PUT", f"/workspaces/{workspace.id}/dormant")[0].json() == {"dormant": False}
        again = await run_genba("start", "dev", folder=tmp_path, env=session(gateway))
        assert (again.code, again.out) == (0, "Workspace dev is running already.\n")


async def test_starting_joins_a_start_that_runs(tmp_path: Path) -> None:
    build = make_build(status="starting", job=make_job(status="running"))
    async with running_cli_gateway() as gateway:
        workspace = gateway.add_workspace(make_workspace(latest_build=build))
        async with running_genba("start", "dev", folder=tmp_path, env=session(gateway)) as genba:
            await gateway.wait_for(lambda: gateway.open_streams == 1)
            gateway.say(build.id, "joined")
            gateway.set_job(build.id, "succeeded")
            await genba.wait_until(lambda: "joined\nWorkspace dev is running" in genba.out)
            assert await genba.process.wait() == 0
        assert builds_of(gateway, workspace.id) == []


@pytest.mark.parametrize("command", ["stop", "restart"])
async def test_stopping_joins_a_stop_that_runs(tmp_path: Path, command: str) -> None:
    build = make_build(transition="stop", status="stopping", job=make_job(status="running"))
    async with running_cli_gateway() as gateway:
        workspace = gateway.add_workspace(make_workspace(latest_build=build))
        async with running_genba(command, "dev", folder=tmp_path, env=session(gateway)) as genba:
            await gateway.wait_for(lambda: gateway.open_streams == 1)
            gateway.say(build.id, "joined")
            gateway.set_job(build.id, "succeeded")
            await genba.wait_until(lambda: "joined\nWorkspace dev is stopped (build 1)" in genba.out)
            assert await genba.process.wait() == 0
        then = ["start"] if command == "restart" else []
        assert [one["transition"] for one in builds_of(gateway, workspace.id)] == then


@pytest.mark.parametrize("command", ["start", "update"])
@pytest.mark.parametrize("end", ["succeeded", "failed"])
async def test_starting_waits_for_a_stop_that_runs(tmp_path: Path, command: str, end: str) -> None:
    build = make_build(transition="stop", status="stopping", job=make_job(status="running"))
    async with running_cli_gateway() as gateway:
        workspace = gateway.add_workspace(make_workspace(latest_build=build, outdated=True))
        async with running_genba(command, "dev", folder=tmp_path, env=session(gateway)) as genba:
            await gateway.wait_for(lambda: gateway.open_streams == 1)
            assert builds_of(gateway, workspace.id) == []
            gateway.set_job(build.id, end, error="broken" if end == "failed" else "")
            await genba.wait_until(lambda: "Workspace dev is running (build 2)" in genba.out)
            assert await genba.process.wait() == 0
        assert [one["transition"] for one in builds_of(gateway, workspace.id)] == ["start"]


async def test_a_stop_that_failed_is_tried_again(tmp_path: Path) -> None:
    build = make_build(transition="stop", status="failed", job=make_job(status="failed"))
    async with running_cli_gateway() as gateway:
        workspace = gateway.add_workspace(make_workspace(latest_build=build))
        assert (await run_genba("stop", "dev", folder=tmp_path, env=session(gateway))).code == 0
        assert builds_of(gateway, workspace.id) == [{"transition": "stop"}]


async def test_the_place_in_the_queue_is_printed_when_it_changes(tmp_path: Path) -> None:
    build = make_build(status="pending", job=make_job(status="pending", queue_position=2, queue_size=5))
    async with running_cli_gateway() as gateway:
        gateway.add_workspace(make_workspace(latest_build=build))
        async with running_genba("start", "dev", folder=tmp_path, env=session(gateway)) as genba:
            await genba.wait_until(lambda: genba.out == "queued 2 of 5\n")
            gateway.set_job(build.id, "pending", queue_position=1, queue_size=4)
            await genba.wait_until(lambda: genba.out == "queued 2 of 5\nqueued 1 of 4\n")
            gateway.say(build.id, "goes")
            gateway.set_job(build.id, "succeeded")
            assert await genba.process.wait() == 0


async def test_a_terminal_shows_the_queue_the_stage_and_the_seconds(tmp_path: Path) -> None:
    build = make_build(status="pending", job=make_job(status="pending", queue_position=2, queue_size=5))
    async with running_cli_gateway() as gateway:
        gateway.add_workspace(make_workspace(latest_build=build))
        async with genba_on_terminal("start", "dev", folder=tmp_path, env=session(gateway)) as terminal:
            await terminal.see("queued 2 of 5")
            gateway.set_job(build.id, "running")
            gateway.say(build.id, "host: Creating...")
            await terminal.see("Starting workspace · host: Creating...")
            await terminal.see(" s · ")
            gateway.set_job(build.id, "failed", error="no more disk")
            await terminal.see("error: Build 1 of dev (start) failed: no more disk")
            assert await terminal.end() == 1
            # The live line is gone, so the log's end is shown.
            await terminal.see("==> Starting workspace\r\nhost: Creating...\r\n")


async def test_a_failed_build_says_why_and_what_to_try(tmp_path: Path) -> None:
    async with running_cli_gateway(finishes_builds=False) as gateway:
        workspace = gateway.add_workspace(make_workspace())
        async with running_genba("delete", "-y", "dev", folder=tmp_path, env=session(gateway)) as genba:
            await gateway.wait_for(lambda: gateway.open_streams == 1)
            gateway.set_job(gateway.workspaces[workspace.id].latest_build.id, "failed", error="it is in use")
            assert await genba.process.wait() == 1
            await genba.wait_until(lambda: genba.err.endswith("leaves its resources.\n"))
        assert genba.err == (
            "error: Build 2 of dev (delete) failed: it is in use\n"
            "`genba logs dev --build 2` shows its log; "
            "`genba delete --orphan dev` forgets the workspace and leaves its resources.\n"
        )


async def test_a_build_is_followed_through_an_outage(tmp_path: Path) -> None:
    async with running_cli_gateway(finishes_builds=False) as gateway:
        workspace = gateway.add_workspace(make_workspace())
        async with running_genba("stop", "dev", folder=tmp_path, env=session(gateway)) as genba:
            await genba.wait_until(lambda: "Plan: 1 to add" in genba.out)
            await gateway.stop()
            build = gateway.workspaces[workspace.id].latest_build
            gateway.say(build.id, "went on")
            gateway.set_job(build.id, "succeeded")
            await gateway.start()
            assert await genba.process.wait() == 0
            await genba.wait_until(lambda: "is stopped" in genba.out)
        assert genba.out.splitlines()[1:] == [
            "Plan: 1 to add",
            "==> Starting workspace",
            "went on",
            "Workspace dev is stopped (build 2).",
        ]


async def test_restarting_stops_and_starts_with_values_for_one_build(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        gateway.parameters = [make_parameter(name="size"), make_parameter(name="debug", ephemeral=True)]
        workspace = gateway.add_workspace(make_workspace())
        gateway.build_parameters[workspace.latest_build.id] = [BuildParameter(name="size", value="s")]
        done = await run_genba(
            "restart", "dev", "--ephemeral-parameter", "debug=1", "-y", folder=tmp_path, env=session(gateway)
        )
        assert (done.code, done.err) == (0, "")
        assert builds_of(gateway, workspace.id) == [
            {"transition": "stop"},
            {
                "transition": "start",
                "template_version_id": VERSION_ID,
                "rich_parameter_values": [{"name": "debug", "value": "1"}],
            },
        ]


async def test_wrong_values_are_told_before_a_restart_stops_anything(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        workspace = gateway.add_workspace(make_workspace())
        done = await run_genba("restart", "dev", "--build-option", "x=1", folder=tmp_path, env=session(gateway))
        assert done.code == 2
        assert builds_of(gateway, workspace.id) == []


async def test_updating_starts_the_active_version(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        active = "55555555-5555-4555-8555-555555555555"
        workspace = gateway.add_workspace(make_workspace(outdated=True, template_active_version_id=active))
        done = await run_genba("update", "dev", folder=tmp_path, env=session(gateway))
        assert (done.code, done.err) == (0, "")
        assert builds_of(gateway, workspace.id) == [{"transition": "start", "template_version_id": active}]


async def test_an_update_of_what_is_up_to_date_builds_nothing(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        workspace = gateway.add_workspace(make_workspace())
        done = await run_genba("update", "dev", folder=tmp_path, env=session(gateway))
        assert done.code == 0
        assert builds_of(gateway, workspace.id) == []


@pytest.mark.parametrize(("arguments", "orphan"), [(["--orphan"], {"orphan": True}), (["--orphan=false"], {})])
async def test_deleting_asks_unless_told_not_to(tmp_path: Path, arguments: list[str], orphan: dict[str, bool]) -> None:
    async with running_cli_gateway() as gateway:
        workspace = gateway.add_workspace(make_workspace())
        asked = await run_genba("rm", "dev", folder=tmp_path, env=session(gateway))
        assert (asked.code, "--yes" in asked.err) == (2, True)
        async with genba_on_terminal("rm", "dev", folder=tmp_path, env=session(gateway)) as terminal:
            await terminal.see("[y/N]")
            terminal.type("n\n")
            assert await terminal.end() == 130
        assert builds_of(gateway, workspace.id) == []
        done = await run_genba("rm", "dev", *arguments, "--yes", folder=tmp_path, env=session(gateway))
        assert done.code == 0
        assert done.out.endswith("Workspace dev was deleted.\n")
        assert builds_of(gateway, workspace.id) == [{"transition": "delete", **orphan}]


@pytest.mark.parametrize("arguments", [(), ("--yes", "--orphan")])
async def test_deleting_joins_a_deletion_that_runs(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    build = make_build(transition="delete", status="deleting", job=make_job(status="running"))
    async with running_cli_gateway() as gateway:
        workspace = gateway.add_workspace(make_workspace(latest_build=build))
        async with running_genba("delete", "dev", *arguments, folder=tmp_path, env=session(gateway)) as genba:
            await gateway.wait_for(lambda: gateway.open_streams == 1)
            gateway.set_job(build.id, "succeeded")
            await genba.wait_until(lambda: "Workspace dev was deleted." in genba.out)
            assert await genba.process.wait() == 0
        assert builds_of(gateway, workspace.id) == []


async def test_a_refusal_is_told_in_the_gateways_words(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        gateway.add_workspace(make_workspace())
        gateway.refuse_next = [(409, "Another build is in progress.")]
        done = await run_genba("stop", "dev", folder=tmp_path, env=session(gateway))
        assert (done.code, done.err) == (1, "error: Another build is in progress.\n")
