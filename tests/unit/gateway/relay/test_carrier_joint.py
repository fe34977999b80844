from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from genba_gateway.relay.carrier_joint import CarrierJoint
from genba_gateway.relay.joint import JoinEnd
from genba_wire.aio.websocket_carrier import WebSocketCarrier
from tests.support.carriers import CEILING_S, Hearer, carrier_pair


@asynccontextmanager
async def joined() -> AsyncGenerator[tuple[WebSocketCarrier, WebSocketCarrier, CarrierJoint, asyncio.Task[JoinEnd]]]:
    """A client's and an agent's carrier, whose other ends are joined."""
    async with (
        carrier_pair() as (client, near),
        carrier_pair() as (agent, far),
        asyncio.timeout(CEILING_S),
        asyncio.TaskGroup() as tasks,
    ):
        joint = CarrierJoint(near, far)
        run = tasks.create_task(joint.run())
        yield client, agent, joint, run
        run.cancel()


async def test_messages_pass_both_ways_and_are_counted() -> None:
    async with joined() as (client, agent, _, run):
        at_client, at_agent = Hearer(), Hearer()
        client.start(at_client)
        agent.start(at_agent)
        client.send(b"to the ", b"agent")
        await at_agent.until(lambda: at_agent.messages == [b"to the agent"])
        agent.send(b"and back")
        await at_client.until(lambda: at_client.messages == [b"and back"])
        client.close(1000, "done")
        ended = await run
        assert (ended.bytes_from_a, ended.bytes_from_b) == (12, 8)
        assert "client" in ended.reason
        await at_agent.wait_lost()
        assert agent.close_code == 1001


async def test_closing_tells_both_ends_why() -> None:
    async with joined() as (client, agent, joint, run):
        hearers = (Hearer(), Hearer())
        client.start(hearers[0])
        agent.start(hearers[1])
        client.send(b"x")
        await hearers[1].until(lambda: bool(hearers[1].messages))
        joint.close(4001, "revoked")
        assert (await run).reason == "revoked"
        for carrier, hearer in zip((client, agent), hearers, strict=True):
            assert await hearer.wait_lost() == "revoked"
            assert carrier.close_code == 4001


async def test_cancelling_closes_both_ends() -> None:
    async with joined() as (client, agent, _, run):
        hearers = (Hearer(), Hearer())
        client.start(hearers[0])
        agent.start(hearers[1])
        client.send(b"x")
        await hearers[1].until(lambda: bool(hearers[1].messages))
        run.cancel()
        for hearer in hearers:
            await hearer.wait_lost()


async def test_an_end_that_takes_nothing_holds_the_other() -> None:
    async with joined() as (client, agent, _, _run):
        at_client, at_agent = Hearer(), Hearer()
        client.start(at_client)
        agent.start(at_agent)
        agent.pause_reading()
        block = bytes(64 * 1024)
        sent = 0
        while not client.is_sending_paused:
            client.send(block)
            sent += 1
            await asyncio.sleep(0)
        agent.resume_reading()
        await at_agent.until(lambda: len(at_agent.messages) == sent)
        await at_client.until(lambda: at_client.resumes == at_client.pauses)
