"""A link under any order of sending, delivering, losing carriers and resuming."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from genba_wire.tunnel.frames import CloseCode
from genba_wire.tunnel.link import LinkState
from tests.unit.wire.tunnel.link_pair import LinkPair, agent_of

steps = st.lists(
    st.sampled_from(["client sends", "agent sends", "to agent", "to client", "all", "cut", "unnoticed cut", "connect"]),
    max_size=60,
)


def take(pair: LinkPair, step: str) -> None:
    """Carry a step out, where the state allows it."""
    agent = pair.agent
    match step:
        case "client sends" if pair.client.is_writable:
            pair.send_from_client(f"c{len(pair.client_sent)},".encode())
        case "agent sends" if agent is not None and agent.is_writable:
            pair.send_from_agent(f"a{len(pair.agent_sent)},".encode())
        case "to agent" if pair.to_agent:
            pair.deliver_to_agent()
        case "to client" if pair.to_client:
            pair.deliver_to_client()
        case "all":
            pair.deliver_all()
        case "cut" | "unnoticed cut":
            pair.cut(agent_notices=step == "cut")
        case "connect" if pair.client.state in (LinkState.NEW, LinkState.DETACHED):
            if agent is None or agent.ended is None:
                pair.connect()
        case _:
            pass


def check_prefixes(pair: LinkPair) -> None:
    """What arrived is always the beginning of what was sent."""
    assert pair.client_sent.startswith(pair.agent_received)
    assert pair.agent_sent.startswith(pair.client_received)


@given(steps)
def test_what_arrives_is_always_a_prefix_of_what_was_sent(steps: list[str]) -> None:
    pair = LinkPair()
    for step in steps:
        take(pair, step)
        check_prefixes(pair)
    for link in (pair.client, pair.agent):
        assert link is None or link.ended is None or link.ended.code == CloseCode.BYTES_LOST


@given(steps)
def test_a_resume_succeeds_exactly_when_nothing_was_lost(steps: list[str]) -> None:
    pair = LinkPair()
    pair.connect()
    pair.deliver_all()
    for step in steps:
        take(pair, step)
    if pair.client.ended is not None or agent_of(pair).ended is not None:
        return
    pair.cut()
    is_whole = pair.client_sent == pair.agent_received and pair.agent_sent == pair.client_received
    pair.connect()
    pair.deliver_all()
    expected = LinkState.OPEN if is_whole else LinkState.CLOSED
    assert pair.client.state is agent_of(pair).state is expected
    if is_whole:
        pair.send_from_client(b"on")
        pair.deliver_all()
        assert pair.agent_received == pair.client_sent
