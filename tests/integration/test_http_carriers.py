"""Sessions over HTTP requests, from the clients' own end to an agent's, through a real server."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from genba_gateway.relay.takeover import CLOSE_RESTARTING
from genba_gateway.services.client_carriers import CLOSE_REVOKED
from genba_wire.aio.carrier_ways import REMEMBER_S, CarrierWays, WebsocketUse
from genba_wire.aio.link_session import LinkSession
from genba_wire.aio.transport import Transport, TransportOptions
from genba_wire.api.agent_protocol import CONTROL_PATH
from genba_wire.tunnel.frames import Hello, Ping, Pong, encode, parse
from genba_wire.tunnel.streams import TCP
from tests.support.agent_rows import make_agent_spec
from tests.support.carriers import CEILING_S, Hearer
from tests.support.http_carrier_world import TOKEN, open_world
from tests.support.links import BOOT_ID, StreamHearer
from tests.support.refusing_proxy import Manner, refusing_proxy


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


@pytest.mark.parametrize("manner", [Manner.REFUSES, Manner.STRIPS, Manner.BREAKS])
async def test_client_behind_a_proxy_that_lets_no_websocket_through_says_so_and_goes_on(
    tmp_path: Path, manner: Manner
) -> None:
    told: list[str] = []
    async with open_world(tmp_path) as world, asyncio.timeout(CEILING_S), refusing_proxy(world.url, manner) as proxy:
        async with Transport(TransportOptions(proxy.url, token=TOKEN)) as transport:
            transport.carrier_ways.on_fallback = told.append
            for _ in range(2):
                carrier = await transport.carrier(world.path, headers=await world.ticket())
                session = await LinkSession.connect(carrier)
                session.close()
                carrier.close()
                await carrier.wait_closed()
        assert proxy.upgrades == (2 if manner is Manner.BREAKS else 1)
    assert told == [
        {
            Manner.REFUSES: "strict/1.0 answers them with status 403",
            Manner.STRIPS: "their Upgrade header gets lost on the way",
            Manner.BREAKS: "their connections are broken off in the handshake",
        }[manner]
    ]


async def test_client_whose_handshake_is_not_answered_has_its_carrier_in_the_time_it_gave(tmp_path: Path) -> None:
    now = 0.0
    async with (
        open_world(tmp_path) as world,
        refusing_proxy(world.url, Manner.IGNORES) as proxy,
        Transport(TransportOptions(proxy.url, token=TOKEN)) as transport,
        asyncio.timeout(CEILING_S),
    ):
        transport.carrier_ways = ways = CarrierWays(WebsocketUse.AUTO, lambda: now, look_again_s=0.1)
        for upgrades in (2, 3, 3):
            carrier = await transport.carrier(world.path, headers=await world.ticket(), within_s=0.3)
            assert (proxy.upgrades, ways.http_reason) == (upgrades, "their handshake is not answered")
            carrier.close()
            await carrier.wait_closed()
            now = REMEMBER_S


async def test_link_goes_on_when_the_proxy_drops_the_answer(tmp_path: Path) -> None:
    async with (
        open_world(tmp_path) as world,
        asyncio.timeout(CEILING_S),
        refusing_proxy(world.url) as proxy,
        Transport(TransportOptions(proxy.url, token=TOKEN)) as transport,
    ):
        lost = asyncio.Event()
        session = await LinkSession.connect(
            await transport.carrier(world.path, headers=await world.ticket()), on_lost=lambda _: lost.set()
        )
        near = StreamHearer(await session.open_stream(TCP))
        near.stream.write(b"before ")
        far = world.hosts.hearers[0]
        await far.until(lambda: far.data == b"before ")
        await proxy.cut()
        near.stream.write(b"meanwhile ")
        await lost.wait()
        carrier = await transport.carrier(world.path, headers=await world.ticket())
        await session.attach(carrier)
        near.stream.write(b"after")
        await far.until(lambda: far.data == b"before meanwhile after")
        session.close()
        carrier.close()
        await carrier.wait_closed()


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
