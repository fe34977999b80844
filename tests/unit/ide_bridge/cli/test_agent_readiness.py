"""From a workspace's name to a connected agent, through the command as people call it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from genba_wire.api.agents import AgentScript, WorkspaceAgent
from genba_wire.api.workspaces import WorkspaceBuild
from tests.support.cli_builders import USER_ID, make_agent, make_build, make_job, make_resource, make_workspace
from tests.support.cli_gateway import CliGateway, running_cli_gateway
from tests.support.cli_process import run_genba, running_genba


def session(gateway: CliGateway) -> dict[str, str]:
    return {"GENBA_URL": gateway.url, "GENBA_SESSION_TOKEN": gateway.token}


def build_with(*agents: WorkspaceAgent, **changes: Any) -> WorkspaceBuild:
    return make_build(resources=[make_resource(list(agents))], **changes)


def set_agent(gateway: CliGateway, agent: WorkspaceAgent) -> None:
    (workspace,) = gateway.workspaces.values()
    build = msgspec.structs.replace(workspace.latest_build, resources=[make_resource([agent])])
    gateway.workspaces[workspace.id] = msgspec.structs.replace(workspace, latest_build=build)
    gateway.changed()


@pytest.mark.parametrize(
    ("build", "said", "hint"),
    [
        (make_build(transition="stop", status="stopped"), "The workspace dev is stopped.", "`genba start dev`"),
        (
            make_build(transition="stop", status="stopping", job=make_job(status="running")),
            "The workspace dev is being stopped.",
            "`genba start dev`",
        ),
        (
            make_build(transition="delete", status="deleting", job=make_job(status="running")),
            "The workspace dev is being deleted.",
            "`genba show dev`",
        ),
        (
            make_build(status="failed", job=make_job(status="failed", error="no disk is left")),
            "failed: no disk is left",
            "`genba start dev`",
        ),
        (make_build(), "has no agent", "coder_agent"),
        (
            build_with(make_agent(name="web"), make_agent(name="db")),
            "several agents: web, db.",
            "`genba terminal dev.web`",
        ),
        (
            build_with(make_agent(status="timeout", status_reason="It did not connect within 120 s.")),
            "is not connected: It did not connect within 120 s.",
            "`genba logs dev`",
        ),
    ],
)
async def test_what_is_not_there_is_explained(tmp_path: Path, build: WorkspaceBuild, said: str, hint: str) -> None:
    async with running_cli_gateway() as gateway:
        gateway.add_workspace(make_workspace(latest_build=build))
        done = await run_genba("terminal", "dev", folder=tmp_path, env=session(gateway))
    assert done.code == 1
    assert done.out == ""
    assert said in done.err
    assert hint in done.err
    assert gateway.tickets == []


async def test_an_agent_that_does_not_exist_is_answered_with_those_that_do(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        gateway.add_workspace(make_workspace(latest_build=build_with(make_agent(name="web"))))
        for arguments in (("dev.cache",), ("dev", "--agent", "cache")):
            done = await run_genba("terminal", *arguments, folder=tmp_path, env=session(gateway))
            assert done.code == 1
            assert 'has no agent "cache"' in done.err
            assert "web" in done.err


async def test_a_build_is_followed_on_stderr(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        gateway.finishes_builds = False
        build = make_build(job=make_job(status="running"), status="starting")
        workspace = gateway.add_workspace(make_workspace(latest_build=build))
        build_id = workspace.latest_build.id
        async with running_genba("terminal", "dev", folder=tmp_path, env=session(gateway)) as genba:
            gateway.say(build_id, "creating the disk")
            await genba.wait_until(lambda: "creating the disk" in genba.err)
            gateway.set_job(build_id, "failed", error="the disk burns")
            await genba.wait_until(lambda: "the disk burns" in genba.err)
            assert await genba.process.wait() == 1
        assert genba.out == ""


async def test_an_agent_that_connects_is_waited_for_with_one_line(tmp_path: Path) -> None:
    agent = make_agent(status="connecting", lifecycle_state="created")
    async with running_cli_gateway() as gateway:
        gateway.add_workspace(make_workspace(latest_build=build_with(agent)))
        async with running_genba("terminal", "dev", folder=tmp_path, env=session(gateway)) as genba:
            await genba.wait_until(lambda: "Waiting for the agent main of dev to connect" in genba.err)
            assert gateway.tickets == []
            set_agent(gateway, msgspec.structs.replace(agent, status="connected"))
            await gateway.wait_for(lambda: len(gateway.tickets) > 0)
    assert genba.err.count("Waiting for the agent") == 1


async def test_a_workspace_that_is_stopped_meanwhile_is_not_waited_for(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        workspace = gateway.add_workspace(make_workspace(latest_build=build_with(make_agent(status="connecting"))))
        async with running_genba("terminal", "dev", folder=tmp_path, env=session(gateway)) as genba:
            await genba.wait_until(lambda: "Waiting for the agent" in genba.err)
            gateway.add_build(workspace.id, transition="stop")
            assert await genba.process.wait() == 1
            await genba.wait_until(lambda: "The workspace dev is stopped." in genba.err)


async def test_an_agent_that_does_not_connect_in_its_time_is_given_up(tmp_path: Path) -> None:
    agent = make_agent(status="connecting", connection_timeout_seconds=1, troubleshooting_url="https://help.example")
    async with running_cli_gateway() as gateway:
        gateway.add_workspace(make_workspace(latest_build=build_with(agent)))
        done = await run_genba("terminal", "dev", folder=tmp_path, env=session(gateway))
    assert done.code == 1
    assert "is not connected: it is connecting." in done.err
    assert "https://help.example" in done.err


def script(name: str, *, blocks: bool) -> AgentScript:
    return AgentScript(
        id=USER_ID,
        log_source_id=USER_ID,
        log_path="",
        script="true",
        cron="",
        run_on_start=True,
        run_on_stop=False,
        start_blocks_login=blocks,
        timeout=0,
        display_name=name,
    )


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("starting", "Scripts of dev are still running (Dotfiles)"),
        ("start_error", "A startup script of dev failed"),
        ("start_timeout", "A startup script of dev took too long"),
        ("ready", ""),
    ],
)
async def test_scripts_that_are_not_done_are_named(tmp_path: Path, state: str, said: str) -> None:
    scripts = [script("Dotfiles", blocks=True), script("Cache", blocks=False)]
    agent = make_agent(lifecycle_state=state, scripts=scripts)
    async with running_cli_gateway() as gateway:
        gateway.add_workspace(make_workspace(latest_build=build_with(agent)))
        async with running_genba("terminal", "dev", folder=tmp_path, env=session(gateway)) as genba:
            await gateway.wait_for(lambda: len(gateway.tickets) > 0)
            await genba.wait_until(lambda: said in genba.err)
    assert "Cache" not in genba.err
    assert bool(said) == ("script" in genba.err.lower())


async def test_a_terminal_id_that_is_none_and_a_command_with_one_are_refused(tmp_path: Path) -> None:
    env = {"GENBA_URL": "http://127.0.0.1:9", "GENBA_SESSION_TOKEN": "x"}
    wrong = await run_genba("terminal", "dev", "--reconnect", "nonsense", folder=tmp_path, env=env)
    assert wrong.code == 2
    assert "is not the id of a terminal" in wrong.err
    both = await run_genba("terminal", "dev", "--reconnect", USER_ID, "--", "ls", folder=tmp_path, env=env)
    assert both.code == 2
    assert "takes no command" in both.err
