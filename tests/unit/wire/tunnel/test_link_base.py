"""A link under any order of sending, delivering, losing carriers, redialling and resuming."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from genba_wire.tunnel import replay
from genba_wire.tunnel.frames import CloseCode
from genba_wire.tunnel.link import LinkState
from genba_wire.tunnel.replay import ReplayBudget
from tests.unit.wire.tunnel.link_network import Network

booleans, indexes = st.booleans(), st.integers(0, 5)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("send"), booleans, st.integers(0, 300)),
        st.tuples(st.just("deliver"), indexes, booleans),
        st.tuples(st.just("deliver"), indexes, booleans),
        st.tuples(st.just("lose"), indexes, booleans, booleans),
        st.tuples(st.just("resend"), st.integers(1, 500)),
        st.tuples(st.just("time"), st.sampled_from([0.1, 0.3, 16.0, 31.0])),
        st.tuples(st.just("dial")),
        st.tuples(st.just("settle")),
    ),
    max_size=80,
)
Step = tuple[object, ...]

MOST, LEAST = 1000, 200


@contextmanager
def small_limits() -> Generator[None]:
    """Limits that a few dozen messages reach, so that being full is an everyday thing."""
    with patch.object(replay, "MAX_REPLAY_BYTES", MOST), patch.object(replay, "LEAST_REPLAY_BYTES", LEAST):
        yield


def take(network: Network, step: Step) -> None:
    """Carry a step out."""
    match step:
        case ("send", bool(from_client), int(size)):
            network.send(from_client=from_client, size=size)
        case ("deliver", int(index), bool(to_client)):
            network.deliver(index, to_client=to_client)
        case ("lose", int(index), bool(client_hears), bool(agent_hears)):
            network.lose(index, client_hears=client_hears, agent_hears=agent_hears)
        case ("resend", int(budget)):
            network.resend(budget)
        case ("time", float(seconds)):
            network.pass_time(seconds)
        case ("dial",):
            network.dial()
        case ("settle",):
            network.settle()
        case _:
            raise AssertionError(step)


def check(network: Network) -> None:
    """What arrived is the beginning of what was sent; memory is within its limits and counted right."""
    client, agent = network.client, network.agent
    assert agent is None or client.sent.startswith(agent.received)
    assert agent is None or agent.sent.startswith(client.received)
    held = [end.link.sent - end.link.acknowledged for end in network.ends if end.ended is None]
    assert sum(held) == network.budget.held
    assert all(each <= MOST for each in held)
    assert network.budget.held <= network.budget.limit + len(held) * LEAST + MOST


@given(steps)
def test_delivered_bytes_are_the_sent_bytes_whatever_the_network_does(steps: list[Step]) -> None:
    with small_limits():
        network = Network(budget=ReplayBudget(limit=1500))
        for step in steps:
            take(network, step)
            check(network)
        network.settle()
        check(network)
    client, agent = network.client, network.agent
    if client.ended is not None:
        # Only a link that was not yet accepted may end: nobody can have used it.
        assert client.ended.code == CloseCode.BYTES_LOST
        assert client.link.boot_id == bytes(16)
        return
    assert agent is not None
    assert client.link.state is agent.link.state is LinkState.OPEN
    assert (bytes(agent.received), bytes(client.received)) == (client.sent, agent.sent)
    network.pass_time(1.0)
    network.settle()
    assert network.budget.held == 0


@given(steps)
def test_an_open_link_survives_everything(steps: list[Step]) -> None:
    with small_limits():
        network = Network()
        network.settle()
        for step in steps:
            take(network, step)
        network.settle()
    assert network.client.ended is None
    assert network.agent is not None
    assert network.agent.ended is None
    assert bytes(network.agent.received) == network.client.sent
    assert bytes(network.client.received) == network.agent.sent
