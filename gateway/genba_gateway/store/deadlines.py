"""Queries on the deadlines of running workspaces; the columns are those of their latest builds."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.domain.deadlines import FailedAutostop, RunningDeadline
from genba_gateway.domain.provisioning import Transition
from genba_gateway.domain.workspaces import AUTOSTOP
from genba_gateway.store import tables

_builds = tables.workspace_builds
_jobs = tables.provisioner_jobs
_workspaces = tables.workspaces
_templates = tables.templates
_later = _builds.alias("later_deadlines")

_IS_LATEST = ~sa.exists().where(
    _later.c.workspace_id == _builds.c.workspace_id, _later.c.build_number > _builds.c.build_number
)

_RUNS_BY = sa.and_(
    _builds.c.transition == "start",
    _jobs.c.completed_at.is_not(None),
    _jobs.c.error == "",
    _IS_LATEST,
)
"""The build is its workspace's latest, and a start that succeeded, be it that it was canceled too late."""


def _is_failed_autostop(builds: sa.FromClause, jobs: sa.FromClause, *, is_one: bool = True) -> sa.ColumnElement[bool]:
    """Whether a build is one that the gateway began at a deadline, and that failed: nobody wished its end."""
    condition = sa.and_(
        builds.c.transition == Transition.STOP.value,
        builds.c.reason == AUTOSTOP,
        jobs.c.completed_at.is_not(None),
        jobs.c.canceled_at.is_(None),
        jobs.c.error != "",
    )
    return condition if is_one else sa.not_(condition)


async def list_failed_autostops(connection: AsyncConnection, workspace_id: str | None = None) -> list[FailedAutostop]:
    """Workspaces (or this one) whose latest build is a stop at its deadline that failed, the longest ago first."""
    others_jobs = _jobs.alias("jobs_of_others")
    newest_other = (
        sa.select(sa.func.coalesce(sa.func.max(_later.c.build_number), 0))
        .join(others_jobs, others_jobs.c.id == _later.c.job_id)
        .where(_later.c.workspace_id == _builds.c.workspace_id, _is_failed_autostop(_later, others_jobs, is_one=False))
        .scalar_subquery()
    )
    query = (
        sa.select(_builds.c.workspace_id, _builds.c.build_number - newest_other, _jobs.c.completed_at)
        .join(_jobs, _jobs.c.id == _builds.c.job_id)
        .join(_workspaces, _workspaces.c.id == _builds.c.workspace_id)
        .where(_IS_LATEST, _is_failed_autostop(_builds, _jobs), _workspaces.c.deleted.is_(False))
        .order_by(_jobs.c.completed_at, _builds.c.workspace_id)
    )
    if workspace_id is not None:
        query = query.where(_builds.c.workspace_id == workspace_id)
    return [FailedAutostop(*row) for row in (await connection.execute(query)).all()]


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
