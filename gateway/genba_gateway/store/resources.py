"""Queries on the resources of jobs, with their agents."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.domain.agents import Agent
from genba_gateway.domain.provisioning import ResourceMetadataItem, ResourceSpec
from genba_gateway.domain.workspaces import Resource
from genba_gateway.store import agent_specs, tables
from genba_gateway.store import agents as agent_store
from genba_gateway.store.rows import read_record
from genba_gateway.store.sealing import Sealer

_resources = tables.workspace_resources


async def insert_resources(
    connection: AsyncConnection,
    sealer: Sealer,
    *,
    job_id: str,
    transition: str,
    resources: Sequence[ResourceSpec],
    now: datetime,
) -> None:
    """Store a job's resources and agents in place of what was stored for it during the apply.

    Agents that are known by their token keep their id, so what they reported stays theirs.
    """
    old = (await connection.execute(_of_job(job_id, transition))).scalars().all()
    position = len(old)
    for resource in resources:
        resource_id = str(uuid.uuid4())
        await connection.execute(
            _resources.insert().values(
                id=resource_id,
                job_id=job_id,
                position=position,
                transition=transition,
                type=resource.type,
                name=resource.name,
                hide=resource.hide,
                icon=resource.icon,
                daily_cost=resource.daily_cost,
                metadata=[_blank_if_sensitive(item) for item in resource.metadata],
                created_at=now,
            )
        )
        await agent_specs.upsert_agents(connection, sealer, resource_id=resource_id, agents=resource.agents, now=now)
        position += 1
    if old:
        left = sa.select(tables.workspace_agents.c.resource_id).where(tables.workspace_agents.c.resource_id.in_(old))
        unused = set(old) - set((await connection.execute(left)).scalars().all())
        await connection.execute(_resources.delete().where(_resources.c.id.in_(unused)))


def _of_job(job_id: str, transition: str) -> sa.Select[tuple[str]]:
    return sa.select(_resources.c.id).where(_resources.c.job_id == job_id, _resources.c.transition == transition)


def _blank_if_sensitive(item: ResourceMetadataItem) -> object:
    return msgspec.to_builtins(replace(item, value="") if item.sensitive else item)


async def list_resources_of_jobs(
    connection: AsyncConnection, sealer: Sealer, job_ids: Sequence[str]
) -> dict[str, tuple[Resource, ...]]:
    """Resources with agents, by job."""
    if not job_ids:
        return {}
    query = (
        sa.select(_resources)
        .where(_resources.c.job_id.in_(job_ids))
        .order_by(_resources.c.transition, _resources.c.position)
    )
    rows = (await connection.execute(query)).mappings().all()
    agents: dict[str, list[Agent]] = {}
    for agent in await agent_store.list_agents_of_resources(connection, sealer, [row["id"] for row in rows]):
        agents.setdefault(agent.resource_id, []).append(agent)
    found: dict[str, list[Resource]] = {}
    for row in rows:
        resource = read_record(
            Resource,
            row,
            metadata=tuple(msgspec.convert(item, ResourceMetadataItem) for item in row["metadata"]),
            agents=tuple(agents.get(row["id"], ())),
        )
        found.setdefault(row["job_id"], []).append(resource)
    return {job_id: tuple(resources) for job_id, resources in found.items()}
