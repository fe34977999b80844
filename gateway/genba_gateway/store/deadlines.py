"""Queries on the deadlines of running workspaces; the columns are those of their latest builds."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.domain.deadlines import RunningDeadline
from genba_gateway.store import tables

_builds = tables.workspace_builds
_jobs = tables.provisioner_jobs
_workspaces = tables.workspaces
_templates = tables.templates
_later = _builds.alias("later_deadlines")

_RUNS_BY = sa.and_(
    _builds.c.transition == "start",
    _jobs.c.completed_at.is_not(None),
    _jobs.c.canceled_at.is_(None),
    _jobs.c.error == "",
    ~sa.exists().where(_later.c.workspace_id == _builds.c.workspace_id, _later.c.build_number > _builds.c.build_number),
)
"""The build is its workspace's latest, and a start that succeeded."""


async def list_overdue_workspaces(connection: AsyncConnection, now: datetime) -> list[str]:
    """Ids of running workspaces whose deadline has passed, the longest overdue first."""
    query = (
        sa.select(_builds.c.workspace_id)
        .join(_jobs, _jobs.c.id == _builds.c.job_id)
        .join(_workspaces, _workspaces.c.id == _builds.c.workspace_id)
        .where(_RUNS_BY, _builds.c.deadline <= now, _workspaces.c.deleted.is_(False))
        .order_by(_builds.c.deadline, _builds.c.workspace_id)
    )
    return list((await connection.execute(query)).scalars().all())


async def find_running_deadline(connection: AsyncConnection, workspace_id: str) -> RunningDeadline | None:
    """The deadline of a workspace that runs and has one."""
    query = (
        sa.select(_builds.c.id, _builds.c.deadline, _builds.c.max_deadline, _templates.c.activity_bump_ms)
        .join(_jobs, _jobs.c.id == _builds.c.job_id)
        .join(_workspaces, _workspaces.c.id == _builds.c.workspace_id)
        .join(_templates, _templates.c.id == _workspaces.c.template_id)
        .where(_RUNS_BY, _builds.c.workspace_id == workspace_id, _builds.c.deadline.is_not(None))
    )
    row = (await connection.execute(query)).one_or_none()
    return RunningDeadline(*row) if row else None
