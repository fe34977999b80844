"""The agent's table of links: greetings that fail, limits, and links that go away. (Resuming: test_link_session.)"""

from __future__ import annotations

import asyncio
import secrets
from contextlib import AsyncExitStack

import pytest

from genba_agent.carriers.links import MAX_LINKS, LinkTable
from genba_wire.aio.link_session import LinkSession
from genba_wire.aio.websocket_carrier import WebSocketCarrier
from genba_wire.errors import LinkEnded
from genba_wire.tunnel.frames import GREETING_S, CloseCode, Closed, Hello, Open, Resume, encode, parse
from tests.support.carriers import Hearer, carrier_pair
from tests.support.links import BOOT_ID, Hosts, StreamHearer, link_world


async def test_carrier_that_says_nothing_is_closed_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    table = LinkTable(BOOT_ID, Hosts().handle_stream)
    loop = asyncio.get_running_loop()
    async with carrier_pair() as (client, server):
        hearer = Hearer()
        client.start(hearer)
        table.serve(server)
        ahead = loop.time() + GREETING_S + 1
        monkeypatch.setattr(loop, "time", lambda: ahead)
        assert "greeting" in await hearer.wait_lost()
        monkeypatch.undo()
        closed = parse(hearer.messages[-1])
        assert isinstance(closed, Closed)
        assert closed.code == CloseCode.PROTOCOL
    assert len(table) == 0


async def test_carrier_that_begins_wrongly_is_refused() -> None:
    table = LinkTable(BOOT_ID, Hosts().handle_stream)
    async with carrier_pair() as (client, server):
        hearer = Hearer()
        client.start(hearer)
        table.serve(server)
        client.send(encode(Open(bytes(16), bytes(32))))
        await hearer.wait_lost()
        closed = parse(hearer.messages[-1])
    assert isinstance(closed, Closed)
    assert closed.code == CloseCode.PROTOCOL


async def test_key_that_is_none_is_refused_and_leaves_no_link() -> None:
    table = LinkTable(BOOT_ID, Hosts().handle_stream)
    async with carrier_pair() as (client, server):
        hearer = Hearer()
        client.start(hearer)
        table.serve(server)
        client.send(encode(Hello()))
        client.send(encode(Open(bytes(16), bytes(32))))
        await hearer.wait_lost()
        closed = parse(hearer.messages[-1])
    assert isinstance(closed, Closed)
    assert (closed.code, len(table)) == (CloseCode.PROTOCOL, 0)


async def test_client_that_vanishes_while_greeting_leaves_no_link() -> None:
    table = LinkTable(BOOT_ID, Hosts().handle_stream)
    async with carrier_pair() as (client, server):
        client.start(Hearer())
        table.serve(server)
        client.send(encode(Hello()))
        client.abort()
        await server.wait_closed()
    assert len(table) == 0


async def test_resume_without_the_secret_does_not_get_the_link() -> None:
    hosts = Hosts()
    async with link_world(hosts.handle_stream) as (world, _, _):
        near = StreamHearer(await world.session.open_stream("pty"))
        link_id = next(iter(world.table._links))  # pyright: ignore[reportPrivateUsage]
        async with carrier_pair() as (thief, served):
            hearer = Hearer()
            thief.start(hearer)
            world.table.serve(served)
            thief.send(encode(Hello()))
            thief.send(encode(Resume(link_id, BOOT_ID, 1, 0, secrets.token_bytes(16))))
            await hearer.until(lambda: len(hearer.messages) == 2)
            thief.send(bytes([0x85]) + bytes(32))
            await hearer.wait_lost()
            closed = parse(hearer.messages[-1])
            assert isinstance(closed, Closed)
            assert closed.code == CloseCode.BAD_PROOF
        # The owner comes back and finds all as it was.
        await world.wait_lost()
        async with carrier_pair() as (again, served):
            world.table.serve(served)
            await world.session.attach(again)
            near.stream.write(b"mine")
            await hosts.hearers[0].until(lambda: hosts.hearers[0].data == b"mine")


