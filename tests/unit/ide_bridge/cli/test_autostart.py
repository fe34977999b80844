"""A stopped workspace on the way to a session in it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.support.cli_builders import make_agent, make_build, make_resource, make_workspace
from tests.support.cli_gateway import CliGateway, running_cli_gateway
from tests.support.cli_process import run_genba, running_genba


def session(gateway: CliGateway) -> dict[str, str]:
    return {"GENBA_URL": gateway.url, "GENBA_SESSION_TOKEN": gateway.token}


OLD_VERSION = "99999999-9999-4999-8999-999999999999"


def add_workspace(gateway: CliGateway, **changes: Any) -> str:
    """A workspace `dev` that runs, unless the build's changes say otherwise; returns its id."""
    build = make_build(resources=[make_resource([make_agent()])], **changes)
    workspace = gateway.add_workspace(make_workspace(latest_build=build))
    return workspace.id


def builds_of(gateway: CliGateway, workspace_id: str) -> list[dict[str, Any]]:
    return [one.json() for one in gateway.requests_of("POST", f"/workspaces/{workspace_id}/builds")]


async def test_a_stopped_workspace_is_started_with_what_it_had(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        gateway.finishes_builds = False
        workspace_id = add_workspace(gateway, transition="stop", status="stopped")
        async with running_genba("ssh", "--stdio", "dev", folder=tmp_path, env=session(gateway)) as genba:
            await genba.wait_until(lambda: "Plan: 1 to add\n" in genba.err)
            assert genba.err.startswith("The workspace dev is stopped; starting it.\n")
            assert "==> Planning infrastructure\n" in genba.err
            (request,) = builds_of(gateway, workspace_id)
            gateway.set_job(gateway.workspaces[workspace_id].latest_build.id, "failed", error="the disk burns")
            await genba.wait_until(lambda: "failed: the disk burns" in genba.err)
            assert await genba.process.wait() == 1
    assert request["transition"] == "start"
    assert "rich_parameter_values" not in request
    assert genba.out == ""


async def test_a_workspace_that_is_being_stopped_is_started_after_that(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        workspace_id = add_workspace(gateway)
        stopping = gateway.add_build(workspace_id, transition="stop", status="stopping")
        gateway.set_job(stopping.id, "running")
        async with running_genba("ssh", "--stdio", "dev", folder=tmp_path, env=session(gateway)) as genba:
            gateway.say(stopping.id, "removing the disk")
            await genba.wait_until(lambda: "removing the disk" in genba.err)
            assert builds_of(gateway, workspace_id) == []
            gateway.set_job(stopping.id, "succeeded")
            await gateway.wait_for(lambda: len(builds_of(gateway, workspace_id)) == 1)


@pytest.mark.parametrize("arguments", [("--disable-autostart",), ("--disable-autostart=true",)])
async def test_without_autostart_a_stopped_workspace_is_an_error_with_the_command(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    async with running_cli_gateway() as gateway:
        workspace_id = add_workspace(gateway, transition="stop", status="stopped")
        done = await run_genba("ssh", "--stdio", *arguments, "dev", folder=tmp_path, env=session(gateway))
        assert builds_of(gateway, workspace_id) == []
    assert (done.code, done.out) == (1, "")
    assert done.err == "error: The workspace dev is stopped.\n`genba start dev` starts it.\n"


async def test_a_dormant_workspace_is_not_woken(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        workspace_id = add_workspace(gateway, transition="stop", status="stopped")
        workspace = gateway.workspaces[workspace_id]
        gateway.workspaces[workspace_id] = msgspec.structs.replace(
            workspace, dormant_at=datetime(2026, 3, 4, tzinfo=UTC)
        )
        done = await run_genba("ssh", "--stdio", "dev", folder=tmp_path, env=session(gateway))
        assert builds_of(gateway, workspace_id) == []
    assert "is dormant since 2026-03-04" in done.err
    assert "`genba start dev` wakes and starts it." in done.err


@pytest.mark.parametrize(
    ("status", "builds", "said"),
    [
        (400, 1, "could not be started: The parameter is missing."),
        (403, 2, ""),
        (409, 1, ""),
    ],
)
async def test_refusals_of_a_start(tmp_path: Path, status: int, builds: int, said: str) -> None:
    async with running_cli_gateway() as gateway:
        workspace_id = add_workspace(gateway, transition="stop", status="stopped", template_version_id=OLD_VERSION)
        gateway.refuse_builds = [(status, "The parameter is missing.")]
        done = await run_genba("ssh", "--stdio", "dev", folder=tmp_path, env=session(gateway))
        requests = builds_of(gateway, workspace_id)
        assert len(requests) == builds
        if status == 403:
            active = gateway.workspaces[workspace_id].template_active_version_id
            assert [one["template_version_id"] for one in requests] == [OLD_VERSION, active]
    assert said in done.err
    assert not said or "`genba start dev` tells more" in done.err
