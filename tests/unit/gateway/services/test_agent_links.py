"""The gateway's own links: shared, never resumed, and patient for a limited time only."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from genba_gateway.errors import AgentUnreachable
from genba_wire.aio.stream import Stream
from genba_wire.tunnel.mux_frames import ResetCode
from genba_wire.tunnel.streams import PTY, TCP
from tests.support.agent_rows import open_agent_rows
from tests.support.links import Hosts, StreamHearer
from tests.support.session_world import session_world


async def test_streams_to_one_agent_share_a_link(tmp_path: Path) -> None:
    hosts = Hosts()
    async with open_agent_rows(tmp_path) as rows, session_world(rows, hosts.handle_stream) as world:
        agent_id = world.agent.actor.agent_id
        async with world.links.open_stream(agent_id, PTY, b"1"), world.links.open_stream(agent_id, PTY, b"2"):
            assert hosts.opened == [(PTY, b"1"), (PTY, b"2")]
        assert world.agent.dialled.qsize() == 1
        assert world.agent.dialled.get_nowait().purpose == "terminal"
        await hosts.hearers[1].until(lambda: all(hearer.resets for hearer in hosts.hearers))
        assert hosts.hearers[0].resets[0][0] == ResetCode.CANCELLED


async def test_the_gateways_own_links_are_for_terminals_alone(tmp_path: Path) -> None:
    hosts = Hosts()
    async with open_agent_rows(tmp_path) as rows, session_world(rows, hosts.handle_stream) as world:
        with pytest.raises(AgentUnreachable, match="'tcp'"):
            async with world.links.open_stream(world.agent.actor.agent_id, TCP, b""):
                pass
        assert hosts.opened == []


async def test_a_lost_carrier_ends_the_link_at_both_ends_and_the_next_stream_dials_again(tmp_path: Path) -> None:
    hosts = Hosts()
    async with open_agent_rows(tmp_path) as rows, session_world(rows, hosts.handle_stream) as world:
        agent_id = world.agent.actor.agent_id
        async with world.links.open_stream(agent_id, PTY, b"") as opened:
            near = StreamHearer(opened.stream)
            # The transport's own abort, of which both ends hear.
            world.agent.carriers[0]._transport.abort()  # pyright: ignore[reportPrivateUsage]
            await near.until(lambda: bool(near.resets))
            assert near.resets[0][0] == ResetCode.LINK_LOST
            await hosts.hearers[0].until(lambda: bool(hosts.hearers[0].resets))
            assert len(world.agent.table) == 0
        async with world.links.open_stream(agent_id, PTY, b""):
            assert world.agent.dialled.qsize() == 2


async def test_an_agent_that_does_not_answer_is_waited_for_a_limited_time(tmp_path: Path) -> None:
    offered: list[Stream] = []
    async with (
        open_agent_rows(tmp_path) as rows,
        session_world(rows, lambda _kind, _head, stream: offered.append(stream), open_limit_s=0.01) as world,
    ):
        with pytest.raises(AgentUnreachable, match=r"did not answer within 0\.01 s"):
            async with world.links.open_stream(world.agent.actor.agent_id, PTY, b""):
                pass


async def test_who_gives_up_waiting_leaves_the_dial_to_the_others(tmp_path: Path) -> None:
    hosts = Hosts()
    async with open_agent_rows(tmp_path) as rows, session_world(rows, hosts.handle_stream) as world:
        world.agent.is_answering = False
        agent_id = world.agent.actor.agent_id
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01), world.links.open_stream(agent_id, PTY, b"1"):
                pass
        async with asyncio.TaskGroup() as group:
            command = await world.agent.dialled.get()
            answering = group.create_task(world.agent.answer(command))
            async with world.links.open_stream(agent_id, PTY, b"2"):
                assert hosts.opened == [(PTY, b"2")]
            answering.cancel()


async def test_an_agent_that_is_not_here_is_unreachable_at_once(tmp_path: Path) -> None:
    async with open_agent_rows(tmp_path) as rows, session_world(rows, Hosts().handle_stream) as world:
        with pytest.raises(AgentUnreachable, match="no control connection"):
            async with world.links.open_stream("another", PTY, b""):
                pass
