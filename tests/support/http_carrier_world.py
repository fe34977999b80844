"""The routes of carriers over HTTP requests, behind the real gate and a real server, and a client before them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from genba_gateway.api import http_carriers
from genba_gateway.api.bodies import LimitedRequest
from genba_gateway.api.gate import needs
from genba_gateway.api.rate_limits import install_rate_limits
from genba_gateway.api.stream_ends import StreamEnds
from genba_gateway.domain.actors import RouteAccess
from genba_gateway.domain.session_grants import Purpose
from genba_gateway.relay.http_carriers import HttpCarriers
from genba_gateway.services.agent_connections import AgentConnections
from genba_gateway.services.agent_controls import AgentControls
from genba_gateway.services.client_carriers import ClientCarriers
from genba_gateway.services.sessions import Sessions
from genba_wire.aio.carrier import DialledCarrier
from genba_wire.aio.carrier_dialling import PROBE_PATH
from genba_wire.aio.carrier_ways import WebsocketUse
from genba_wire.aio.transport import SESSION_TOKEN_HEADER, Transport, TransportOptions
from genba_wire.api.http_carriers import (
    CARRIER_HEADER,
    OPEN_SUFFIX,
)
from genba_wire.api.terminals import CLIENT_CARRIER_PATH, TICKET_HEADER
from tests.support.agent_rows import REPLICA, open_agent_rows
from tests.support.gateway_app import make_app
from tests.support.http_server import served
from tests.support.links import Hosts
from tests.support.session_world import SessionWorld, session_world

TOKEN = "a-users-token"


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


@needs(RouteAccess.PUBLIC)
async def answer_probe() -> str:
    return "here"


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
        app.add_url_rule(PROBE_PATH, "probe", answer_probe)
        async with served(app, shutdown) as url:
            options = TransportOptions(url, token=TOKEN, websockets=WebsocketUse.NEVER)
            headers = {SESSION_TOKEN_HEADER: TOKEN}
            async with Transport(options) as transport, httpx.AsyncClient(base_url=url, headers=headers) as http:
                yield World(url, sessions, hosts, table, transport, http, shutdown)
