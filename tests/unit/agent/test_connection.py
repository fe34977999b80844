from __future__ import annotations

import asyncio

from genba_agent.api import AgentApi
from genba_agent.backoff import Backoff
from genba_agent.connection import STABLE_AFTER_S, ControlConnection
from genba_wire.aio.transport import Transport, TransportOptions
from tests.support.agent_builders import make_manifest
from tests.support.agent_clock import FakeClock
from tests.support.agent_gateway import TOKEN, running_gateway


async def test_connection_that_lived_ends_the_outage_and_a_short_one_does_not() -> None:
    clock = FakeClock()
    backoff = Backoff(clock.monotonic, jitter=lambda: 1.0)
    connected = asyncio.Event()
    async with (
        running_gateway(make_manifest()) as gateway,
        Transport(TransportOptions(base_url=gateway.url, token=TOKEN)) as transport,
    ):
        connection = ControlConnection(AgentApi(transport), clock, connected.set, backoff)

        async def connect_and_drop(lived_s: float) -> None:
            connected.clear()
            async with asyncio.TaskGroup() as group:
                step = group.create_task(connection.step())
                await connected.wait()
                clock.advance(lived_s)
                await gateway.wait_for(lambda: gateway.open_controls == 1)
                gateway.close_control()
                await step
            await gateway.wait_for(lambda: gateway.open_controls == 0)

        backoff.next_wait_s()
        await connect_and_drop(STABLE_AFTER_S - 1)
        assert backoff.next_wait_s() > 0
        await connect_and_drop(STABLE_AFTER_S)
        assert backoff.next_wait_s() == 0
        assert gateway.control_connections == 2


async def test_absent_gateway_is_survived() -> None:
    clock = FakeClock()
    async with running_gateway(make_manifest()) as gateway:
        url = gateway.url
    async with Transport(TransportOptions(base_url=url, token=TOKEN)) as transport:
        await ControlConnection(AgentApi(transport), clock, lambda: None).step()


async def test_run_waits_between_attempts() -> None:
    clock = FakeClock()
    async with running_gateway(make_manifest()) as gateway:
        gateway.token = "another"
        async with (
            Transport(TransportOptions(base_url=gateway.url, token=TOKEN)) as transport,
            asyncio.TaskGroup() as group,
        ):
            backoff = Backoff(clock.monotonic, jitter=lambda: 1.0)
            running = group.create_task(ControlConnection(AgentApi(transport), clock, lambda: None, backoff).run())
            await clock.wait_for_sleep(0.1)
            assert len(gateway.requests) == 2
            clock.advance(0.1)
            await clock.wait_for_sleep(0.2)
            assert len(gateway.requests) == 3
            running.cancel()
