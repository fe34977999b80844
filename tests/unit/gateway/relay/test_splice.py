from __future__ import annotations

import asyncio

from genba_gateway.relay.carrier_joint import CarrierJoint
from genba_gateway.relay.splice import join, make_joint
from genba_gateway.relay.transport_joint import TransportJoint
from tests.support.carriers import Hearer, carrier_pair
from tests.support.session_world import taken_pair


async def test_two_taken_transports_are_joined_by_their_bytes_and_anything_else_by_messages() -> None:
    async with taken_pair() as (client, _), taken_pair() as (agent, _), carrier_pair() as (_, carrier):
        assert isinstance(make_joint(client, agent), TransportJoint)
        assert isinstance(make_joint(carrier, agent), CarrierJoint)


async def test_joined_carriers_carry_until_one_is_gone() -> None:
    async with carrier_pair() as (client, left), carrier_pair() as (agent, right), asyncio.TaskGroup() as tasks:
        joining = tasks.create_task(join(left, right))
        hearer = Hearer()
        agent.start(hearer)
        client.start(Hearer())
        client.send(b"hello")
        await hearer.until(lambda: hearer.messages == [b"hello"])
        client.close()
        assert (await joining).bytes_from_a == len(b"hello")
