"""Queries on agents' logs and their sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.domain.agent_reports import AgentLogLine, NewLogLine
from genba_gateway.domain.agents import LogSource
from genba_gateway.store import tables
from genba_gateway.store.agents import is_current, join_workspace
from genba_gateway.store.columns import UtcTime
from genba_gateway.store.rows import read_record

_agents = tables.workspace_agents
_logs = tables.workspace_agent_logs
_sources = tables.workspace_agent_log_sources
_spools = tables.workspace_agent_log_spools


@dataclass(frozen=True, slots=True)
class LogState:
    """Where an agent's log stands; `next_line` is None for a spool of which nothing is stored."""

    length: int
    overflowed: bool
    last_id: int
    next_line: int | None


@dataclass(frozen=True, slots=True)
class LogStanding:
    """What ends a log: an overflow, or a newer build."""

    overflowed: bool
    is_current: bool


async def get_log_state(connection: AsyncConnection, agent_id: str, spool: str) -> LogState:
    """Everything that appending has to know, in one query."""
    last_id = sa.select(sa.func.coalesce(sa.func.max(_logs.c.id), 0)).where(_logs.c.agent_id == agent_id)
    next_line = sa.select(_spools.c.next_line).where(_spools.c.agent_id == agent_id, _spools.c.boot_id == spool)
    query = sa.select(
        _agents.c.logs_length, _agents.c.logs_overflowed, last_id.scalar_subquery(), next_line.scalar_subquery()
    )
    row = (await connection.execute(query.where(_agents.c.id == agent_id))).one()
    return LogState(*row)


async def insert_log_lines(
    connection: AsyncConnection,
    agent_id: str,
    *,
    first_id: int,
    source_id: str,
    lines: Sequence[NewLogLine],
    now: datetime,
) -> None:
    """Store lines under ids from `first_id` on."""
    await connection.execute(
        _logs.insert(),
        [
            {
                "agent_id": agent_id,
                "id": first_id + index,
                "created_at": now,
                "level": line.level.value,
                "source_id": source_id,
                "output": line.output,
            }
            for index, line in enumerate(lines)
        ],
    )


async def insert_spool(connection: AsyncConnection, agent_id: str, spool: str, next_line: int) -> None:
    """Note how far a spool is stored, the first time."""
    await connection.execute(_spools.insert().values(agent_id=agent_id, boot_id=spool, next_line=next_line))


async def update_spool(connection: AsyncConnection, agent_id: str, spool: str, next_line: int) -> None:
    """Note how far a spool is stored."""
    mine = _spools.update().where(_spools.c.agent_id == agent_id, _spools.c.boot_id == spool)
    await connection.execute(mine.values(next_line=next_line))


async def add_log_source(connection: AsyncConnection, source: LogSource) -> None:
    """Store a source unless the agent has it."""
    present = sa.exists().where(_sources.c.agent_id == source.agent_id, _sources.c.id == source.id)
    values = sa.select(
        sa.literal(source.agent_id),
        sa.literal(source.id),
        sa.literal(source.display_name),
        sa.literal(source.icon),
        sa.literal(source.created_at, UtcTime),
    ).where(~present)
    await connection.execute(
        _sources.insert().from_select(["agent_id", "id", "display_name", "icon", "created_at"], values)
    )


async def count_other_sources(connection: AsyncConnection, agent_id: str, source_id: str) -> int:
    """How many sources an agent has beside one, which it may have or not."""
    others = sa.and_(_sources.c.agent_id == agent_id, _sources.c.id != source_id)
    return int((await connection.execute(sa.select(sa.func.count()).where(others))).scalar_one())


async def get_log_source(connection: AsyncConnection, agent_id: str, source_id: str) -> LogSource:
    """A source that is stored."""
    query = sa.select(_sources).where(_sources.c.agent_id == agent_id, _sources.c.id == source_id)
    return read_record(LogSource, dict((await connection.execute(query)).mappings().one()))


async def list_log_lines(connection: AsyncConnection, agent_id: str, *, after: int) -> list[AgentLogLine]:
    """Lines with an id above `after`; the log's limit bounds how many they can be."""
    query = sa.select(_logs.c.id, _logs.c.created_at, _logs.c.output, _logs.c.level, _logs.c.source_id)
    query = query.where(_logs.c.agent_id == agent_id, _logs.c.id > after).order_by(_logs.c.id)
    return [AgentLogLine(*row) for row in (await connection.execute(query)).all()]


async def get_log_standing(connection: AsyncConnection, agent_id: str) -> LogStanding:
    """Whether the agent's log can still grow."""
    query = join_workspace(sa.select(_agents.c.logs_overflowed, is_current())).where(_agents.c.id == agent_id)
    row = (await connection.execute(query)).one()
    return LogStanding(overflowed=row[0], is_current=bool(row[1]))
