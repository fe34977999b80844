"""Clients' carriers: joined to an agent, or closed with a reason."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from genba_gateway.domain.session_grants import Purpose
from genba_gateway.errors import NotFound
from genba_gateway.services.client_carriers import CLOSE_REVOKED, ClientCarriers
from genba_wire.aio.carrier import CLOSE_INTERNAL_ERROR
from genba_wire.aio.link_session import LinkSession
from genba_wire.errors import StreamRefused
from genba_wire.tunnel.streams import PTY, TCP
from tests.support.agent_rows import open_agent_rows
from tests.support.carriers import CEILING_S, Hearer, carrier_pair, send_raw
from tests.support.links import Hosts, StreamHearer
from tests.support.raw_websocket import make_frame
from tests.support.session_world import VISITOR, session_world, taken_pair


async def test_a_client_reaches_the_agent_for_what_its_ticket_is_for(tmp_path: Path) -> None:
    hosts = Hosts()
    async with (
        open_agent_rows(tmp_path) as rows,
        session_world(rows, hosts.handle_stream) as world,
        carrier_pair() as (client, end),
        asyncio.TaskGroup() as tasks,
    ):
        carriers = ClientCarriers(world.sessions, world.dials)
        tasks.create_task(carriers.relay(world.grant, Purpose.TUNNEL, end, VISITOR))
        session = await LinkSession.connect(client)
        near = StreamHearer(await session.open_stream(TCP))
        near.stream.write(b"hello")
        await hosts.hearers[0].until(lambda: hosts.hearers[0].data == b"hello")
        with pytest.raises(StreamRefused, match="ticket for a tunnel"):
            await session.open_stream(PTY)
        session.close()


async def test_a_client_whose_agent_can_not_be_reached_is_told(tmp_path: Path) -> None:
    async with (
        open_agent_rows(tmp_path) as rows,
        session_world(rows, Hosts().handle_stream, limit_s=0.01) as world,
        carrier_pair() as (client, end),
    ):
        world.agent.is_answering = False
        hearer = Hearer()
        client.start(hearer)
        await ClientCarriers(world.sessions, world.dials).relay(world.grant, Purpose.TERMINAL, end, VISITOR)
        await hearer.wait_lost()
        assert client.close_code == CLOSE_INTERNAL_ERROR
        assert client.close_reason.startswith("dial: The agent did not open")


async def test_a_session_that_may_not_be_any_more_is_closed_while_it_is_opened(tmp_path: Path) -> None:
    async with (
        open_agent_rows(tmp_path) as rows,
        session_world(rows, Hosts().handle_stream) as world,
        carrier_pair() as (client, end),
        asyncio.TaskGroup() as tasks,
    ):
        world.agent.is_answering = False
        hearer = Hearer()
        client.start(hearer)
        carriers = ClientCarriers(world.sessions, world.dials)
        tasks.create_task(carriers.relay(world.grant, Purpose.TERMINAL, end, VISITOR))
        await world.agent.dialled.get()
        await world.sign_out()
        await hearer.wait_lost()
        assert (client.close_code, client.close_reason) == (CLOSE_REVOKED, "You signed out.")


async def test_a_session_that_may_not_go_on_is_closed(tmp_path: Path) -> None:
    async with (
        open_agent_rows(tmp_path) as rows,
        session_world(rows, Hosts().handle_stream) as world,
        carrier_pair() as (client, end),
        asyncio.TaskGroup() as tasks,
    ):
        carriers = ClientCarriers(world.sessions, world.dials)
        tasks.create_task(carriers.relay(world.grant, Purpose.TERMINAL, end, VISITOR))
        lost: asyncio.Queue[str] = asyncio.Queue()
        session = await LinkSession.connect(client, on_lost=lost.put_nowait)
        await world.sign_out()
        await lost.get()
        assert client.close_code == CLOSE_REVOKED
        session.close()


async def test_a_client_that_leaves_while_the_agent_is_dialled_is_waited_for_no_longer(tmp_path: Path) -> None:
    async with (
        open_agent_rows(tmp_path) as rows,
        session_world(rows, Hosts().handle_stream) as world,
        taken_pair() as (end, client),
        asyncio.timeout(CEILING_S),
        asyncio.TaskGroup() as tasks,
    ):
        world.agent.is_answering = False
        carriers = ClientCarriers(world.sessions, world.dials)
        serving = tasks.create_task(carriers.relay(world.grant, Purpose.TERMINAL, end, VISITOR))
        command = await world.agent.dialled.get()
        await send_raw(client, make_frame(b"hello"))
        client.close()
        await serving
        with pytest.raises(NotFound):
            world.rendezvous.check(command.nonce, world.agent.actor.agent_id)
