"""Queries over all workspaces and agents."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.domain.jobs import job_status
from genba_gateway.domain.provisioning import Transition
from genba_gateway.domain.workspaces import WorkspaceStatus, workspace_status
from genba_gateway.store import tables

_workspaces = tables.workspaces
_builds = tables.workspace_builds
_jobs = tables.provisioner_jobs
_stats = tables.workspace_agent_stats


async def count_workspaces(connection: AsyncConnection) -> Counter[WorkspaceStatus]:
    """Workspaces that were not deleted, by what they do."""
    later = _builds.alias("later")
    is_latest = ~sa.exists().where(
        later.c.workspace_id == _builds.c.workspace_id, later.c.build_number > _builds.c.build_number
    )
    facts = (
        _builds.c.transition,
        _jobs.c.started_at.is_not(None).label("started"),
        _jobs.c.completed_at.is_not(None).label("completed"),
        _jobs.c.canceled_at.is_not(None).label("canceled"),
        (_jobs.c.error != "").label("failed"),
    )
    query = (
        sa.select(*facts, sa.func.count())
        .join(_workspaces, _workspaces.c.id == _builds.c.workspace_id)
        .join(_jobs, _jobs.c.id == _builds.c.job_id)
        .where(is_latest, sa.not_(_workspaces.c.deleted))
        .group_by(*facts)
    )
    counts: Counter[WorkspaceStatus] = Counter()
    for transition, started, completed, canceled, failed, count in (await connection.execute(query)).all():
        status = job_status(
            started=bool(started), completed=bool(completed), canceled=bool(canceled), failed=bool(failed)
        )
        counts[workspace_status(Transition(transition), status)] += count
    return counts


async def list_agent_stats(connection: AsyncConnection, since: datetime) -> list[tuple[str, Mapping[str, Any]]]:
    """What agents reported since then, oldest first: the agent's id and the report's body (contract 1.4)."""
    query = (
        sa.select(_stats.c.agent_id, _stats.c.stats).where(_stats.c.created_at >= since).order_by(_stats.c.created_at)
    )
    rows = (await connection.execute(query)).all()
    return [(agent_id, json.loads(stats) if isinstance(stats, str) else stats) for agent_id, stats in rows]
