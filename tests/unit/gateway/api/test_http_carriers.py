"""Carriers over HTTP requests: the routes behind the real gate and a real server, the clients' own end before them."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from genba_gateway.api import http_carriers
from genba_gateway.api.bodies import LimitedRequest
from genba_gateway.api.rate_limits import GENERAL_LIMIT, install_rate_limits
from genba_gateway.api.stream_ends import StreamEnds
from genba_gateway.domain.session_grants import Purpose
from genba_gateway.relay.http_carriers import HttpCarriers
from genba_gateway.relay.takeover import CLOSE_RESTARTING
from genba_gateway.services.agent_connections import AgentConnections
from genba_gateway.services.agent_controls import AgentControls
from genba_gateway.services.client_carriers import CLOSE_REVOKED, ClientCarriers
from genba_gateway.services.sessions import Sessions
from genba_wire.aio.carrier import DialledCarrier
from genba_wire.aio.carrier_ways import WebsocketUse
from genba_wire.aio.link_session import LinkSession
from genba_wire.aio.transport import SESSION_TOKEN_HEADER, Transport, TransportOptions
from genba_wire.api.agent_protocol import CONTROL_PATH
from genba_wire.api.http_carriers import (
    CARRIER_HEADER,
    DOWN_SUFFIX,
    MAX_UP_BYTES,
    NUMBER_HEADER,
    OPEN_SUFFIX,
    UP_SUFFIX,
)
from genba_wire.api.terminals import AGENT_CARRIER_PATH, CLIENT_CARRIER_PATH, TICKET_HEADER
from genba_wire.errors import GatewayRefused
from genba_wire.http_frames import KEEP_ALIVE
from genba_wire.tunnel.frames import Hello, Ping, Pong, encode, parse
from genba_wire.tunnel.streams import TCP
from tests.support.agent_rows import REPLICA, make_agent_spec, open_agent_rows
from tests.support.carriers import CEILING_S, Hearer
from tests.support.gateway_app import make_app
from tests.support.http_server import served
from tests.support.links import BOOT_ID, Hosts, StreamHearer
from tests.support.session_world import SessionWorld, session_world

TOKEN = "a-users-token"
FRAME = b"\0\0\0\1x"


@dataclass
class World:
    """The served routes, the services behind them, and a client."""

    url: str
    sessions: SessionWorld
    hosts: Hosts
    table: HttpCarriers
    transport: Transport
    http: httpx.AsyncClient
    shutdown: asyncio.Event

    @property
    def path(self) -> str:
        return CLIENT_CARRIER_PATH.format(agent_id=self.sessions.grant.agent_id)

    async def ticket(self) -> dict[str, str]:
        user, agent_id = self.sessions.rows.user, self.sessions.grant.agent_id
        ticket, _ = await self.sessions.sessions.issue_ticket(user, agent_id, Purpose.TUNNEL)
        return {TICKET_HEADER: ticket}

    async def dial(self) -> DialledCarrier:
        return await self.transport.carrier(self.path, headers=await self.ticket())

    async def opened(self) -> dict[str, str]:
        """The headers of a carrier that was opened."""
        response = await self.http.post(self.path + OPEN_SUFFIX, headers=await self.ticket())
        assert response.status_code == 201
        return {CARRIER_HEADER: response.json()["carrier"]}


@asynccontextmanager
async def open_world(tmp_path: Path) -> AsyncGenerator[World]:
    hosts = Hosts()
    shutdown = asyncio.Event()
    table = HttpCarriers()
    async with open_agent_rows(tmp_path) as rows, session_world(rows, hosts.handle_stream) as sessions:
        connections = AgentConnections(rows.database, rows.pubsub, replica_id=REPLICA, now=rows.clock)
        blueprint = http_carriers.make_blueprint(
            sessions.sessions,
            ClientCarriers(sessions.sessions, sessions.dials),
            sessions.dials,
            AgentControls(connections, sessions.dials),
            table,
        )
        app = await asyncio.to_thread(
            lambda: make_app(
                rows.database,
                blueprint,
                make_counter=lambda app: install_rate_limits(app, lambda: 0.0),
                stream_ends=StreamEnds(Sessions(rows.database), shutdown),
            )
        )
        app.request_class = LimitedRequest
        async with served(app, shutdown) as url:
            options = TransportOptions(url, token=TOKEN, websockets=WebsocketUse.NEVER)
            headers = {SESSION_TOKEN_HEADER: TOKEN}
            async with Transport(options) as transport, httpx.AsyncClient(base_url=url, headers=headers) as http:
                yield World(url, sessions, hosts, table, transport, http, shutdown)


async def test_client_reaches_its_agent_and_leaves_nothing_behind(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world, asyncio.timeout(CEILING_S):
        carrier = await world.dial()
        session = await LinkSession.connect(carrier)
        near = StreamHearer(await session.open_stream(TCP))
        near.stream.write(b"hello")
        await world.hosts.hearers[0].until(lambda: world.hosts.hearers[0].data == b"hello")
        world.hosts.hearers[0].stream.write(bytes(200_000))
        await near.until(lambda: near.received == 200_000)
        assert len(world.table) == 1
        session.close()
        carrier.close()
        await carrier.wait_closed()
    assert len(world.table) == 0


async def test_session_that_may_not_go_on_is_closed_with_its_reason(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world, asyncio.timeout(CEILING_S):
        carrier = await world.dial()
        session = await LinkSession.connect(carrier)
        await world.sessions.sign_out()
        await carrier.wait_closed()
        assert (carrier.close_code, carrier.close_reason) == (CLOSE_REVOKED, "You signed out.")
        session.close()


async def test_gateway_that_stops_says_so(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world, asyncio.timeout(CEILING_S):
        carrier = await world.dial()
        hearer = Hearer()
        carrier.start(hearer)
        world.shutdown.set()
        await hearer.wait_lost()
        assert (carrier.close_code, carrier.close_reason) == (CLOSE_RESTARTING, "The gateway shuts down.")


async def test_agents_control_carrier_is_served(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world, asyncio.timeout(CEILING_S):
        spec = make_agent_spec()
        await world.sessions.rows.add_running_agent(spec)
        options = TransportOptions(world.url, token=spec.token, websockets=WebsocketUse.NEVER)
        async with Transport(options) as transport:
            carrier = await transport.carrier(CONTROL_PATH)
            hearer = Hearer()
            carrier.start(hearer)
            carrier.send(encode(Hello(BOOT_ID)))
            carrier.send(encode(Ping(b"12345678")))
            await hearer.until(lambda: len(hearer.messages) == 2)
            assert isinstance(parse(hearer.messages[0]), Hello)
            assert parse(hearer.messages[1]) == Pong(b"12345678")
            carrier.close()
            await carrier.wait_closed()


async def test_answer_says_at_once_that_nothing_holds_it_back_and_tells_proxies_not_to(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world, asyncio.timeout(CEILING_S):
        headers = await world.opened()
        async with world.http.stream("GET", world.path + DOWN_SUFFIX, headers=headers) as down:
            assert down.headers["X-Accel-Buffering"] == "no"
            assert down.headers["Cache-Control"] == "no-store, no-transform"
            assert down.headers["Content-Type"] == "application/octet-stream"
            assert await anext(down.aiter_raw()) == KEEP_ALIVE


async def test_each_route_asks_for_what_its_websocket_asks_for(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world, asyncio.timeout(CEILING_S):
        for path in (AGENT_CARRIER_PATH, CONTROL_PATH):
            for method, suffix in (("GET", ""), ("POST", OPEN_SUFFIX), ("GET", DOWN_SUFFIX), ("POST", UP_SUFFIX)):
                assert (await world.http.request(method, path + suffix)).status_code == 401
        assert (await world.http.post(world.path + OPEN_SUFFIX)).status_code == 401
        wrong = {TICKET_HEADER: "x", CARRIER_HEADER: "x", NUMBER_HEADER: "0"}
        assert (await world.http.post(world.path + OPEN_SUFFIX, headers=wrong)).status_code == 401
        assert (await world.http.get(world.path + DOWN_SUFFIX, headers=wrong)).status_code == 404
        assert (await world.http.post(world.path + UP_SUFFIX, headers=wrong)).status_code == 404
        lost = await world.http.get(world.path)
        assert (lost.status_code, "Upgrade header was lost" in lost.json()["detail"]) == (426, True)
        with pytest.raises(GatewayRefused) as refused:
            await world.transport.carrier(world.path)
        assert refused.value.status == 401


async def test_carrier_is_of_no_use_to_another_token_or_for_another_agent(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world, asyncio.timeout(CEILING_S):
        headers = await world.opened()
        stranger = {**headers, SESSION_TOKEN_HEADER: "another"}
        assert (await world.http.get(world.path + DOWN_SUFFIX, headers=stranger)).status_code == 404
        elsewhere = CLIENT_CARRIER_PATH.format(agent_id=uuid.uuid4())
        assert (await world.http.get(elsewhere + DOWN_SUFFIX, headers=headers)).status_code == 404
        async with world.http.stream("GET", world.path + DOWN_SUFFIX, headers=headers) as down:
            assert down.status_code == 200


async def test_pieces_are_refused_by_name_and_the_largest_is_not(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world, asyncio.timeout(CEILING_S):
        headers = await world.opened()
        up = world.path + UP_SUFFIX
        early = await world.http.post(up, content=FRAME, headers={**headers, NUMBER_HEADER: "0"})
        assert (early.status_code, early.json()["message"]) == (409, "This carrier has no answer yet: GET it first.")
        async with world.http.stream("GET", world.path + DOWN_SUFFIX, headers=headers):
            for number in ("", "-1", "x", "1_0", "1" * 19):
                named = {**headers, NUMBER_HEADER: number}
                assert (await world.http.post(up, content=FRAME, headers=named)).status_code == 400
            gap = await world.http.post(up, content=FRAME, headers={**headers, NUMBER_HEADER: "1"})
            assert (gap.status_code, "piece 0 did not" in gap.json()["message"]) == (409, True)
            large = b"".join([KEEP_ALIVE] * (MAX_UP_BYTES // len(KEEP_ALIVE)))
            over = await world.http.post(up, content=large + b"\0", headers={**headers, NUMBER_HEADER: "0"})
            assert over.status_code == 413
            assert (
                await world.http.post(up, content=large, headers={**headers, NUMBER_HEADER: "0"})
            ).status_code == 204
            again = await world.http.get(world.path + DOWN_SUFFIX, headers=headers)
            assert again.status_code == 409


async def test_pieces_are_no_requests_that_the_rate_limit_counts(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world, asyncio.timeout(CEILING_S):
        headers = await world.opened()
        async with world.http.stream("GET", world.path + DOWN_SUFFIX, headers=headers):
            for number in range(3):
                named = {**headers, NUMBER_HEADER: str(number)}
                taken = await world.http.post(world.path + UP_SUFFIX, content=KEEP_ALIVE, headers=named)
                assert taken.status_code == 204
                assert "X-RateLimit-Remaining" not in taken.headers
        opened = await world.http.post(world.path + OPEN_SUFFIX, headers=await world.ticket())
        assert opened.headers["X-RateLimit-Remaining"] == str(GENERAL_LIMIT - 2)
