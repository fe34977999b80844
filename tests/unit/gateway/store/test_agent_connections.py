from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from genba_gateway.domain.agents import AgentStatus, agent_status
from genba_gateway.store import agent_connections as connection_store
from genba_gateway.store.agent_connections import Standing
from tests.support.agent_rows import BEGINNING, REPLICA, AgentRows, open_agent_rows

BOOT_ID = str(uuid.uuid4())


@pytest.fixture
async def rows(tmp_path: Path) -> AsyncGenerator[AgentRows]:
    async with open_agent_rows(tmp_path) as opened:
        yield opened


async def connect(rows: AgentRows, agent_id: str, replica_id: str = REPLICA) -> int:
    async with rows.database.write() as connection:
        generation = await connection_store.next_generation(connection, agent_id, replica_id, "1.0", rows.clock())
        await connection_store.mark_connected(connection, agent_id, BOOT_ID, rows.clock())
        return generation


async def test_each_connection_has_a_higher_generation(rows: AgentRows) -> None:
    actor = await rows.add_running_agent()

    assert [await connect(rows, actor.agent_id) for _ in range(3)] == [1, 2, 3]
    async with rows.database.read() as connection:
        assert await connection_store.find_standing(connection, actor.agent_id) == Standing(3, True)


async def test_an_agent_that_never_connected_has_no_standing(rows: AgentRows) -> None:
    actor = await rows.add_running_agent()

    async with rows.database.read() as connection:
        assert await connection_store.find_standing(connection, actor.agent_id) is None


async def test_the_first_connection_is_remembered(rows: AgentRows) -> None:
    actor = await rows.add_running_agent()
    await connect(rows, actor.agent_id)
    rows.clock.move(60)
    await connect(rows, actor.agent_id)

    agent = await rows.get_agent(actor.agent_id)

    assert agent.boot_id == BOOT_ID
    assert agent.first_connected_at == BEGINNING
    assert agent.last_connected_at == rows.clock()


async def test_only_the_newest_connection_is_alive_or_ends(rows: AgentRows) -> None:
    actor = await rows.add_running_agent()
    old = await connect(rows, actor.agent_id)
    new = await connect(rows, actor.agent_id)
    rows.clock.move(1)
    async with rows.database.write() as connection:
        await connection_store.mark_alive(connection, actor.agent_id, old, rows.clock())
        ended = await connection_store.mark_disconnected(connection, actor.agent_id, old, "old", rows.clock())
    agent = await rows.get_agent(actor.agent_id)
    assert (ended, agent.disconnected_at, agent.last_connected_at) == (False, None, BEGINNING)

    async with rows.database.write() as connection:
        await connection_store.mark_alive(connection, actor.agent_id, new, rows.clock())
        ended = await connection_store.mark_disconnected(connection, actor.agent_id, new, "new", rows.clock())
    agent = await rows.get_agent(actor.agent_id)
    assert (ended, agent.disconnected_at, agent.disconnect_reason) == (True, rows.clock(), "new")


async def test_only_a_replicas_own_open_connections_are_forgotten(rows: AgentRows) -> None:
    left, elsewhere, ended, never = [await rows.add_running_agent() for _ in range(4)]
    await connect(rows, left.agent_id)
    await connect(rows, elsewhere.agent_id, str(uuid.uuid4()))
    generation = await connect(rows, ended.agent_id)
    async with rows.database.write() as connection:
        await connection_store.mark_disconnected(connection, ended.agent_id, generation, "It left.", rows.clock())
    rows.clock.move(1)

    async with rows.database.write() as connection:
        count = await connection_store.forget_connections_of_replica(
            connection, REPLICA, reason="Restarted.", now=rows.clock()
        )

    agents = [await rows.get_agent(actor.agent_id) for actor in (left, elsewhere, ended, never)]
    assert count == 1
    assert [agent_status(agent, rows.clock())[0] for agent in agents] == [
        AgentStatus.DISCONNECTED,
        AgentStatus.CONNECTED,
        AgentStatus.DISCONNECTED,
        AgentStatus.CONNECTING,
    ]
    assert [agent.disconnect_reason for agent in agents] == ["Restarted.", "", "It left.", ""]


async def test_an_agent_that_comes_back_after_a_restart_is_just_connected(rows: AgentRows) -> None:
    actor = await rows.add_running_agent()
    await connect(rows, actor.agent_id)
    async with rows.database.write() as connection:
        await connection_store.forget_connections_of_replica(connection, REPLICA, reason="R.", now=rows.clock())
    assert agent_status(await rows.get_agent(actor.agent_id), rows.clock())[0] is AgentStatus.DISCONNECTED

    generation = await connect(rows, actor.agent_id)

    agent = await rows.get_agent(actor.agent_id)
    assert generation == 2
    assert agent_status(agent, rows.clock())[0] is AgentStatus.CONNECTED
    assert (agent.disconnected_at, agent.disconnect_reason) == (None, "")
