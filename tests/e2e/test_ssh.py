"""The user's OpenSSH in a workspace: `genba ssh`, and `genba ssh --stdio` behind ssh's own configuration."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shlex
import sys
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.support.host_template import host_template, script
from tests.support.real_cli import Finished, RealCli
from tests.support.real_gateway import CEILING_S, RealGateway
from tests.support.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

World = tuple[RealGateway, dict[str, Any]]

MIB = 1024 * 1024


@dataclass
class Desk:
    """A workspace `demo`, and a user with ssh's configuration for it."""

    gateway: RealGateway
    workspace: dict[str, Any]
    cli: RealCli
    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "ssh_config"

    async def configure(self, *flags: str) -> None:
        """Write ssh's configuration, and get the authority for host keys as `genba ssh` does."""
        genba = shlex.join([sys.executable, "-m", "genba_ide_bridge"])
        await asyncio.to_thread(
            self.config.write_text,
            f"Host genba.* !genba.*--*\n"
            f"  HostName %h._of.admin\n"
            f"Host genba.*\n"
            f"  ProxyCommand {genba} ssh --stdio {shlex.join(flags)} --ssh-host-prefix genba. %h\n"
            f"  UserKnownHostsFile {self.folder}/cli/known_hosts\n"
            f"  StrictHostKeyChecking yes\n"
            f"  ServerAliveInterval 0\n",
        )

    async def start(self, *words: str) -> asyncio.subprocess.Process:
        """Start ssh with that configuration; the caller ends it."""
        return await asyncio.create_subprocess_exec(
            *("ssh", "-F", str(self.config), *words),
            env=self.cli.environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def ssh(self, *words: str, stdin: bytes = b"") -> Finished:
        process = await self.start(*words)
        async with asyncio.timeout(CEILING_S):
            out, err = await process.communicate(stdin)
        return Finished(process.returncode or 0, out.decode(), err.decode())


@asynccontextmanager
async def world(folder: Path, **scripts: str) -> AsyncGenerator[World]:
    """A gateway and its workspace `demo`."""
    async with RealGateway(folder / "gateway") as gateway:
        await gateway.sign_in()
        template = await gateway.push_template("host", host_template(**scripts))
        workspace = await gateway.create_workspace("demo", template["id"])
        await gateway.wait_for_build(workspace["latest_build"]["id"])
        yield gateway, workspace
        deleted = await gateway.build(workspace["id"], "delete")
        assert deleted["job"]["status"] == "succeeded"


async def make_desk(world: World, folder: Path) -> Desk:
    """A user who is new to ssh here."""
    gateway, workspace = world
    here = Desk(gateway, workspace, RealCli(folder / "cli", gateway), folder)
    await here.configure()
    return here


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared() -> AsyncGenerator[World]:
    """One for all whose workspace runs."""
    with tempfile.TemporaryDirectory(prefix="g-", dir="/tmp") as folder:
        async with world(Path(folder)) as made:
            yield made


@pytest_asyncio.fixture(loop_scope="module")
async def here(shared: World, short_dir: Path) -> AsyncGenerator[Desk]:
    """A new desk in front of it; tests leave the gateway and the workspace running."""
    gateway, _ = shared
    yield await make_desk(shared, short_dir)
    assert gateway.process is not None
    if gateway.process.returncode is not None:
        await gateway.start()


async def test_ssh_runs_programs_and_passes_their_codes_on(here: Desk) -> None:
    # The first call writes down whose host keys to believe.
    first = await here.cli.run("ssh", "demo", "--", "echo $((40+2)); exit 7", expect=7)
    assert first.out == "42\n"
    assert await here.ssh("genba.demo", "true") == Finished(0, "", "")
    assert (await here.ssh("genba.admin--demo.main", "exit 3")).code == 3
    piped = await here.ssh("genba.demo", "cat; kill -9 $$", stdin=b"through\0and\xc3\xa9back")
    assert (piped.code, piped.out) == (255, "through\0and\u00e9back")
    env = await here.cli.run("ssh", "-e", "A=b c", "-e", 'Q="', "demo", "--", 'printf %s-%s "$A" "$Q"')
    assert env.out == 'b c-"'


async def test_another_authority_for_host_keys_is_not_believed(here: Desk) -> None:
    await here.cli.run("ssh", "demo", "--", "true")
    known_hosts = here.folder / "cli" / "known_hosts"
    await asyncio.to_thread(known_hosts.write_text, "")
    refused = await here.ssh("genba.demo", "true")
    assert refused.code == 255
    assert "Host key verification failed" in refused.err


async def test_a_stopped_workspace_is_started_and_blocking_scripts_are_waited_for(short_dir: Path) -> None:
    slow = script("tools", 'while ! test -e "$HOME/go"; do sleep 0.05; done; echo the tools are there', blocks=True)
    async with world(short_dir, tools=slow) as made:
        here = await make_desk(made, short_dir)
        home = here.gateway.folder / "data" / "hosts" / here.workspace["id"] / "home"
        await asyncio.to_thread((home / "go").write_text, "")
        await here.gateway.wait_for_agent(here.workspace["id"])
        await here.cli.run("ssh", "demo", "--", "true")
        await here.gateway.build(here.workspace["id"], "stop")
        await here.configure("--disable-autostart")
        refused = await here.ssh("genba.demo", "true")
        assert refused.code == 255
        assert "The workspace admin/demo is stopped.\n`genba start admin/demo` starts it." in refused.err
        await here.configure()
        await asyncio.to_thread((home / "go").unlink)
        process = await here.start("genba.demo", "echo inside")
        assert process.stderr is not None
        said = b""
        async with asyncio.timeout(CEILING_S):
            while b"Waiting until the start scripts of admin/demo are done" not in said:
                said += await process.stderr.readline()
            await asyncio.to_thread((home / "go").write_text, "")
            out, rest = await process.communicate()
        assert (process.returncode, out) == (0, b"inside\n"), rest
        assert b"The workspace admin/demo is stopped; starting it." in said
        assert b"the tools are there" in rest


async def test_a_session_outlives_the_gateway_and_loses_no_byte(here: Desk) -> None:
    content = os.urandom(16 * MIB)
    await here.cli.run("ssh", "demo", "--", "true")
    shell = await here.start("genba.demo", "echo $$; while read -r word; do echo $word $$; done")
    bulk = await here.start("genba.demo", "echo there; sha256sum")
    assert shell.stdin is not None
    assert shell.stdout is not None
    assert bulk.stdout is not None
    async with asyncio.timeout(2 * CEILING_S):
        pid = (await shell.stdout.readline()).strip()
        # A first connection gives up soon when there is no gateway.
        assert await bulk.stdout.readline() == b"there\n"
        async with asyncio.TaskGroup() as group:
            sum_of = group.create_task(bulk.communicate(content))
            for round_ in range(3):
                await here.gateway.kill()
                shell.stdin.write(b"while-away-%d\n" % round_)
                await here.gateway.start()
                assert await shell.stdout.readline() == b"while-away-%d %s\n" % (round_, pid)
        shell.stdin.close()
        assert await shell.wait() == 0
    assert sum_of.result()[0].split()[0].decode() == hashlib.sha256(content).hexdigest()


async def test_editors_see_how_the_connection_is(here: Desk) -> None:
    await here.cli.run("ssh", "demo", "--", "true")
    net, logs = here.folder / "net", here.folder / "logs"
    await here.configure("--network-info-dir", str(net), "--log-dir", str(logs), "--usage-app=vscode", "-v")
    process = await here.start("genba.demo", "echo begun; cat")
    assert process.stdin is not None
    assert process.stdout is not None
    path = net / f"{process.pid}.json"
    async with asyncio.timeout(CEILING_S):
        assert await process.stdout.readline() == b"begun\n"
    await eventually(path.exists)
    info = json.loads(await asyncio.to_thread(path.read_text))
    assert info["p2p"] is False
    assert info["latency"] > 0
    assert info["preferred_derp"] == "127.0.0.1"
    process.stdin.close()
    async with asyncio.timeout(CEILING_S):
        assert await process.wait() == 0
    assert not await asyncio.to_thread(path.exists)
    (log,) = await asyncio.to_thread(os.listdir, logs)
    assert log.endswith(f"-{process.pid}.log")


async def test_the_stop_of_the_workspace_ends_a_session_with_its_reason(here: Desk) -> None:
    await here.cli.run("ssh", "demo", "--", "true")
    process = await here.start("genba.demo", "echo begun; sleep 1000")
    assert process.stdout is not None
    async with asyncio.timeout(CEILING_S):
        assert await process.stdout.readline() == b"begun\n"
        await here.gateway.build(here.workspace["id"], "stop")
        _, err = await process.communicate()
    assert process.returncode == 255
    # The agent said so over SSH, before it ended.
    assert b"The workspace is stopping" in err
    await here.gateway.build(here.workspace["id"], "start")
