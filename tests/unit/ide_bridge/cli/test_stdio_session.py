"""OpenSSH's bytes between descriptors and an agent, as `genba ssh --stdio` carries them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from genba_ide_bridge.api.calls import Calls
from genba_ide_bridge.api.client import GatewayClient
from genba_ide_bridge.cli.agent_readiness import Wish
from genba_ide_bridge.cli.stdio_session import StdioOptions, carry, name_way
from genba_ide_bridge.cli.targets import WorkspaceTarget
from genba_wire.aio.carrier_ways import WebsocketUse
from genba_wire.aio.transport import Transport, TransportOptions
from genba_wire.errors import GatewayRefused, GatewayUnreachable
from genba_wire.tunnel.mux_frames import ResetCode
from tests.support.byte_agent import ByteStage, Pipes, byte_stage, pipes
from tests.support.carriers import CEILING_S
from tests.support.waiting import eventually

NO_USAGE = StdioOptions(usage_app="disable")


@asynccontextmanager
async def carrying(
    options: StdioOptions = NO_USAGE, deadline: datetime | None = None
) -> AsyncGenerator[tuple[ByteStage, Pipes, asyncio.Task[int]]]:
    async with byte_stage() as stage, pipes() as ends, asyncio.TaskGroup() as group:
        workspace = await stage.client.workspaces.get_workspace("me", "dev")
        build = msgspec.structs.replace(workspace.latest_build, deadline=deadline)
        workspace = msgspec.structs.replace(workspace, latest_build=build)
        session = carry(
            stage.client,
            WorkspaceTarget("me", "dev"),
            workspace,
            Wish(command="ssh"),
            options,
            lambda: (ends.source, ends.target),
        )
        task = group.create_task(session)
        yield stage, ends, task
        task.cancel()


async def ending(task: asyncio.Task[int]) -> int:
    async with asyncio.timeout(CEILING_S):
        return await task


async def test_a_session_that_both_ends_close_is_a_success(capsys: pytest.CaptureFixture[str]) -> None:
    async with carrying() as (stage, ends, task):
        far = await stage.hearer()
        ends.write(b"there")
        await far.until(lambda: far.data == b"there")
        far.stream.write(b"back")
        assert await ends.read(4) == b"back"
        ends.end_input()
        await far.wait_finished()
        far.stream.finish()
        assert await ending(task) == 0
    assert capsys.readouterr() == ("", "")


async def test_an_end_with_a_reason_is_told_with_ssh_s_own_code(capsys: pytest.CaptureFixture[str]) -> None:
    async with carrying() as (stage, _, task):
        far = await stage.hearer()
        far.stream.reset(ResetCode.FAILED, "The SSH server broke.")
        assert await ending(task) == 255
    assert capsys.readouterr() == ("", "error: The agent broke the session off: The SSH server broke.\n")


async def test_the_reason_is_told_while_ssh_still_listens(capsys: pytest.CaptureFixture[str]) -> None:
    # Whose end of the pipe is closed ends its ProxyCommand at once, by SIGHUP.
    async with carrying() as (stage, ends, task):
        far = await stage.hearer()
        far.stream.reset(ResetCode.FAILED, "The SSH server broke.")
        assert await ends.read(1) == b""
        assert "The SSH server broke." in capsys.readouterr().err
        os.kill(os.getpid(), signal.SIGHUP)
        assert await ending(task) == 255


async def test_a_restarted_workspace_is_told_with_the_way_back(capsys: pytest.CaptureFixture[str]) -> None:
    async with carrying() as (stage, _, task):
        await stage.hearer()
        stage.gateway.add_build(stage.address.workspace_id)
        stage.transport.failures = [GatewayRefused(404, "no such agent")]
        stage.transport.lose_carrier()
        assert await ending(task) == 255
    said = capsys.readouterr().err
    assert said == "error: The workspace dev was restarted.\n`genba ssh dev` opens a new session.\n"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGHUP, 129), (signal.SIGTERM, 143)])
async def test_a_signal_ends_it_and_the_agent_hears_at_once(number: signal.Signals, code: int) -> None:
    async with carrying() as (stage, _, task):
        far = await stage.hearer()
        os.kill(os.getpid(), number)
        assert await ending(task) == code
        await far.until(lambda: bool(far.resets))


async def test_ctrl_c_is_left_to_the_ssh_that_is_served() -> None:
    async with carrying() as (stage, ends, task):
        far = await stage.hearer()
        os.kill(os.getpid(), signal.SIGINT)
        ends.write(b"goes on")
        await far.until(lambda: far.data == b"goes on")
        assert not task.done()
    assert signal.getsignal(signal.SIGINT) is not signal.SIG_IGN


@pytest.mark.parametrize("is_verbose", [False, True])
async def test_pauses_are_told_with_verbose_only(is_verbose: bool, capsys: pytest.CaptureFixture[str]) -> None:
    async with carrying(StdioOptions(usage_app="disable", is_verbose=is_verbose)) as (stage, ends, _):
        far = await stage.hearer()
        stage.transport.failures = [GatewayUnreachable("away")]
        stage.transport.lose_carrier()
        ends.write(b"meanwhile")
        await far.until(lambda: far.data == b"meanwhile")
    said = capsys.readouterr().err
    assert ("Trying again; nothing is lost." in said) is is_verbose
    assert ("is back" in said) is is_verbose


async def test_a_stop_that_is_near_is_told_without_another_request(capsys: pytest.CaptureFixture[str]) -> None:
    async with carrying(NO_USAGE, datetime.now(UTC) + timedelta(minutes=3.4)) as (stage, _, _):
        await stage.hearer()
        said = ""

        def is_said() -> bool:
            nonlocal said
            said += capsys.readouterr().err
            return "\n" in said

        await eventually(is_said)
        assert said == "The workspace dev stops by itself in 3 min, unless its deadline is put off.\n"
        assert not [one for one in stage.gateway.requests if one.path.startswith("/api/v2/workspaces/")]


async def test_usage_and_the_network_are_told_once_it_is_open(tmp_path: Path) -> None:
    options = StdioOptions(usage_app="jetbrains", network_info_dir=tmp_path)
    path = tmp_path / f"{os.getppid()}.json"
    async with carrying(options) as (stage, _, _):
        await stage.hearer()
        await stage.gateway.wait_for(lambda: any(one.path.endswith("/usage") for one in stage.gateway.requests))
        await eventually(path.exists)
        info = json.loads(await asyncio.to_thread(path.read_text))
        assert (info["preferred_derp"], info["p2p"]) == ("127.0.0.1", False)
        report = next(one for one in stage.gateway.requests if one.path.endswith("/usage"))
        assert report.json() == {"agent_id": stage.address.agent_id, "app_name": "jetbrains"}
    assert not await asyncio.to_thread(path.exists)


async def test_way_is_named_by_its_host_and_by_how_it_is_gone_if_not_by_websocket() -> None:
    for use, name in ((WebsocketUse.AUTO, "genba.test"), (WebsocketUse.NEVER, "genba.test over HTTP requests")):
        async with Transport(TransportOptions("http://genba.test:1", websockets=use)) as transport:
            assert name_way(GatewayClient(Calls(transport))) == name