async def test_late_carrier_does_not_cost_the_link_the_one_that_it_has() -> None:
    hosts = Hosts()
    async with link_world(hosts.handle_stream) as (world, _, _):
        near = StreamHearer(await world.session.open_stream("pty"))
        link_id = next(iter(world.table._links))  # pyright: ignore[reportPrivateUsage]
        async with carrier_pair() as (again, served), carrier_pair() as (late, overtaken):
            world.table.serve(served)
            await world.session.attach(again)
            hearer = Hearer()
            late.start(hearer)
            world.table.serve(overtaken)
            late.send(encode(Hello()))
            late.send(encode(Resume(link_id, BOOT_ID, 1, 0, secrets.token_bytes(16))))
            await hearer.wait_lost()
            closed = parse(hearer.messages[-1])
            assert isinstance(closed, Closed)
            assert closed.code == CloseCode.BAD_PROOF
            near.stream.write(b"undisturbed")
            await hosts.hearers[0].until(lambda: hosts.hearers[0].data == b"undisturbed")
            assert world.lost == []


async def test_more_links_than_there_may_be_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = Hosts()
    assert MAX_LINKS > 1
    monkeypatch.setattr("genba_agent.carriers.links.MAX_LINKS", 1)
    async with link_world(hosts.handle_stream) as (world, _, _), carrier_pair() as (client, server):
        world.table.serve(server)
        with pytest.raises(LinkEnded, match="no room"):
            await LinkSession.connect(client)
        assert len(world.table) == 1


async def test_stop_of_the_agent_ends_all_links() -> None:
    async with link_world(Hosts().handle_stream) as (world, _, _):
        world.table.close("The agent stops.")
        end = await world.session.wait_closed()
        assert (end.code, end.reason, len(world.table)) == (CloseCode.GOING_AWAY, "The agent stops.", 0)


async def test_link_that_was_without_a_carrier_the_longest_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genba_agent.carriers.links.MAX_LINKS", 3)
    table = LinkTable(BOOT_ID, Hosts().handle_stream)
    sessions: list[LinkSession] = []

    async def connect(stack: AsyncExitStack) -> tuple[WebSocketCarrier, WebSocketCarrier]:
        client, server = await stack.enter_async_context(carrier_pair())
        table.serve(server)
        sessions.append(await LinkSession.connect(client))
        return client, server

    def link_ids() -> list[bytes]:
        return list(table._links)  # pyright: ignore[reportPrivateUsage]

    async with AsyncExitStack() as stack:
        pairs = [await connect(stack) for _ in range(3)]
        first, second, third = link_ids()
        for client, server in (pairs[1], pairs[0]):
            client.abort()
            await server.wait_closed()
        await connect(stack)
        assert link_ids()[:2] == [first, third]
        await connect(stack)
        assert link_ids()[:1] == [third]
        with pytest.raises(LinkEnded, match="no room"):
            await connect(stack)
        assert (len(table), second in link_ids()) == (3, False)
        for session in sessions:
            session.close()
        table.close("The test is over.")


async def test_link_that_is_never_resumed_can_not_be_ended_by_who_asks_to_resume_it() -> None:
    hosts = Hosts()
    table = LinkTable(BOOT_ID, hosts.handle_stream)
    async with carrier_pair() as (client, server), carrier_pair() as (thief, served):
        table.serve(server)
        session = await LinkSession.connect(client, never_resumes=True)
        near = StreamHearer(await session.open_stream("pty"))
        link_id = next(iter(table._links))  # pyright: ignore[reportPrivateUsage]
        hearer = Hearer()
        thief.start(hearer)
        table.serve(served)
        thief.send(encode(Hello()))
        thief.send(encode(Resume(link_id, BOOT_ID, 1, 0, secrets.token_bytes(16))))
        await hearer.wait_lost()
        closed = parse(hearer.messages[-1])
        assert isinstance(closed, Closed)
        assert closed.code == CloseCode.UNKNOWN_LINK
        near.stream.write(b"mine")
        await hosts.hearers[0].until(lambda: hosts.hearers[0].data == b"mine")
        session.close()


async def test_link_is_resumed_only_by_a_ticket_for_the_same_purpose() -> None:
    hosts = Hosts()
    table = LinkTable(BOOT_ID, hosts.handle_stream)
    async with carrier_pair() as (client, server), carrier_pair() as (again, served):
        table.serve(server, "terminal")
        session = await LinkSession.connect(client)
        await session.open_stream("pty")
        table.serve(served, "tunnel")
        with pytest.raises(LinkEnded) as ended:
            await session.attach(again)
        assert ended.value.code == CloseCode.UNKNOWN_LINK
        table.close("The test is over.")
