"""Queries on agents' control connections. An agent has one row, which outlives its connections.

Each connection has a generation, one higher than the one before it: whoever finds a higher one than its own has
been taken over, on this replica or another.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.store import tables
from genba_gateway.store.agents import is_current, join_workspace
from genba_gateway.store.columns import UtcTime

_agents = tables.workspace_agents
_connections = tables.agent_connections


@dataclass(frozen=True, slots=True)
class Standing:
    """The generation of the agent's newest connection, and whether its build is still the latest."""

    generation: int
    is_current: bool


async def next_generation(
    connection: AsyncConnection, agent_id: str, replica_id: str, protocol: str, now: datetime
) -> int:
    """Note a new connection of the agent to a replica, and return its generation."""
    raised = await connection.execute(
        _connections.update()
        .where(_connections.c.agent_id == agent_id)
        .values(replica_id=replica_id, generation=_connections.c.generation + 1, protocol=protocol, seen_at=now)
        .returning(_connections.c.generation)
    )
    generation = raised.scalar_one_or_none()
    if generation is not None:
        return int(generation)
    await connection.execute(
        _connections.insert().values(
            agent_id=agent_id, replica_id=replica_id, generation=1, protocol=protocol, seen_at=now
        )
    )
    return 1


async def mark_connected(connection: AsyncConnection, agent_id: str, boot_id: str, now: datetime) -> None:
    """Note that the agent is connected, by the process that `boot_id` names."""
    await connection.execute(
        _agents.update()
        .where(_agents.c.id == agent_id)
        .values(
            first_connected_at=sa.func.coalesce(_agents.c.first_connected_at, sa.literal(now, UtcTime)),
            last_connected_at=now,
            boot_id=boot_id,
            disconnected_at=None,
            disconnect_reason="",
        )
    )


async def mark_alive(connection: AsyncConnection, agent_id: str, generation: int, now: datetime) -> None:
    """Note that the connection of this generation is open, unless it was taken over."""
    await connection.execute(_mine(agent_id, generation).values(last_connected_at=now))


async def mark_disconnected(
    connection: AsyncConnection, agent_id: str, generation: int, reason: str, now: datetime
) -> bool:
    """Note that the connection of this generation ended; False when it was taken over, which changes nothing."""
    ended = await connection.execute(_mine(agent_id, generation).values(disconnected_at=now, disconnect_reason=reason))
    return ended.rowcount > 0


def _mine(agent_id: str, generation: int) -> sa.Update:
    newest = sa.select(_connections.c.generation).where(_connections.c.agent_id == agent_id).scalar_subquery()
    return _agents.update().where(_agents.c.id == agent_id, newest == generation)


async def find_standing(connection: AsyncConnection, agent_id: str) -> Standing | None:
    """How the agent's connection stands; None when it never had one."""
    query = join_workspace(sa.select(_connections.c.generation, is_current()))
    query = query.join(_connections, _connections.c.agent_id == _agents.c.id).where(_agents.c.id == agent_id)
    row = (await connection.execute(query)).one_or_none()
    return Standing(row[0], bool(row[1])) if row is not None else None


async def forget_connections_of_replica(
    connection: AsyncConnection, replica_id: str, *, reason: str, now: datetime
) -> int:
    """Mark the agents disconnected whose connections ended with an earlier process of this replica.

    Returns:
        How many they were.
    """
    of_replica = sa.select(_connections.c.agent_id).where(_connections.c.replica_id == replica_id)
    forgotten = await connection.execute(
        _agents.update()
        .where(
            _agents.c.id.in_(of_replica), _agents.c.last_connected_at.is_not(None), _agents.c.disconnected_at.is_(None)
        )
        .values(disconnected_at=now, disconnect_reason=reason)
    )
    return forgotten.rowcount
