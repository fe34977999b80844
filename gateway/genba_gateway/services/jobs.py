"""Jobs: their logs, as they are and as they come, and their end on request."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Final

from genba_gateway.domain import channels
from genba_gateway.domain.actors import UserActor
from genba_gateway.domain.jobs import ACTIVE, Job, JobStatus, StoredJobLog
from genba_gateway.errors import BadRequest
from genba_gateway.services.audit import record_change
from genba_gateway.services.visibility import Clock
from genba_gateway.store import jobs as job_store
from genba_gateway.store.engine import Database
from genba_gateway.store.pubsub import PubSub

PAGE_LINES: Final = 1000
"""So many lines are read at a time, so that others get their turn."""


class Jobs:
    """What every job offers, whatever it makes."""

    def __init__(self, database: Database, pubsub: PubSub, now: Clock) -> None:
        self._database = database
        self._pubsub = pubsub
        self._now = now

    async def list_logs(
        self, job_id: str, *, after: int, before: int | None, limit: int | None = None
    ) -> list[StoredJobLog]:
        """Lines with after < id < before, the first of them if there is a limit."""
        async with self._database.read() as connection:
            return await job_store.list_job_logs(connection, job_id, after=after, before=before, limit=limit)

    async def read_logs(
        self, job_id: str, *, after: int = 0, before: int | None = None
    ) -> AsyncGenerator[list[StoredJobLog]]:
        """Lines with after < id < before, page by page."""
        while lines := await self.list_logs(job_id, after=after, before=before, limit=PAGE_LINES):
            yield lines
            if len(lines) < PAGE_LINES:
                return
            after = lines[-1].id

    async def follow_logs(self, job_id: str, *, after: int) -> AsyncGenerator[StoredJobLog]:
        """Lines with an id above `after`, as they come, until the job ended and all were given."""
        with self._pubsub.subscribe(channels.of_job(job_id)) as subscription:
            while True:
                async with self._database.read() as connection:
                    job = await job_store.find_job(connection, job_id)
                    lines = await job_store.list_job_logs(connection, job_id, after=after, limit=PAGE_LINES)
                for line in lines:
                    yield line
                    after = line.id
                if len(lines) == PAGE_LINES:
                    continue
                if job is None or job.status not in ACTIVE:
                    return
                await subscription.changed()

    async def cancel(self, job: Job, actor: UserActor, resource: tuple[str, str, str]) -> None:
        """End a job: at once while it waits, by an interrupt to Terraform while it runs.

        Args:
            resource: what the job makes, for the audit log: its type, its id, and its name.

        Raises:
            BadRequest: it has ended, or was asked to end before.
        """
        if job.status is JobStatus.CANCELING:
            raise BadRequest("The job is being canceled already.")
        if job.status not in ACTIVE:
            raise BadRequest(f"The job has {job.status} already.")
        now = self._now()
        async with self._database.write() as connection:
            asked = await job_store.request_cancel(connection, job.id, now=now)
            if asked:
                organization_id = job.organization_id
                await record_change(
                    connection, actor, now, resource, {"job": "canceled"}, organization_id=organization_id
                )
            current = await job_store.find_job(connection, job.id)
            if asked and current is not None and current.started_at is None:
                await job_store.complete_job(connection, job.id, now=now, error="Canceled before it began.")
        self._pubsub.publish(channels.of_cancel(job.id), channels.of_job(job.id), channels.JOBS)
        if not asked:
            raise BadRequest("The job has ended already.")
