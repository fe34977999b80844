"""A link is dialled again as soon as there is hope; the agent is played by the test."""

from __future__ import annotations

import asyncio

from genba_ide_bridge.sessions.agent_link import AgentLink
from genba_ide_bridge.sessions.redial import RedialDelays
from genba_ide_bridge.sessions.refusals import AgentAddress
from genba_wire.errors import GatewayRefused, GatewayUnreachable
from tests.support.terminal_agent import TerminalStage, terminal_stage

CEILING_S = 30.0


class Slept:
    """Sleeping takes no time, and is written down."""

    def __init__(self) -> None:
        self.delays: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.delays.append(seconds)
        await asyncio.sleep(0)

    def clock(self) -> float:
        return sum(self.delays)


def make_link(stage: TerminalStage, slept: Slept) -> AgentLink:
    request = stage.request
    return AgentLink(
        stage.client,
        AgentAddress(request.workspace_id, request.build_id, request.agent_id),
        on_outage=lambda _: None,
        on_resumed=stage.changes.note,
        delays=RedialDelays(slept.sleep, slept.clock),
    )


async def test_a_gateway_that_is_back_is_asked_at_short_intervals_until_its_agent_is() -> None:
    slept = Slept()
    async with asyncio.timeout(CEILING_S), terminal_stage() as stage:
        link = make_link(stage, slept)
        await link.connect()
        async with asyncio.TaskGroup() as group:
            keeping = group.create_task(link.keep())
            stage.transport.failures += [GatewayUnreachable("It is away.")] * 20
            stage.transport.failures += [GatewayRefused(409, "The agent is not connected.")] * 2
            stage.transport.lose_carrier()
            await stage.until(lambda: not stage.transport.failures and link.is_attached)
            link.leave()
            await keeping
        await link.close()
    away, back = slept.delays[1:20], slept.delays[20:22]
    assert max(away) <= 0.3
    assert min(away[4:]) > 0.2
    assert max(back[0], back[1] / 2) <= 0.05
