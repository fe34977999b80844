"""The web terminal's route: what is answered before the upgrade, and what closes it after."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from quart import Response
from quart.testing.connections import WebsocketDisconnectError, WebsocketResponseError

from genba_gateway.api import terminals as terminals_api
from genba_gateway.relay.quart_end import make_websockets_pausable
from genba_gateway.services.terminals import Terminals
from genba_gateway.store import tables
from genba_wire.aio.carrier import CLOSE_INTERNAL_ERROR
from tests.support.agent_rows import SECRET, open_agent_rows
from tests.support.carriers import CEILING_S
from tests.support.gateway_app import TOKEN_HEADER, make_app
from tests.support.links import Hosts
from tests.support.session_world import SessionWorld, session_world

if TYPE_CHECKING:
    from quart.typing import TestClientProtocol

RECONNECT = "7b0e4f6e-3f0e-4d3e-8a52-0f6f6a2a9c11"


def render_page(status: int, title: str, message: str) -> Response:
    return Response(f"<h1>{title}</h1>{message}", status=status, content_type="text/html")


@asynccontextmanager
async def route_world(tmp_path: Path) -> AsyncGenerator[tuple[SessionWorld, TestClientProtocol, str, dict[str, str]]]:
    """The services, a client, the route of the agent's terminals, and its user's headers."""
    async with open_agent_rows(tmp_path) as rows, session_world(rows, Hosts().handle_stream, limit_s=0.01) as world:
        blueprint = await asyncio.to_thread(
            lambda: terminals_api.make_blueprint(world.sessions, Terminals(world.sessions, world.links), render_page)
        )
        app = await asyncio.to_thread(lambda: make_app(rows.database, blueprint, prepare=make_websockets_pausable))
        path = f"/api/v2/workspaceagents/{world.grant.agent_id}/pty"
        yield world, app.test_client(), path, {TOKEN_HEADER: f"{rows.user.key_id}-{SECRET}"}


async def refusal(client: TestClientProtocol, path: str, headers: dict[str, str]) -> tuple[int, str, str]:
    with pytest.raises(WebsocketResponseError) as refused:
        async with asyncio.timeout(CEILING_S), client.websocket(path, headers=headers) as socket:  # pyright: ignore[reportUnknownMemberType]
            await socket.receive()
    response = refused.value.response
    return response.status_code, response.content_type or "", str(await response.get_data(as_text=True))


async def test_an_agent_that_is_not_connected_is_a_page(tmp_path: Path) -> None:
    async with route_world(tmp_path) as (world, client, path, headers):
        async with world.rows.database.write() as connection:
            await connection.execute(
                sa.update(tables.workspace_agents).values(
                    disconnected_at=world.rows.clock(), last_connected_at=world.rows.clock()
                )
            )
        world.rows.clock.move(1)
        status, kind, body = await refusal(client, f"{path}?reconnect={RECONNECT}", headers)
        assert (status, kind) == (502, "text/html")
        assert "The agent is not connected" in body
        assert "disconnected" in body


async def test_what_is_wrong_with_the_query_is_told_by_name(tmp_path: Path) -> None:
    async with route_world(tmp_path) as (_, client, path, headers):
        status, _, body = await refusal(client, f"{path}?reconnect=x&height=0&width=65536", headers)
        assert status == 400
        assert all(f'"{name}"' in body for name in ("reconnect", "height", "width"))


@pytest.mark.parametrize("headers", [{}, {TOKEN_HEADER: "bobkey0000-abcdefghijklmnopqrstuv"}])
async def test_who_may_not_use_it_is_told_that_there_is_nothing(tmp_path: Path, headers: dict[str, str]) -> None:
    async with route_world(tmp_path) as (world, client, path, _):
        await world.rows.add_session(world.rows.stranger)
        assert (await refusal(client, f"{path}?reconnect={RECONNECT}", headers))[0] == 404


async def test_an_agent_that_is_connected_but_opens_no_carrier_closes_with_the_reason(tmp_path: Path) -> None:
    async with route_world(tmp_path) as (world, client, path, headers):
        world.agent.is_answering = False
        with pytest.raises(WebsocketDisconnectError) as closed:
            async with (
                asyncio.timeout(CEILING_S),
                client.websocket(f"{path}?reconnect={RECONNECT}", headers=headers) as socket,  # pyright: ignore[reportUnknownMemberType]
            ):
                await socket.receive()
        # Quart's client does not tell the reason, which begins with "dial": services/test_terminals.py.
        assert closed.value.args[0] == CLOSE_INTERNAL_ERROR
