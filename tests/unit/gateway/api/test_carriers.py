"""Tickets, and the websockets that they open (the relay behind them: tests/integration/test_relay.py)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from quart import Quart
from quart.testing.connections import WebsocketResponseError

from genba_gateway.api import carriers
from genba_gateway.services.client_carriers import ClientCarriers
from genba_wire.api.terminals import TICKET_HEADER
from tests.support.agent_rows import SECRET, open_agent_rows
from tests.support.gateway_app import TOKEN_HEADER, make_app
from tests.support.links import Hosts
from tests.support.session_world import SessionWorld, session_world

AGENTS = "/api/v2/workspaceagents"


@dataclass
class Stage:
    """The routes, and a user's agent behind them."""

    app: Quart
    world: SessionWorld
    user: dict[str, str]

    async def ask(self, body: object, headers: dict[str, str], agent_id: str = "") -> tuple[int, dict[str, str]]:
        path = f"{AGENTS}/{agent_id or self.world.agent.actor.agent_id}/tickets"
        response = await self.app.test_client().post(path, json=body, headers=headers)
        answer: dict[str, str] = await response.get_json()
        return response.status_code, answer | {"caching": response.headers.get("Cache-Control", "")}

    async def open(self, path: str, headers: dict[str, str]) -> int:
        """Try to open a websocket; the status of the refusal."""
        client = self.app.test_client()
        with pytest.raises(WebsocketResponseError) as refused:
            async with client.websocket(path, headers=headers) as connection:  # pyright: ignore[reportUnknownMemberType]  # its headers are untyped
                await connection.receive()
        return refused.value.response.status_code


@asynccontextmanager
async def stage(tmp_path: Path) -> AsyncGenerator[Stage]:
    async with open_agent_rows(tmp_path) as rows, session_world(rows, Hosts().handle_stream) as world:
        blueprint = carriers.make_blueprint(world.sessions, ClientCarriers(world.sessions, world.dials), world.dials)
        app = await asyncio.to_thread(make_app, rows.database, blueprint)
        yield Stage(app, world, {TOKEN_HEADER: f"{rows.user.key_id}-{SECRET}"})


@pytest.mark.parametrize("purpose", ["terminal", "ssh", "tunnel", "files"])
async def test_a_ticket_is_for_a_purpose_and_kept_by_no_cache(tmp_path: Path, purpose: str) -> None:
    async with stage(tmp_path) as here:
        status, answer = await here.ask({"purpose": purpose}, here.user)
        assert (status, answer["caching"]) == (201, "no-store")
        grant, granted = await here.world.sessions.redeem_ticket(answer["ticket"], here.world.agent.actor.agent_id)
        assert (granted.value, grant.user_id) == (purpose, here.world.rows.user.user_id)


async def test_only_who_may_use_the_agent_is_given_one(tmp_path: Path) -> None:
    async with stage(tmp_path) as here:
        stranger = {TOKEN_HEADER: await here.world.rows.add_session(here.world.rows.stranger)}
        body = {"purpose": "ssh"}
        assert (await here.ask(body, {}))[0] == 401
        assert (await here.ask(body, stranger))[0] == 404
        assert (await here.ask(body, here.user, "99999999-9999-4999-8999-999999999999"))[0] == 404
        assert (await here.ask(body, here.user, "no-uuid"))[0] == 400
        assert (await here.ask({"purpose": "mining"}, here.user))[0] == 400
        assert (await here.ask({}, here.user))[0] == 400


async def test_a_client_is_let_in_by_its_ticket_alone(tmp_path: Path) -> None:
    async with stage(tmp_path) as here:
        path = f"{AGENTS}/{here.world.agent.actor.agent_id}/carrier"
        _, answer = await here.ask({"purpose": "ssh"}, here.user)
        assert await here.open(path, here.user) == 401
        assert await here.open(path, {TICKET_HEADER: "forged"}) == 401
        other = await here.world.rows.add_running_agent()
        assert await here.open(f"{AGENTS}/{other.agent_id}/carrier", {TICKET_HEADER: answer["ticket"]}) == 401
        await here.world.sign_out()
        assert await here.open(path, {TICKET_HEADER: answer["ticket"]}) == 401


async def test_an_agent_is_let_in_for_a_dial_that_waits_alone(tmp_path: Path) -> None:
    async with stage(tmp_path) as here:
        path = f"{AGENTS}/me/carrier"
        assert await here.open(path, {}) == 401
        # A user's session is no agent's.
        assert await here.open(path, here.user) == 401
