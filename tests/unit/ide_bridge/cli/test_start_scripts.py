"""Waiting for the scripts that prepare a workspace."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from genba_wire.api.agents import WorkspaceAgent
from tests.support.cli_builders import make_agent, make_build, make_resource, make_script, make_workspace
from tests.support.cli_gateway import CliGateway, running_cli_gateway
from tests.support.cli_process import running_genba


def session(gateway: CliGateway, **more: str) -> dict[str, str]:
    return {"GENBA_URL": gateway.url, "GENBA_SESSION_TOKEN": gateway.token, **more}


def add_workspace(gateway: CliGateway, agent: WorkspaceAgent) -> None:
    gateway.add_workspace(make_workspace(latest_build=make_build(resources=[make_resource([agent])])))


async def test_blocking_scripts_are_waited_for_with_their_log(tmp_path: Path) -> None:
    agent = make_agent(
        lifecycle_state="starting", scripts=[make_script(display_name="Dotfiles", start_blocks_login=True)]
    )
    async with running_cli_gateway() as gateway:
        add_workspace(gateway, agent)
        async with running_genba("ssh", "--stdio", "dev", folder=tmp_path, env=session(gateway)) as genba:
            await genba.wait_until(lambda: "start scripts of dev are done (Dotfiles); --wait=no" in genba.err)
            gateway.say_as_agent(agent.id, "cloning your dotfiles")
            await genba.wait_until(lambda: "cloning your dotfiles" in genba.err)
            assert gateway.tickets == []
            gateway.agents[agent.id] = msgspec.structs.replace(agent, lifecycle_state="start_error")
            await gateway.wait_for(lambda: len(gateway.tickets) > 0)
            await genba.wait_until(lambda: "A startup script of dev failed" in genba.err)
        assert genba.out == ""


@pytest.mark.parametrize(
    ("arguments", "env", "blocks", "waits"),
    [
        ((), {}, False, False),
        (("--wait=no",), {}, True, False),
        (("--no-wait",), {}, True, False),
        ((), {"CODER_SSH_NO_WAIT": "true"}, True, False),
        (("--wait", "yes"), {}, False, True),
        ((), {"GENBA_SSH_WAIT": "yes"}, False, True),
    ],
)
async def test_flags_say_whether_scripts_are_waited_for(
    tmp_path: Path, arguments: tuple[str, ...], env: dict[str, str], blocks: bool, waits: bool
) -> None:
    agent = make_agent(lifecycle_state="starting", scripts=[make_script(start_blocks_login=blocks)])
    async with running_cli_gateway() as gateway:
        add_workspace(gateway, agent)
        call = running_genba("ssh", "--stdio", *arguments, "dev", folder=tmp_path, env=session(gateway, **env))
        async with call as genba:
            if waits:
                await genba.wait_until(lambda: "Waiting until the start scripts" in genba.err)
                assert gateway.tickets == []
            else:
                await gateway.wait_for(lambda: len(gateway.tickets) > 0)
                assert "Waiting until" not in genba.err
