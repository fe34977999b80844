"""What was opened with a session ends with it: both watches of a workspace and the log of a build."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosedError

from tests.support.host_template import slow_template
from tests.support.real_gateway import RealGateway
from tests.support.real_streams import open_events, open_websocket
from tests.support.waiting import eventually

CEILING_S = 60.0
CLOSE_REVOKED = 4001


async def close_code(gateway: RealGateway, path: str, opened: asyncio.Barrier) -> int:
    with pytest.raises(ConnectionClosedError) as closed:
        async with open_websocket(gateway, path) as websocket:
            await opened.wait()
            async for _ in websocket:
                pass
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code


async def last_event(gateway: RealGateway, path: str, opened: asyncio.Barrier) -> tuple[str, object]:
    async with open_events(gateway, path) as events:
        await opened.wait()
        return [event async for event in events][-1]


async def test_signing_out_ends_what_the_session_had_opened(short_dir: Path) -> None:
    gate = short_dir / "gate"
    async with RealGateway(short_dir / "gateway") as gateway:
        await gateway.sign_in()
        template = await gateway.push_template("slow", slow_template(gate))
        workspace = await gateway.create_workspace("demo", template["id"])
        await eventually(gate.with_name("gate.began").exists)
        base, build = f"/api/v2/workspaces/{workspace['id']}", workspace["latest_build"]["id"]
        opened = asyncio.Barrier(4)
        async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as tasks:
            sockets = [
                tasks.create_task(close_code(gateway, path, opened))
                for path in (f"{base}/watch-ws", f"/api/v2/workspacebuilds/{build}/logs?follow")
            ]
            events = tasks.create_task(last_event(gateway, f"{base}/watch", opened))
            await opened.wait()
            await gateway.request("POST", "/api/v2/users/logout")
        assert [socket.result() for socket in sockets] == [CLOSE_REVOKED] * 2
        assert events.result() == ("error", {"message": "The session was signed out."})
        gate.touch()
        assert "Traceback" not in gateway.read_log(), gateway.read_log()
