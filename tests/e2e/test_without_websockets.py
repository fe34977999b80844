"""Sessions where a proxy lets no websocket through: before the client, before the agent, and before both."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli_process import GENBA, genba_on_terminal, run_genba
from tests.support.real_cli import RealCli
from tests.support.real_gateway import RealGateway, free_port, read_starter
from tests.support.refusing_proxy import Manner, RefusingProxy, refusing_proxy

MIB = 1024 * 1024
NOTICE = "Connections go over HTTP requests, which is slower: websockets don't pass, as "


@dataclass
class Desk:
    """A running workspace `demo`, and the proxies before the client and the agent."""

    gateway: RealGateway
    workspace: dict[str, Any]
    before_client: RefusingProxy
    before_agent: RefusingProxy
    folder: Path

    @property
    def session(self) -> dict[str, str]:
        return {"GENBA_URL": self.before_client.url, "GENBA_SESSION_TOKEN": self.gateway.token}


@asynccontextmanager
async def desk(folder: Path, client: Manner, agent: Manner) -> AsyncGenerator[Desk]:
    port = free_port()
    async with AsyncExitStack() as stack:
        target = f"http://127.0.0.1:{port}"
        before_client = await stack.enter_async_context(refusing_proxy(target, client))
        before_agent = await stack.enter_async_context(refusing_proxy(target, agent))
        gateway = await stack.enter_async_context(
            RealGateway(folder / "gateway", "--access-url", before_agent.url, port=port)
        )
        await gateway.sign_in()
        template = await gateway.push_template("host", read_starter("host"))
        workspace = await gateway.create_workspace("demo", template["id"])
        await gateway.wait_for_build(workspace["latest_build"]["id"])
        await gateway.wait_for_agent(workspace["id"])
        yield Desk(gateway, workspace, before_client, before_agent, folder)
        deleted = await gateway.build(workspace["id"], "delete")
        assert deleted["job"]["status"] == "succeeded"


async def through_ssh(here: Desk, data: bytes) -> tuple[bytes, str]:
    """Send bytes into the workspace and back, over the user's own OpenSSH; what came, and what was said."""
    environment = {**RealCli(here.folder / "cli", here.gateway).environment, **here.session}
    process = await asyncio.create_subprocess_exec(
        *(*GENBA, "ssh", "demo", "--", "cat"),
        env=environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(120):
        out, err = await process.communicate(data)
    return out, err.decode()


@pytest.mark.parametrize(
    ("client", "agent"),
    [
        (Manner.REFUSES, Manner.PASSES),
        (Manner.PASSES, Manner.STRIPS),
        (Manner.STRIPS, Manner.REFUSES),
    ],
)
async def test_sessions_work_where_websockets_are_refused(short_dir: Path, client: Manner, agent: Manner) -> None:
    async with desk(short_dir, client, agent) as here:
        data = os.urandom(8 * MIB)
        came, said = await through_ssh(here, data)
        assert hashlib.sha256(came).digest() == hashlib.sha256(data).digest(), said
        assert said.count(NOTICE) == (client is not Manner.PASSES)
        assert here.before_client.upgrades
        assert here.before_agent.upgrades

        done = await run_genba("ping", "demo", "-n", "2", "--wait", "10ms", folder=short_dir, env=here.session)
        assert (done.code, done.out.count("pong from demo.main")) == (0, 2), done.err
        assert done.out.count("over HTTP requests in ") == 2 * (client is not Manner.PASSES)

        async with genba_on_terminal("terminal", "demo", folder=short_dir, env=here.session) as screen:
            screen.type("known=50; echo sum-$((40+2))\r")
            await screen.see("sum-42")
            cut = await here.before_client.cut() + await here.before_agent.cut()
            assert cut >= 2
            screen.type("echo sum-$((known+3))\r")
            await screen.see("sum-53")
            screen.type("exit 3\r")
            assert await screen.end() == 3


async def test_builds_are_followed_where_websockets_are_refused(short_dir: Path) -> None:
    async with desk(short_dir, Manner.STRIPS, Manner.REFUSES) as here:
        done = await run_genba("restart", "demo", "--yes", folder=short_dir, env=here.session)
        assert done.code == 0, done.err
        assert done.err.count(NOTICE + "their Upgrade header gets lost on the way.") == 1
        assert "Starting workspace" in done.out + done.err
