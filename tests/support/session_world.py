"""Sessions with an agent that the test plays: real services on a real database, real links over socket pairs."""

from __future__ import annotations

import asyncio
import socket
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import sqlalchemy as sa

from genba_agent.carriers.links import LinkTable
from genba_gateway.domain.actors import AgentActor
from genba_gateway.domain.session_grants import SessionGrant
from genba_gateway.domain.users import Visitor
from genba_gateway.errors import GenbaError
from genba_gateway.relay.rendezvous import Rendezvous
from genba_gateway.relay.taken_transport import TakenTransport, WaitingProtocol
from genba_gateway.services.agent_connections import AgentConnections
from genba_gateway.services.agent_dials import AgentDials, Control
from genba_gateway.services.agent_links import AgentLinks
from genba_gateway.services.agent_sessions import AgentSessions
from genba_gateway.services.ticket_keys import TicketKeys
from genba_gateway.services.tickets import Tickets
from genba_gateway.store import tables
from genba_wire.aio.stream import StreamHandler
from genba_wire.aio.websocket_carrier import WebSocketCarrier
from genba_wire.tunnel.control import Dial
from tests.support.agent_rows import REPLICA, AgentRows
from tests.support.carriers import CEILING_S, open_transport
from tests.support.links import BOOT_ID

VISITOR = Visitor("127.0.0.1", "a test")


class PlayedAgent:
    """Answers dials with carriers that a real table of links serves, while it is told to."""

    def __init__(self, actor: AgentActor, dials: AgentDials, handler: StreamHandler, tasks: asyncio.TaskGroup) -> None:
        self.actor = actor
        self.table = LinkTable(BOOT_ID, handler)
        self.dialled: asyncio.Queue[Dial] = asyncio.Queue()
        self.is_answering = True
        self.carriers: list[WebSocketCarrier] = []
        self._dials = dials
        self._tasks = tasks

    def dial(self, command: Dial) -> None:
        self.dialled.put_nowait(command)
        if self.is_answering:
            self._tasks.create_task(self.answer(command))

    async def answer(self, command: Dial) -> None:
        """Open the carrier; returns when it is needed no longer."""
        near, far = socket.socketpair()
        agent = WebSocketCarrier(await open_transport(near), is_server=False)
        gateway = WebSocketCarrier(await open_transport(far), is_server=True)
        self.carriers.append(agent)
        self.table.serve(agent, command.purpose)
        try:
            await self._dials.deliver(self.actor, command.nonce, gateway)
        except GenbaError:
            gateway.close()

    async def close(self) -> None:
        self.table.close("The test is over.")
        for carrier in self.carriers:
            carrier.abort()
            await carrier.wait_closed()


class SessionWorld:
    """The services, and who takes part."""

    def __init__(self, rows: AgentRows, *, limit_s: float, open_limit_s: float) -> None:
        self.rows = rows
        self.tickets = Tickets(TicketKeys(rows.database, rows.sealer, rows.clock), rows.clock)
        self.rendezvous = Rendezvous()
        self.dials = AgentDials(self.tickets, self.rendezvous, limit_s=limit_s)
        self.links = AgentLinks(self.dials, open_limit_s=open_limit_s)
        self.sessions = AgentSessions(
            rows.database, rows.sealer, rows.pubsub, self.tickets, now=rows.clock, look_again_s=0.01
        )
        self.agent: PlayedAgent
        self.grant: SessionGrant

    async def sign_out(self) -> None:
        """Take the user's key away."""
        async with self.rows.database.write() as connection:
            await connection.execute(sa.delete(tables.api_keys))


@asynccontextmanager
async def session_world(
    rows: AgentRows, handler: StreamHandler, *, limit_s: float = CEILING_S, open_limit_s: float = CEILING_S
) -> AsyncGenerator[SessionWorld]:
    """A user who may use a connected agent."""
    world = SessionWorld(rows, limit_s=limit_s, open_limit_s=open_limit_s)
    actor = await rows.add_running_agent()
    await rows.add_session(rows.user)
    boot_id = str(uuid.UUID(bytes=BOOT_ID))
    connections = AgentConnections(rows.database, rows.pubsub, replica_id=REPLICA, now=rows.clock)
    async with asyncio.TaskGroup() as tasks, connections.lease(actor, boot_id, "1.0"):
        agent = world.agent = PlayedAgent(actor, world.dials, handler, tasks)
        world.grant = await world.sessions.grant(rows.user, actor.agent_id)
        links = tasks.create_task(world.links.run())
        await asyncio.sleep(0)
        try:
            with world.dials.serve(Control(actor.agent_id, actor.build_id, boot_id, agent.dial)):
                yield world
        finally:
            links.cancel()
            await agent.close()


@asynccontextmanager
async def taken_pair() -> AsyncGenerator[tuple[TakenTransport, socket.socket]]:
    """A transport as `take_transport` gives it, and the socket at its other end."""
    near, far = socket.socketpair()
    far.setblocking(False)
    transport = await open_transport(near)
    taken = TakenTransport(transport, b"", lambda: None)
    transport.set_protocol(WaitingProtocol(taken))  # as the takeover does
    try:
        yield taken, far
    finally:
        far.close()
        await taken.wind_up()
