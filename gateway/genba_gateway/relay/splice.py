"""Joining two ends of a session, the fastest way that both of them allow."""

from __future__ import annotations

from genba_gateway.relay.carrier_joint import CarrierJoint
from genba_gateway.relay.ends import End, carrier_of
from genba_gateway.relay.joint import JoinEnd, Joint
from genba_gateway.relay.taken_transport import TakenTransport
from genba_gateway.relay.transport_joint import TransportJoint


def make_joint(client: End, agent: End) -> Joint:
    """Make the joint of two ends, for who wants to close the session from outside; nothing flows before its `run`."""
    if isinstance(client, TakenTransport) and isinstance(agent, TakenTransport):
        return TransportJoint(client, agent)
    return CarrierJoint(carrier_of(client), carrier_of(agent))


async def join(client: End, agent: End) -> JoinEnd:
    """Join two ends until the session is over."""
    return await make_joint(client, agent).run()
