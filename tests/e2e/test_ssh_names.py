"""Whose workspace a name means to the user's OpenSSH, as `genba config-ssh` sets it up, and that it asks nobody."""

from __future__ import annotations

import asyncio
import shlex
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.host_template import host_template
from tests.support.real_cli import Finished, RealCli
from tests.support.real_gateway import CEILING_S, RealGateway, clean_environment

GENBA = (sys.executable, "-m", "genba_ide_bridge")


@dataclass
class Desk:
    """A user with ssh's configuration, and a workspace `demo` of that user."""

    gateway: RealGateway
    template: dict[str, Any]
    workspace: dict[str, Any]
    cli: RealCli
    config: Path

    async def ssh(self, *words: str) -> Finished:
        process = await asyncio.create_subprocess_exec(
            *("ssh", "-F", str(self.config), "-o", "BatchMode=yes", *words),
            env=self.cli.environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(CEILING_S):
            out, err = await process.communicate()
        return Finished(process.returncode or 0, out.decode(), err.decode())

    async def replace_authority(self) -> str:
        """Run the operator's command, beside the gateway; returns what it said."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "genba_gateway", "replace-ssh-authority"),
            *("--data-dir", str(self.gateway.folder / "data")),
            env=clean_environment(),
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await process.communicate()
        assert process.returncode == 0
        return out.decode()

    @property
    def known_hosts(self) -> Path:
        return self.config.parent / "cli" / "known_hosts"

    @property
    def agent_folder(self) -> Path:
        return self.gateway.folder / "data" / "hosts" / str(self.workspace["id"])


@asynccontextmanager
async def desk(folder: Path) -> AsyncGenerator[Desk]:
    async with RealGateway(folder / "gateway") as gateway:
        await gateway.sign_in()
        template = await gateway.push_template("host", host_template())
        workspace = await start_workspace(gateway, template)
        here = Desk(gateway, template, workspace, RealCli(folder / "cli", gateway), folder / "ssh_config")
        await here.cli.run("config-ssh", "--yes", "--ssh-config-file", str(here.config))
        yield here
        for each in (await gateway.fetch("GET", "/api/v2/workspaces"))["workspaces"]:
            await gateway.build(each["id"], "delete")


async def start_workspace(gateway: RealGateway, template: dict[str, Any], owner: str = "me") -> dict[str, Any]:
    body = {"name": "demo", "template_id": template["id"]}
    workspace: dict[str, Any] = await gateway.fetch("POST", f"/api/v2/users/{owner}/workspaces", body)
    await gateway.wait_for_build(workspace["latest_build"]["id"])
    await gateway.wait_for_agent(workspace["id"])
    return workspace


async def test_another_users_workspace_of_the_same_name_is_refused(short_dir: Path) -> None:
    async with desk(short_dir) as here:
        bob = {"username": "bob", "email": "bob@example.com", "login_type": "none", "password": ""}
        await here.gateway.fetch("POST", "/api/v2/users", bob)
        await start_workspace(here.gateway, here.template, owner="bob")
        whose = 'basename "$(dirname "$HOME")"'
        mine = (await here.ssh("genba.demo", whose)).out
        assert mine.strip() == here.workspace["id"]
        for name in ("genba.demo.main", "demo.genba", "main.demo.genba", "genba.admin--demo", "main.demo.admin.genba"):
            assert await here.ssh(name, whose) == Finished(0, mine, ""), name
        bobs = await here.ssh("genba.bob--demo.main", whose)
        assert (bobs.code, bobs.err) == (0, "")
        assert bobs.out != mine
        # A relay that lies: the bytes are those of bob's agent, whatever was asked for.
        lie = f"ProxyCommand={shlex.join(GENBA)} ssh --stdio bob/demo"
        assert (await here.ssh("-o", lie, "genba.bob--demo", "true")).code == 0
        for name in ("genba.demo", "genba.demo.main", "demo.genba", "main.demo.genba", "main.demo.admin.genba"):
            refused = await here.ssh("-o", lie, "-o", "LogLevel=INFO", name, "true")
            assert refused.code == 255, name
            assert "name is not a listed principal" in refused.err
        assert "Host key verification failed" in refused.err


@pytest.mark.parametrize("times", [3, pytest.param(10, marks=[pytest.mark.soak, pytest.mark.timeout(900)])])
async def test_rebuilds_prompt_for_nothing_and_warn_of_nothing(short_dir: Path, times: int) -> None:
    async with desk(short_dir) as here:
        keys: set[str] = set()
        for number in range(times):
            await here.gateway.build(here.workspace["id"], "stop")
            # As on a machine that is made anew.
            (key,) = await asyncio.to_thread(lambda: list(here.agent_folder.rglob("ssh_host_ed25519_key")))
            keys.add(await asyncio.to_thread(key.read_text))
            await asyncio.to_thread(key.unlink)
            await here.gateway.build(here.workspace["id"], "start")
            # At once: it waits for the agent by itself.
            done = await here.ssh("genba.demo", f"echo {number}")
            assert (done.code, done.out) == (0, f"{number}\n"), done
            assert [line for line in done.err.splitlines() if not line.startswith("Waiting for the agent")] == []
        assert len(keys) == times


async def test_another_authority_takes_over_when_the_former_may_have_leaked(short_dir: Path) -> None:
    async with desk(short_dir) as here:
        assert (await here.ssh("genba.demo", "true")).code == 0
        before = await asyncio.to_thread(here.known_hosts.read_text)
        said = await here.replace_authority()
        assert "ssh-ed25519 " in said
        await here.gateway.stop()
        await here.gateway.start()
        await here.gateway.wait_for_agent(here.workspace["id"])
        # The agent has a certificate of the new one alone, as soon as it is connected again.
        async with asyncio.timeout(CEILING_S):
            while (refused := await here.ssh("genba.demo", "true")).code == 0:
                pass
        assert "Host key verification failed" in refused.err
        await here.cli.run("config-ssh", "--yes", "--ssh-config-file", str(here.config))
        assert await here.ssh("genba.demo", "true") == Finished(0, "", "")
        after = await asyncio.to_thread(here.known_hosts.read_text)
        assert after.split()[-1] in said
        assert before.split()[-1] not in after
