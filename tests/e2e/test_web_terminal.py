"""The web terminal's route (contract 3.1), with a plain websocket client, a real gateway, agent and shell."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.e2e.conftest import Demo
from tests.support.demo_workspace import demo_workspace
from tests.support.real_gateway import CEILING_S, RealGateway, agents_of
from tests.support.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Terminal:
    """One viewer of a terminal: a browser's end, without the browser."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.seen = b""

    async def send(self, **request: object) -> None:
        await self.connection.send(json.dumps(request).encode())

    async def wait_for(self, text: bytes) -> None:
        async with asyncio.timeout(CEILING_S):
            while text not in self.seen:
                message = await self.connection.recv()
                assert isinstance(message, bytes), "the contract's frames are binary"
                self.seen += message


@asynccontextmanager
async def open_terminal(
    gateway: RealGateway, agent_id: str, *, token: str | None = None, compression: str | None = None, **query: str
) -> AsyncGenerator[Terminal]:
    url = f"{gateway.url.replace('http', 'ws', 1)}/api/v2/workspaceagents/{agent_id}/pty?{urlencode(query)}"
    headers = {"Coder-Session-Token": gateway.token if token is None else token}
    async with connect(url, additional_headers=headers, compression=compression, max_size=None) as connection:
        yield Terminal(connection)


async def find_agent(gateway: RealGateway) -> tuple[str, str]:
    """The ids of the workspace and its agent."""
    (workspace,) = (await gateway.fetch("GET", "/api/v2/workspaces"))["workspaces"]
    return workspace["id"], agents_of(workspace)[0]["id"]


async def test_a_session_is_typed_into_seen_by_all_and_found_again(demo: Demo) -> None:
    gateway, _ = demo
    _, agent_id = await find_agent(gateway)
    session = str(uuid.uuid4())
    async with open_terminal(gateway, agent_id, reconnect=session, height="30", width="100") as first:
        await first.send(data="echo ma''rk $((6*7)); stty size; KEPT=yes\r")
        await first.wait_for(b"mark 42")
        await first.wait_for(b"30 100")
        # Browsers offer compression, which the gateway declines.
        async with open_terminal(gateway, agent_id, reconnect=session, compression="deflate") as second:
            await second.wait_for(b"mark 42")
            await second.send(height=20, width=60)
            await second.send(data="stty si''ze; echo se''en\r")
            await first.wait_for(b"20 60")
            await first.wait_for(b"seen")
    async with open_terminal(gateway, agent_id, reconnect=session) as again:
        await again.wait_for(b"mark 42")
        await again.send(data="echo it was $KEPT\r")
        await again.wait_for(b"it was yes")
        await again.send(data="exit\r")
        async with asyncio.timeout(CEILING_S):
            with pytest.raises(ConnectionClosed):
                while True:
                    await again.connection.recv()


async def test_a_command_takes_the_place_of_the_shell_and_bulk_arrives_whole(demo: Demo) -> None:
    gateway, _ = demo
    _, agent_id = await find_agent(gateway)
    command = "stty raw; seq 1 200000; echo end"
    async with open_terminal(gateway, agent_id, reconnect=str(uuid.uuid4()), command=command) as terminal:
        await terminal.wait_for(b"end")
        lines = terminal.seen.replace(b"\r", b"").split(b"\n")
        assert lines[:200000] == [str(number).encode() for number in range(1, 200001)]


async def test_refusals_come_before_the_upgrade(short_dir: Path) -> None:
    async with demo_workspace(short_dir) as (gateway, _):
        workspace_id, agent_id = await find_agent(gateway)

        async def refusal(agent: str, token: str | None = None, **query: str) -> tuple[int, str, str]:
            with pytest.raises(InvalidStatus) as refused:
                async with open_terminal(gateway, agent, token=token, **query):
                    pass
            response = refused.value.response
            return response.status_code, response.headers["Content-Type"], (response.body or b"").decode()

        session = str(uuid.uuid4())
        status, kind, _ = await refusal(agent_id, "", reconnect=session)
        assert (status, kind.partition(";")[0]) == (404, "application/json")
        status, _, _ = await refusal(str(uuid.uuid4()), reconnect=session)
        assert status == 404
        status, kind, body = await refusal(agent_id, height="0")
        assert (status, kind.partition(";")[0]) == (400, "application/json")
        assert [problem["field"] for problem in json.loads(body)["validations"]] == ["reconnect", "height"]

        async with open_terminal(gateway, agent_id, reconnect=session) as terminal:
            await terminal.send(data="echo op''en\r")
            await terminal.wait_for(b"open")
            await gateway.build(workspace_id, "stop")
            async with asyncio.timeout(CEILING_S):
                with pytest.raises(ConnectionClosed):
                    while True:
                        await terminal.connection.recv()
        status, kind, body = await refusal(agent_id, reconnect=session)
        assert (status, kind.partition(";")[0]) == (400, "text/html")
        assert "not running" in body


async def test_signing_out_ends_its_terminals(demo: Demo) -> None:
    gateway, _ = demo
    _, agent_id = await find_agent(gateway)
    made = await gateway.fetch("POST", "/api/v2/users/me/keys/tokens", {"token_name": "t"})
    async with open_terminal(gateway, agent_id, token=made["key"], reconnect=str(uuid.uuid4())) as terminal:
        await terminal.send(data="echo op''en\r")
        await terminal.wait_for(b"open")
        key_id = made["key"].partition("-")[0]
        assert (await gateway.send("DELETE", f"/api/v2/users/me/keys/{key_id}")).status_code == 204
        async with asyncio.timeout(CEILING_S):
            with pytest.raises(ConnectionClosed) as closed:
                while True:
                    await terminal.connection.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.reason


async def test_a_program_finishes_though_its_viewer_was_behind_when_the_gateway_died(
    short_dir: Path, demo: Demo
) -> None:
    done = short_dir / "done"
    gateway, _ = demo
    _, agent_id = await find_agent(gateway)
    command = f"stty raw; seq 1 5000000; touch {done}"
    async with open_terminal(gateway, agent_id, reconnect=str(uuid.uuid4()), command=command) as terminal:
        await terminal.wait_for(b"1\n")
        await gateway.kill()
        await eventually(done.exists)
    await gateway.start()
