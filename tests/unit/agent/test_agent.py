from __future__ import annotations

import asyncio
from pathlib import Path

from genba_agent.agent import Agent, stop_twice
from genba_agent.options import parse_options
from genba_wire.aio.transport import Transport, TransportOptions
from genba_wire.tunnel.frames import PING_AFTER_S
from tests.support.agent_builders import make_manifest
from tests.support.agent_clock import FakeClock
from tests.support.agent_gateway import TOKEN, AgentGateway, running_gateway


async def make_agent(gateway: AgentGateway, folder: Path, transport: Transport, clock: FakeClock) -> Agent:
    environ = {"CODER_AGENT_URL": gateway.url, "CODER_AGENT_TOKEN": TOKEN, "CODER_AGENT_SCRIPT_DATA_DIR": str(folder)}
    options = await asyncio.to_thread(parse_options, [], environ)
    return Agent(options, ["/opt/genba"], transport, clock)


async def test_first_signal_stops_and_the_second_kills(tmp_path: Path) -> None:
    killed: list[bool] = []
    async with (
        running_gateway(make_manifest()) as gateway,
        Transport(TransportOptions(base_url=gateway.url, token=TOKEN)) as transport,
        asyncio.TaskGroup() as group,
    ):
        gateway.fail_next("manifest", 503, times=1000)
        agent = await make_agent(gateway, tmp_path, transport, FakeClock())
        handle = stop_twice(agent, lambda: killed.append(True))
        running = group.create_task(agent.run())
        await gateway.wait_for(lambda: gateway.open_controls == 1)
        handle()
        await running
        assert killed == []
        # Nothing had begun, but whoever waits for the agent's end hears of it.
        assert gateway.lifecycle == ["created", "shutting_down", "off"]
        handle()
        assert killed == [True]


async def test_manifest_refused_for_good_is_asked_for_again_later(tmp_path: Path) -> None:
    clock = FakeClock()
    async with (
        running_gateway(make_manifest()) as gateway,
        Transport(TransportOptions(base_url=gateway.url, token=TOKEN)) as transport,
        asyncio.TaskGroup() as group,
    ):
        gateway.fail_next("manifest", 400, times=2)
        agent = await make_agent(gateway, tmp_path, transport, clock)
        running = group.create_task(agent.run())
        # The wait for the gateway's hello is as long, so let it be over.
        await clock.wait_for_sleep(PING_AFTER_S)
        for _ in range(2):
            await clock.wait_for_sleep(10)
            clock.advance(10)
        await gateway.wait_for(lambda: "ready" in gateway.lifecycle)
        agent.stop()
        await running
        assert gateway.lifecycle[-1] == "off"
