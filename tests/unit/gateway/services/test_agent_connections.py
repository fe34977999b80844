from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import pytest

from genba_gateway.domain.actors import AgentActor
from genba_gateway.domain.agents import Agent, AgentStatus, agent_status
from genba_gateway.domain.channels import of_workspace
from genba_gateway.services.agent_connections import SUPERSEDED, TAKEN_OVER, AgentConnections
from genba_gateway.store import agent_connections as connection_store
from tests.support.agent_rows import REPLICA, AgentRows, open_agent_rows

CEILING_S = 30.0
NEVER_S = 3600.0
BOOT_ID = str(uuid.uuid4())


@pytest.fixture
async def rows(tmp_path: Path) -> AsyncGenerator[AgentRows]:
    async with open_agent_rows(tmp_path) as opened:
        yield opened


def make_connections(rows: AgentRows, *, tick_s: float = NEVER_S) -> AgentConnections:
    return AgentConnections(rows.database, rows.pubsub, replica_id=REPLICA, now=rows.clock, tick_s=tick_s)


async def keep(connections: AgentConnections, actor: AgentActor) -> str:
    """Hold the lease until it is lost, and say why."""
    async with connections.lease(actor, BOOT_ID, "1.0") as lease:
        return await lease.wait_for_loss()


async def status_of(rows: AgentRows, actor: AgentActor) -> AgentStatus:
    return agent_status(await rows.get_agent(actor.agent_id), rows.clock())[0]


async def wait_for(rows: AgentRows, actor: AgentActor, is_so: Callable[[Agent], bool]) -> Agent:
    """The agent once it is so; looks at each notice, and now and then for what nobody announces."""
    async with asyncio.timeout(CEILING_S):
        with rows.pubsub.subscribe(of_workspace(actor.workspace_id)) as subscription:
            while not is_so(agent := await rows.get_agent(actor.agent_id)):
                await subscription.changed(timeout_s=0.02)
            return agent


def is_connected(agent: Agent) -> bool:
    return agent.last_connected_at is not None and agent.disconnected_at is None


async def test_an_agent_is_connected_while_its_connection_lives_and_watchers_are_told(rows: AgentRows) -> None:
    actor = await rows.add_running_agent()
    connections = make_connections(rows)
    assert await status_of(rows, actor) is AgentStatus.CONNECTING
    with rows.pubsub.subscribe(of_workspace(actor.workspace_id)) as watcher:
        async with asyncio.TaskGroup() as group:
            connection = group.create_task(keep(connections, actor))
            assert await watcher.changed(timeout_s=CEILING_S)
            assert await status_of(rows, actor) is AgentStatus.CONNECTED
            rows.clock.move(1)
            connection.cancel()
        assert await watcher.changed(timeout_s=0)

    agent = await rows.get_agent(actor.agent_id)
    assert await status_of(rows, actor) is AgentStatus.DISCONNECTED
    assert (agent.disconnected_at, agent.disconnect_reason) == (rows.clock(), "The agent's connection ended.")


async def test_the_holder_says_why_the_agent_is_gone_and_its_process_stays_known(rows: AgentRows) -> None:
    actor = await rows.add_running_agent()
    async with make_connections(rows).lease(actor, BOOT_ID, "1.0") as lease:
        lease.reason = "Nothing was heard from it."

    agent = await rows.get_agent(actor.agent_id)
    assert (agent.disconnect_reason, agent.boot_id) == ("Nothing was heard from it.", BOOT_ID)


async def test_a_second_connection_takes_over_and_the_first_one_ends(rows: AgentRows) -> None:
    actor = await rows.add_running_agent()
    connections = make_connections(rows)
    async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as group:
        first = group.create_task(keep(connections, actor))
        await wait_for(rows, actor, is_connected)
        second = group.create_task(keep(connections, actor))
        assert await first == TAKEN_OVER
        assert await status_of(rows, actor) is AgentStatus.CONNECTED
        assert not second.done()
        second.cancel()


async def test_a_newer_build_ends_the_connection_at_once(rows: AgentRows) -> None:
    actor = await rows.add_running_agent()
    async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as group:
        connection = group.create_task(keep(make_connections(rows), actor))
        await wait_for(rows, actor, is_connected)
        await rows.add_build(actor.workspace_id, number=2)
        rows.pubsub.publish(of_workspace(actor.workspace_id))
        assert await connection == SUPERSEDED

    agent = await rows.get_agent(actor.agent_id)
    assert await status_of(rows, actor) is AgentStatus.DISCONNECTED
    assert "newer build" in agent.disconnect_reason


async def test_a_newer_build_is_noticed_at_the_next_tick_without_notice(rows: AgentRows) -> None:
    actor = await rows.add_running_agent()
    async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as group:
        connection = group.create_task(keep(make_connections(rows, tick_s=0.02), actor))
        await wait_for(rows, actor, is_connected)
        await rows.add_build(actor.workspace_id, number=2)
        assert await connection == SUPERSEDED


async def test_each_tick_notes_that_the_agent_is_alive(rows: AgentRows) -> None:
    actor = await rows.add_running_agent()
    async with asyncio.TaskGroup() as group:
        connection = group.create_task(keep(make_connections(rows, tick_s=0.02), actor))
        await wait_for(rows, actor, is_connected)
        rows.clock.move(40)
        agent = await wait_for(rows, actor, lambda agent: agent.last_connected_at == rows.clock())
        connection.cancel()

    assert agent.first_connected_at != agent.last_connected_at


async def test_at_start_agents_of_an_earlier_process_are_disconnected_and_may_come_back(rows: AgentRows) -> None:
    actor = await rows.add_running_agent()
    connections = make_connections(rows)
    async with rows.database.write() as connection:
        await connection_store.next_generation(connection, actor.agent_id, REPLICA, "1.0", rows.clock())
        await connection_store.mark_connected(connection, actor.agent_id, BOOT_ID, rows.clock())
    assert await status_of(rows, actor) is AgentStatus.CONNECTED

    assert await connections.forget_earlier() == 1
    assert await status_of(rows, actor) is AgentStatus.DISCONNECTED
    assert "gateway was restarted" in (await rows.get_agent(actor.agent_id)).disconnect_reason

    async with asyncio.TaskGroup() as group:
        again = group.create_task(keep(connections, actor))
        await wait_for(rows, actor, is_connected)
        assert await status_of(rows, actor) is AgentStatus.CONNECTED
        again.cancel()
