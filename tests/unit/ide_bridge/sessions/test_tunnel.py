from __future__ import annotations

import asyncio

import pytest

from genba_ide_bridge.sessions.agent_link import SessionOver
from genba_wire.errors import GatewayRefused, GatewayUnreachable, StreamRefused
from genba_wire.tunnel.streams import SPEED, SpeedOpen, encode
from tests.support.carriers import CEILING_S
from tests.support.links import StreamHearer
from tests.support.tunnel_stage import TunnelStage, tunnel_stage

ECHO = encode(SpeedOpen(direction="echo"))


async def echo(stage: TunnelStage, text: bytes) -> StreamHearer:
    near = StreamHearer(await stage.tunnel.open_stream(SPEED, ECHO))
    near.stream.write(text)
    await near.until(lambda: near.data == text)
    return near


async def test_streams_share_a_link_and_its_tickets_are_for_tunnels() -> None:
    async with tunnel_stage() as stage:
        await echo(stage, b"one")
        await echo(stage, b"two")
        assert len(stage.transport.far_ends) == 1
        asked = [one.json() for one in stage.gateway.requests if one.path.endswith("/tickets")]
        assert asked == [{"purpose": "tunnel"}]


async def test_stream_outlives_the_carrier_and_new_ones_wait_for_the_way() -> None:
    async with tunnel_stage() as stage:
        near = await echo(stage, b"before")
        # Three redials fail; what is opened meanwhile waits.
        stage.transport.failures = [GatewayUnreachable("down")] * 3
        stage.transport.lose_carrier()
        await stage.until(lambda: bool(stage.outages))
        later = await echo(stage, b"opened in the outage")
        near.stream.write(b" after")
        await near.until(lambda: near.data == b"before after")
        assert stage.ways == 2
        assert later.stream.number > near.stream.number


async def test_agent_that_was_restarted_gets_another_link() -> None:
    async with tunnel_stage() as stage:
        near = await echo(stage, b"before")
        stage.transport.forget_links()
        await near.until(lambda: bool(near.resets))
        await echo(stage, b"with another process")


async def test_agent_refuses_a_stream() -> None:
    async with tunnel_stage() as stage:
        with pytest.raises(StreamRefused, match="opens no streams of the kind"):
            await stage.tunnel.open_stream("later", b"{}")


async def test_verdict_ends_the_tunnel_and_those_who_wait() -> None:
    async with tunnel_stage() as stage:
        await echo(stage, b"before")
        stage.transport.failures = [GatewayRefused(401, "You signed out.")] * 2
        stage.transport.lose_carrier()
        await stage.until(lambda: bool(stage.outages))
        with pytest.raises(SessionOver, match="not signed in"):
            await stage.tunnel.open_stream(SPEED, ECHO)
        async with asyncio.timeout(CEILING_S):
            assert "You signed out" in (await stage.running).reason
