"""Queries on restarts of workspaces."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.domain.provisioning import Transition
from genba_gateway.domain.workspaces import RESTART
from genba_gateway.store import tables

_builds = tables.workspace_builds
_jobs = tables.provisioner_jobs
_later = _builds.alias("later_restarts")


async def list_stops_of_restarts(connection: AsyncConnection, since: datetime) -> dict[str, str]:
    """Ids of workspaces by the latest build of each, which is a restart's stop that succeeded since then."""
    query = (
        sa.select(_builds.c.id, _builds.c.workspace_id)
        .join(_jobs, _jobs.c.id == _builds.c.job_id)
        .where(
            _builds.c.reason == RESTART,
            _builds.c.transition == Transition.STOP.value,
            _jobs.c.completed_at >= since,
            _jobs.c.canceled_at.is_(None),
            _jobs.c.error == "",
            ~sa.exists().where(
                _later.c.workspace_id == _builds.c.workspace_id, _later.c.build_number > _builds.c.build_number
            ),
        )
        .order_by(_jobs.c.completed_at, _builds.c.id)
    )
    return {row.id: row.workspace_id for row in (await connection.execute(query)).all()}
