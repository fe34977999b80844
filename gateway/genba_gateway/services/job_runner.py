"""Takes jobs from the queue and runs them to their ends.

What each kind does is services.import_runs', services.build_runs' and services.dry_run_jobs'; jobs that break off are
services.job_recovery's.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from genba_gateway.domain import channels
from genba_gateway.domain.jobs import Job, JobType
from genba_gateway.domain.provisioning import LogLevel
from genba_gateway.errors import GenbaError, ProvisionError
from genba_gateway.services.build_environment import OwnerSecretsSource
from genba_gateway.services.build_runs import Builder, BuildRuns
from genba_gateway.services.dry_run_jobs import DryRunJobs
from genba_gateway.services.import_runs import Importer, ImportRuns
from genba_gateway.services.job_log_writer import JobLogWriter
from genba_gateway.services.job_recovery import JobEnd, JobRecovery, Leftovers
from genba_gateway.services.visibility import Clock
from genba_gateway.store import builds as build_store
from genba_gateway.store import jobs as job_store
from genba_gateway.store.engine import Database
from genba_gateway.store.pubsub import PubSub, Subscription
from genba_gateway.store.sealing import Sealer

log = logging.getLogger(__name__)


class Provisioner(Leftovers, Importer, Builder, Protocol):
    """What runs Terraform (provisioner.terraform.TerraformProvisioner)."""


class JobRunner:
    """Runs one job at a time for each call of `run`; calls may overlap."""

    def __init__(
        self,
        *,
        database: Database,
        sealer: Sealer,
        pubsub: PubSub,
        provisioner: Provisioner,
        secrets: OwnerSecretsSource,
        clear_host_workspace: Callable[[str], Awaitable[None]],
        worker_id: str,
        now: Clock,
    ) -> None:
        self._database = database
        self._pubsub = pubsub
        self._worker_id = worker_id
        self._now = now
        self.recovery = JobRecovery(database=database, sealer=sealer, pubsub=pubsub, leftovers=provisioner, now=now)
        self._imports = ImportRuns(database=database, sealer=sealer, pubsub=pubsub, importer=provisioner, now=now)
        self._dry_runs = DryRunJobs(database=database, sealer=sealer, pubsub=pubsub, importer=provisioner, now=now)
        self._builds = BuildRuns(
            database=database,
            sealer=sealer,
            pubsub=pubsub,
            builder=provisioner,
            secrets=secrets,
            clear_host_workspace=clear_host_workspace,
            recovery=self.recovery,
            now=now,
        )

    async def take(self) -> Job | None:
        """Take the next job of the queue for `run`, or None."""
        async with self._database.write() as connection:
            job = await job_store.take_next_job(connection, worker_id=self._worker_id, now=self._now())
            if job is None:
                return None
            waiting = await build_store.list_waiting_workspaces(connection)
            build = await build_store.find_build_of_job(connection, job.id)
        workspaces = [*waiting, *([build.workspace_id] if build else [])]
        self._pubsub.publish(channels.of_job(job.id), *map(channels.of_workspace, workspaces))
        return job

    async def run(self, job: Job) -> None:
        """Run a taken job to its end; whatever happens is in its row and its log."""
        with self._pubsub.subscribe(channels.of_cancel(job.id)) as asked:
            cancel = asyncio.Event()
            async with asyncio.TaskGroup() as tasks:
                watcher = tasks.create_task(_set_when_asked(asked, cancel), name=f"cancel of job {job.id}")
                try:
                    await self._run(job, cancel)
                finally:
                    watcher.cancel()

    async def _is_canceled(self, job_id: str) -> bool:
        async with self._database.read() as connection:
            job = await job_store.find_job(connection, job_id)
        return job is None or job.canceled_at is not None

    async def _run(self, job: Job, cancel: asyncio.Event) -> None:
        try:
            if await self._is_canceled(job.id):
                cancel.set()
            async with JobLogWriter(self._database, self._pubsub, job.id, self._now) as writer:
                try:
                    match job.type:
                        case JobType.IMPORT:
                            await self._imports.run(job, writer, cancel)
                        case JobType.BUILD:
                            await self._builds.run(job, writer, cancel)
                        case JobType.DRY_RUN:
                            await self._dry_runs.run(job, writer, cancel)
                except ProvisionError as error:
                    await writer.say("Cleaning Up", error.message, LogLevel.ERROR)
                    await writer.flush()
                    await self.recovery.complete(job.id, JobEnd(error.message, error.code))
        except* GenbaError as group:
            reason = "; ".join(str(each) for each in group.exceptions)
            log.error("job %s failed", job.id, exc_info=group)
            await self.recovery.break_off(job, JobEnd(reason))
        except* Exception as group:  # the edge of a task: a job must never stay "running" for a bug
            log.error("job %s failed for a reason of the gateway's own", job.id, exc_info=group)
            await self.recovery.break_off(job, JobEnd("The gateway failed to run this job; its log says why."))


async def _set_when_asked(asked: Subscription, cancel: asyncio.Event) -> None:
    await asked.changed()
    cancel.set()
