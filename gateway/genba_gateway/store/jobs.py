"""Queries on provisioner jobs and their logs. The table is the queue."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.domain.jobs import Job, JobType, StoredJobLog
from genba_gateway.domain.provisioning import JobLogLine
from genba_gateway.store import tables
from genba_gateway.store.rows import Row, columns_of, read_record

_jobs = tables.provisioner_jobs
_logs = tables.provisioner_job_logs
_NOT_READ = frozenset({"variables_sealed"})
PENDING = sa.and_(_jobs.c.started_at.is_(None), _jobs.c.completed_at.is_(None))


def job_columns(prefix: str = "j_") -> list[sa.Label[Any]]:
    """The columns that `read_job` needs, for joins."""
    return columns_of(_jobs, prefix, without=_NOT_READ)


def read_job(row: Row, prefix: str = "j_", *, position: int = 0, size: int = 0) -> Job:
    """A job from a row with `job_columns`."""
    return read_record(Job, row, prefix, type=JobType(row[prefix + "type"]), queue_position=position, queue_size=size)


async def insert_job(connection: AsyncConnection, job: Job, *, variables_sealed: bytes | None = None) -> None:
    """Put a job at the end of the queue."""
    await connection.execute(
        _jobs.insert().values(
            id=job.id,
            organization_id=job.organization_id,
            initiator_id=job.initiator_id,
            type=job.type.value,
            file_id=job.file_id,
            tags=dict(job.tags),
            input=dict(job.input),
            variables_sealed=variables_sealed,
            created_at=job.created_at,
            updated_at=job.updated_at,
            started_at=job.started_at,
            completed_at=job.completed_at,
            canceled_at=job.canceled_at,
            error=job.error,
            error_code=job.error_code,
            worker_id=job.worker_id,
        )
    )


async def take_next_job(connection: AsyncConnection, *, worker_id: str, now: datetime) -> Job | None:
    """Take the oldest waiting job for this worker, or None."""
    oldest = sa.select(_jobs.c.id).where(PENDING).order_by(_jobs.c.created_at, _jobs.c.id).limit(1).scalar_subquery()
    statement = (
        _jobs.update()
        .where(_jobs.c.id == oldest, PENDING)
        .values(started_at=now, updated_at=now, worker_id=worker_id)
        .returning(*job_columns())
    )
    row = (await connection.execute(statement)).mappings().one_or_none()
    return read_job(row) if row else None


async def find_job(connection: AsyncConnection, job_id: str) -> Job | None:
    """One job with its place in the queue."""
    row = (await connection.execute(sa.select(*job_columns()).where(_jobs.c.id == job_id))).mappings().one_or_none()
    if row is None:
        return None
    places, size = await list_queue_places(connection)
    return read_job(dict(row), position=places.get(job_id, 0), size=size)


async def get_variables(connection: AsyncConnection, job_id: str) -> bytes | None:
    """The sealed variable values that came with an import."""
    query = sa.select(_jobs.c.variables_sealed).where(_jobs.c.id == job_id)
    return (await connection.execute(query)).scalar_one_or_none()


async def list_queue_places(connection: AsyncConnection) -> tuple[dict[str, int], int]:
    """Waiting job ids with their position from 1, and how many wait."""
    query = sa.select(_jobs.c.id).where(PENDING).order_by(_jobs.c.created_at, _jobs.c.id)
    waiting = (await connection.execute(query)).scalars().all()
    return {job_id: place for place, job_id in enumerate(waiting, 1)}, len(waiting)


async def list_unfinished_jobs(connection: AsyncConnection) -> list[Job]:
    """Jobs that were started and did not end: after a start of the gateway, those that it was killed in."""
    query = sa.select(*job_columns()).where(_jobs.c.started_at.is_not(None), _jobs.c.completed_at.is_(None))
    rows = (await connection.execute(query)).mappings().all()
    return [read_job(dict(row)) for row in rows]


async def request_cancel(connection: AsyncConnection, job_id: str, *, now: datetime) -> bool:
    """Mark a running job as to be canceled; False when it is not running or was asked before."""
    statement = (
        _jobs.update()
        .where(_jobs.c.id == job_id, _jobs.c.completed_at.is_(None), _jobs.c.canceled_at.is_(None))
        .values(canceled_at=now, updated_at=now)
    )
    return (await connection.execute(statement)).rowcount == 1


async def complete_job(
    connection: AsyncConnection, job_id: str, *, now: datetime, error: str = "", error_code: str = ""
) -> bool:
    """End a job; False when it had ended already."""
    statement = (
        _jobs.update()
        .where(_jobs.c.id == job_id, _jobs.c.completed_at.is_(None))
        .values(completed_at=now, updated_at=now, error=error, error_code=error_code)
    )
    return (await connection.execute(statement)).rowcount == 1


async def insert_job_logs(connection: AsyncConnection, job_id: str, lines: Sequence[JobLogLine]) -> None:
    """Append lines to a job's log."""
    newest = sa.select(sa.func.coalesce(sa.func.max(_logs.c.id), 0)).where(_logs.c.job_id == job_id)
    first = (await connection.execute(newest)).scalar_one() + 1
    await connection.execute(
        _logs.insert(),
        [
            {
                "job_id": job_id,
                "id": number,
                "created_at": line.created_at,
                "source": line.source.value,
                "level": line.level.value,
                "stage": line.stage,
                "output": line.output,
            }
            for number, line in enumerate(lines, first)
        ],
    )


async def list_job_logs(
    connection: AsyncConnection, job_id: str, *, after: int = 0, before: int | None = None, limit: int | None = None
) -> list[StoredJobLog]:
    """Lines of a job's log with after < id < before, oldest first."""
    query = sa.select(_logs).where(_logs.c.job_id == job_id, _logs.c.id > after).order_by(_logs.c.id).limit(limit)
    if before is not None:
        query = query.where(_logs.c.id < before)
    rows = (await connection.execute(query)).mappings().all()
    return [read_record(StoredJobLog, dict(row)) for row in rows]
