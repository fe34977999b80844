"""Queries on how long the parts of builds took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.domain.timings import (
    ConnectionTiming,
    ProvisionerTiming,
    ScriptStatus,
    ScriptTiming,
    TimingStage,
)
from genba_gateway.store import tables
from genba_gateway.store.rows import read_record

_timings = tables.provisioner_job_timings
_script_timings = tables.workspace_agent_script_timings
_scripts = tables.workspace_agent_scripts
_agents = tables.workspace_agents
_resources = tables.workspace_resources


async def insert_provisioner_timings(
    connection: AsyncConnection, job_id: str, timings: Sequence[ProvisionerTiming]
) -> None:
    """Store what was measured of a job."""
    rows = [{**asdict(timing), "job_id": job_id, "position": position} for position, timing in enumerate(timings)]
    if rows:
        await connection.execute(_timings.insert(), rows)


async def list_provisioner_timings(connection: AsyncConnection, job_id: str) -> list[ProvisionerTiming]:
    """What was measured of a job, in the order in which it began."""
    query = sa.select(_timings).where(_timings.c.job_id == job_id).order_by(_timings.c.position)
    rows = (await connection.execute(query)).mappings().all()
    return [read_record(ProvisionerTiming, row, stage=TimingStage(row["stage"])) for row in rows]


async def has_script(connection: AsyncConnection, agent_id: str, script_id: str) -> bool:
    """Whether a script is the agent's."""
    query = sa.select(_scripts.c.id).where(_scripts.c.id == script_id, _scripts.c.agent_id == agent_id)
    return (await connection.execute(query)).first() is not None


async def upsert_script_timing(connection: AsyncConnection, script_id: str, timing: ScriptTiming) -> None:
    """Store a run of a script in place of the one of its stage before, unless that began later."""
    values: dict[str, Any] = {
        "started_at": timing.started_at,
        "ended_at": timing.ended_at,
        "exit_code": timing.exit_code,
        "status": timing.status.value,
    }
    statement = insert(_script_timings).values(script_id=script_id, stage=timing.stage.value, **values)
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["script_id", "stage"],
            set_=values,
            where=_script_timings.c.started_at <= statement.excluded.started_at,
        )
    )


async def list_script_timings(connection: AsyncConnection, job_id: str) -> list[ScriptTiming]:
    """Runs of the scripts of a job's agents, in the order in which they began."""
    query = (
        sa.select(
            _script_timings,
            _scripts.c.display_name,
            _agents.c.id.label("agent_id"),
            _agents.c.name.label("agent_name"),
        )
        .join(_scripts, _scripts.c.id == _script_timings.c.script_id)
        .join(_agents, _agents.c.id == _scripts.c.agent_id)
        .join(_resources, _resources.c.id == _agents.c.resource_id)
        .where(_resources.c.job_id == job_id)
        .order_by(_script_timings.c.started_at, _scripts.c.position)
    )
    rows = (await connection.execute(query)).mappings().all()
    return [
        read_record(ScriptTiming, row, stage=TimingStage(row["stage"]), status=ScriptStatus(row["status"]))
        for row in rows
    ]


async def list_connection_timings(connection: AsyncConnection, job_id: str) -> list[ConnectionTiming]:
    """How long those agents of a job took that have connected."""
    query = (
        sa.select(
            _agents.c.created_at.label("started_at"),
            _agents.c.first_connected_at.label("ended_at"),
            _agents.c.id.label("agent_id"),
            _agents.c.name.label("agent_name"),
        )
        .join(_resources, _resources.c.id == _agents.c.resource_id)
        .where(_resources.c.job_id == job_id, _agents.c.first_connected_at.is_not(None))
        .order_by(_agents.c.created_at, _agents.c.position)
    )
    return [read_record(ConnectionTiming, row) for row in (await connection.execute(query)).mappings().all()]
