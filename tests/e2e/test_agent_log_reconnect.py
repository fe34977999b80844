"""A follower of an agent's log that comes back with `after` misses no line and sees none twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosedError

from tests.support.host_template import host_template, script
from tests.support.real_gateway import RealGateway
from tests.support.real_streams import open_websocket, read_messages

LINES = 150
COUNT = f'i=0; while [ $i -lt {LINES} ]; do echo "number $i"; i=$((i + 1)); sleep 0.05; done'


class Follower:
    """Reads an agent's log over one websocket after another."""

    def __init__(self, gateway: RealGateway, agent_id: str) -> None:
        self._gateway = gateway
        self._path = f"/api/v2/workspaceagents/{agent_id}/logs"
        self.ids: list[int] = []
        self.numbers: list[int] = []

    async def follow_to(self, wanted: int) -> None:
        """Go on after the last line, until so many numbers are there."""
        if len(self.numbers) >= wanted:
            return  # the agent caught up while the gateway was away, and all came in one message before the last crash
        after = self.ids[-1] if self.ids else 0
        async with open_websocket(self._gateway, f"{self._path}?follow&after={after}") as websocket:
            async for lines in read_messages(websocket):
                self._take(lines)
                if len(self.numbers) >= wanted:
                    return

    async def follow_to_crash(self, wanted: int) -> None:
        """Go on, kill the gateway once so many numbers are there, and read to the end of the connection."""
        after = self.ids[-1] if self.ids else 0
        async with open_websocket(self._gateway, f"{self._path}?follow&after={after}") as websocket:
            with pytest.raises(ConnectionClosedError):
                await self._read_to_the_end(websocket, wanted)

    async def _read_to_the_end(self, websocket: ClientConnection, wanted: int) -> None:
        killed = False
        async for lines in read_messages(websocket):
            self._take(lines)
            if len(self.numbers) >= wanted and not killed:
                killed = True
                await self._gateway.kill()

    def _take(self, lines: list[dict[str, object]]) -> None:
        for line in lines:
            assert isinstance(line["id"], int)
            self.ids.append(line["id"])
            output = str(line["output"])
            if output.startswith("number "):
                self.numbers.append(int(output.removeprefix("number ")))


async def test_a_websocket_follower_goes_on_after_its_last_line(short_dir: Path) -> None:
    async with RealGateway(short_dir / "gateway") as gateway:
        await gateway.sign_in()
        template = await gateway.push_template("numbers", host_template(numbers=script("numbers", COUNT)))
        workspace = await gateway.create_workspace("demo", template["id"])
        await gateway.wait_for_build(workspace["latest_build"]["id"])
        agent = await gateway.wait_for_agent(workspace["id"], lifecycle="starting")
        follower = Follower(gateway, agent["id"])
        for wanted in (LINES // 3, 2 * LINES // 3):
            await follower.follow_to_crash(wanted)
            await gateway.start()
        await follower.follow_to(LINES)
        assert follower.numbers == list(range(LINES))
        assert follower.ids == sorted(set(follower.ids))
        stored = await gateway.fetch("GET", f"/api/v2/workspaceagents/{agent['id']}/logs")
        assert [line["id"] for line in stored][: len(follower.ids)] == follower.ids
        await gateway.build(workspace["id"], "delete")
