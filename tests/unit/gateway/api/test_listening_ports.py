"""The route of listening ports, to an agent that the test plays over a real link."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from genba_gateway.api import listening_ports as listening_ports_api
from genba_gateway.services.agents import Agents
from genba_gateway.services.listening_ports import ListeningPortsOf
from genba_gateway.store import tables
from genba_wire.aio.stream import Stream
from genba_wire.api.agents import ListeningPort, ListeningPorts
from genba_wire.api.message import encode_message
from genba_wire.tunnel.mux_frames import ResetCode
from tests.support.agent_rows import SECRET, open_agent_rows
from tests.support.gateway_app import TOKEN_HEADER, make_app
from tests.support.session_world import SessionWorld, session_world

if TYPE_CHECKING:
    from quart.typing import TestClientProtocol


class PortAgent:
    """Answers with some bytes, or refuses."""

    def __init__(self) -> None:
        self.answer: bytes | None = encode_message(
            ListeningPorts(
                ports=[
                    ListeningPort(process_name="node", network="tcp", port=3000),
                    ListeningPort(process_name="postgres", network="tcp", port=5432),
                    ListeningPort(process_name="", network="tcp", port=8081),
                ]
            )
        )

    def handle_stream(self, kind: str, head: bytes, stream: Stream) -> None:
        if self.answer is None:
            stream.refuse(ResetCode.NOT_SUPPORTED, "This agent does not know ports")
            return
        stream.accept()
        stream.write(self.answer)
        stream.finish()


@asynccontextmanager
async def route_world(tmp_path: Path) -> AsyncGenerator[tuple[SessionWorld, PortAgent, TestClientProtocol, str]]:
    agent = PortAgent()
    async with open_agent_rows(tmp_path) as rows, session_world(rows, agent.handle_stream) as world:
        agents = Agents(rows.database, rows.sealer, rows.pubsub, access_url="http://127.0.0.1:3000", now=rows.clock)
        ports = ListeningPortsOf(agents, world.sessions, world.links)
        app = await asyncio.to_thread(lambda: make_app(rows.database, listening_ports_api.make_blueprint(ports)))
        path = f"/api/v2/workspaceagents/{world.grant.agent_id}/listening-ports"
        yield world, agent, app.test_client(), path


async def test_ports_are_listed_without_those_that_are_no_news(tmp_path: Path) -> None:
    async with route_world(tmp_path) as (world, _, client, path):
        headers = {TOKEN_HEADER: f"{world.rows.user.key_id}-{SECRET}"}
        response = await client.get(path, headers=headers)
        assert response.status_code == 200
        assert await response.get_json() == {
            "ports": [
                {"process_name": "node", "network": "tcp", "port": 3000},
                {"process_name": "", "network": "tcp", "port": 8081},
            ]
        }


async def test_agent_that_can_not_say_is_an_error(tmp_path: Path) -> None:
    async with route_world(tmp_path) as (world, agent, client, path):
        headers = {TOKEN_HEADER: f"{world.rows.user.key_id}-{SECRET}"}
        for answer, said in ((None, "does not know ports"), (b"[]", "can't be read")):
            agent.answer = answer
            response = await client.get(path, headers=headers)
            assert response.status_code == 502
            assert said in (await response.get_json())["message"]


async def test_strangers_and_absent_agents(tmp_path: Path) -> None:
    async with route_world(tmp_path) as (world, _, client, path):
        await world.rows.add_session(world.rows.stranger)
        stranger = {TOKEN_HEADER: f"{world.rows.stranger.key_id}-{SECRET}"}
        assert (await client.get(path, headers=stranger)).status_code == 404
        assert (await client.get(path)).status_code == 401
        headers = {TOKEN_HEADER: f"{world.rows.user.key_id}-{SECRET}"}
        async with world.rows.database.write() as connection:
            now = world.rows.clock()
            await connection.execute(
                sa.update(tables.workspace_agents).values(disconnected_at=now, last_connected_at=now)
            )
        world.rows.clock.move(1)
        response = await client.get(path, headers=headers)
        assert response.status_code == 400
        assert "is disconnected" in (await response.get_json())["message"]
