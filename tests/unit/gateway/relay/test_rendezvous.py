from __future__ import annotations

import asyncio

import pytest

from genba_gateway.errors import AgentUnreachable, Conflict, NotFound
from genba_gateway.relay.rendezvous import Rendezvous
from tests.support.carriers import CEILING_S, carrier_pair


async def test_the_agents_end_arrives_and_its_request_lasts_as_long_as_the_session() -> None:
    rendezvous = Rendezvous()
    async with carrier_pair() as (end, _), asyncio.TaskGroup() as tasks:
        async with rendezvous.expect("n", "agent") as waiting:
            request = tasks.create_task(rendezvous.deliver("n", "agent", end))
            assert await waiting.arrive(CEILING_S) is end
            assert not request.done()
        async with asyncio.timeout(CEILING_S):
            await request


async def test_an_end_may_come_before_it_is_waited_for() -> None:
    rendezvous = Rendezvous()
    async with carrier_pair() as (end, _), asyncio.TaskGroup() as tasks, rendezvous.expect("n", "agent") as waiting:
        tasks.create_task(rendezvous.deliver("n", "agent", end))
        await asyncio.sleep(0)
        assert waiting.has_arrived
        assert await waiting.arrive(CEILING_S) is end


@pytest.mark.parametrize(("nonce", "agent_id"), [("other", "agent"), ("n", "another")])
async def test_nobody_waits_for_another_nonce_or_another_agent(nonce: str, agent_id: str) -> None:
    rendezvous = Rendezvous()
    async with carrier_pair() as (end, _), rendezvous.expect("n", "agent"):
        with pytest.raises(NotFound):
            rendezvous.check(nonce, agent_id)
        with pytest.raises(NotFound):
            await rendezvous.deliver(nonce, agent_id, end)


async def test_a_nonce_works_once() -> None:
    rendezvous = Rendezvous()
    async with carrier_pair() as (end, other), asyncio.TaskGroup() as tasks, rendezvous.expect("n", "agent") as waiting:
        tasks.create_task(rendezvous.deliver("n", "agent", end))
        await waiting.arrive(CEILING_S)
        with pytest.raises(Conflict):
            await rendezvous.deliver("n", "agent", other)


async def test_a_nonce_is_unknown_once_its_request_has_ended() -> None:
    rendezvous = Rendezvous()
    async with rendezvous.expect("n", "agent"):
        rendezvous.check("n", "agent")
    with pytest.raises(NotFound):
        rendezvous.check("n", "agent")


async def test_an_agent_that_does_not_come_is_named_unreachable() -> None:
    async with Rendezvous().expect("n", "agent") as waiting:
        with pytest.raises(AgentUnreachable):
            await waiting.arrive(0.01)
