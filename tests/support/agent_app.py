"""The agents' blueprints behind the real gate, on a database with workspaces."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from quart import Quart, Response
from quart.typing import TestClientProtocol, TestHTTPConnectionProtocol, TestWebsocketConnectionProtocol

from genba_gateway.api import agent_me, agents, appearance, ssh_host_certificates
from genba_gateway.domain.app_hosts import make_app_hosts
from genba_gateway.domain.ssh_host_names import SshHostNames
from genba_gateway.relay.rendezvous import Rendezvous
from genba_gateway.services.agent_connections import AgentConnections
from genba_gateway.services.agent_controls import AgentControls
from genba_gateway.services.agent_dials import AgentDials
from genba_gateway.services.agent_logs import AgentLogs
from genba_gateway.services.agent_reports import AgentReports
from genba_gateway.services.agents import Agents
from genba_gateway.services.appearance import Appearances
from genba_gateway.services.git_ssh_keys import GitSSHKeys
from genba_gateway.services.ssh_host_authority import SshHostAuthority
from genba_gateway.services.ssh_host_certificates import SshHostCertificates
from genba_gateway.services.ticket_keys import TicketKeys
from genba_gateway.services.tickets import Tickets
from tests.support.agent_rows import REPLICA, AgentRows, open_agent_rows
from tests.support.gateway_app import TOKEN_HEADER, make_app

ACCESS_URL: Final = "http://127.0.0.1:3000"


@dataclass(slots=True)
class AgentApp:
    """The app, what it stands on, and the headers of those who ask."""

    app: Quart
    rows: AgentRows
    client: TestClientProtocol
    user: dict[str, str]
    stranger: dict[str, str]

    def websocket(
        self, path: str, *, headers: dict[str, str] | None = None, subprotocols: list[str] | None = None
    ) -> TestWebsocketConnectionProtocol:
        """A websocket as the client's own method gives it, whose types are bare dicts."""
        return self.client.websocket(path, headers=headers, subprotocols=subprotocols)  # pyright: ignore[reportUnknownMemberType]

    def request(self, path: str, *, headers: dict[str, str]) -> TestHTTPConnectionProtocol:
        """A request whose answer can be read piece by piece."""
        return self.client.request(path, headers=headers)  # pyright: ignore[reportUnknownMemberType]

    async def send(self, method: str, path: str, body: object, headers: dict[str, str]) -> Response:
        """Send a body as JSON."""
        return await self.client.open(path, method=method, json=body, headers=headers)  # pyright: ignore[reportUnknownMemberType]


def as_agent(token: str) -> dict[str, str]:
    """What an agent sends with each request."""
    return {TOKEN_HEADER: token}


@asynccontextmanager
async def open_agent_app(tmp_path: Path) -> AsyncGenerator[AgentApp]:
    """An app whose users are `ana`, who owns the workspaces, and `bob`, who may see none of them."""
    async with open_agent_rows(tmp_path) as rows:
        app = await asyncio.to_thread(_make_app, rows)
        yield AgentApp(
            app,
            rows,
            app.test_client(),
            user={TOKEN_HEADER: await rows.add_session(rows.user)},
            stranger={TOKEN_HEADER: await rows.add_session(rows.stranger)},
        )


def _make_app(rows: AgentRows) -> Quart:
    """Blocks: Quart asks for the working folder where blueprints are made."""
    database, sealer, pubsub, clock = rows.database, rows.sealer, rows.pubsub, rows.clock
    keys = GitSSHKeys(database, sealer, clock)
    dials = AgentDials(Tickets(TicketKeys(database, sealer, clock), clock), Rendezvous())
    return make_app(
        database,
        agents.make_blueprint(Agents(database, sealer, pubsub, access_url=ACCESS_URL, now=clock)),
        agent_me.make_blueprint(
            AgentReports(database, sealer, pubsub, keys, access_url=ACCESS_URL, now=clock),
            AgentLogs(database, pubsub, now=clock),
            AgentControls(AgentConnections(database, pubsub, replica_id=REPLICA, now=clock), dials),
            make_app_hosts(ACCESS_URL, wildcard_access_url="*.apps.test"),
        ),
        appearance.make_blueprint(Appearances(database, clock)),
        ssh_host_certificates.make_blueprint(
            SshHostCertificates(database, SshHostAuthority(database, sealer, clock), SshHostNames(), clock),
            {"ForwardAgent": "yes"},
        ),
    )
