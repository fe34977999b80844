"""Queries on the apps of workspaces."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.domain.agents import Agent
from genba_gateway.store import tables
from genba_gateway.store.agents import list_agents_of_resources
from genba_gateway.store.sealing import Sealer

_agents = tables.workspace_agents
_builds = tables.workspace_builds
_resources = tables.workspace_resources


async def list_newest_agents(connection: AsyncConnection, sealer: Sealer, workspace_id: str) -> list[Agent]:
    """The agents of a workspace's newest build that has any, with their apps.

    A stopped workspace has the agents that it had when it ran: with whom its apps are shared is theirs to say.
    """
    with_agents = _resources.join(_agents, _agents.c.resource_id == _resources.c.id)
    newest = (
        sa.select(sa.func.max(_builds.c.build_number))
        .select_from(_builds.join(with_agents, _resources.c.job_id == _builds.c.job_id))
        .where(_builds.c.workspace_id == workspace_id)
        .scalar_subquery()
    )
    query = (
        sa.select(_resources.c.id)
        .join(_builds, _builds.c.job_id == _resources.c.job_id)
        .where(_builds.c.workspace_id == workspace_id, _builds.c.build_number == newest)
    )
    resource_ids = (await connection.execute(query)).scalars().all()
    return await list_agents_of_resources(connection, sealer, resource_ids)
