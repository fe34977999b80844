"""Runs jobs: reads what a job needs, has the provisioner do it, stores what came out.

What Terraform left is stored before anything else is said of a build, and its directory is removed only after that.
Jobs that break off are services.job_recovery's.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.bootstrap import read_init_scripts
from genba_gateway.domain import channels
from genba_gateway.domain.jobs import Job, JobType
from genba_gateway.domain.provisioning import (
    BuildRequest,
    BuildResult,
    ImportRequest,
    ImportResult,
    LogLevel,
    OnLog,
    OnResources,
    ResourceSpec,
    Transition,
)
from genba_gateway.domain.users import User
from genba_gateway.domain.workspaces import Build
from genba_gateway.errors import GenbaError, ProvisionError
from genba_gateway.services.build_environment import (
    OwnerSecrets,
    OwnerSecretsSource,
    environment_of_build,
    environment_of_import,
)
from genba_gateway.services.job_log_writer import JobLogWriter
from genba_gateway.services.job_recovery import JobEnd, JobRecovery, Leftovers
from genba_gateway.services.visibility import Clock
from genba_gateway.store import builds as build_store
from genba_gateway.store import files as file_store
from genba_gateway.store import jobs as job_store
from genba_gateway.store import resources as resource_store
from genba_gateway.store import template_versions as version_store
from genba_gateway.store import users as user_store
from genba_gateway.store import workspaces as workspace_store
from genba_gateway.store.engine import Database
from genba_gateway.store.pubsub import PubSub, Subscription
from genba_gateway.store.sealing import Sealer

log = logging.getLogger(__name__)


class Provisioner(Leftovers, Protocol):
    """What runs Terraform (provisioner.terraform.TerraformProvisioner)."""

    async def import_version(self, request: ImportRequest, on_log: OnLog, cancel: asyncio.Event) -> ImportResult:
        """Read a template version."""
        ...

    async def build(
        self,
        request: BuildRequest,
        on_log: OnLog,
        cancel: asyncio.Event,
        on_state: None = None,
        *,
        on_resources: OnResources | None = None,
    ) -> BuildResult:
        """Plan and apply."""
        ...


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
        self._sealer = sealer
        self._pubsub = pubsub
        self._provisioner = provisioner
        self._secrets = secrets
        self._clear_host_workspace = clear_host_workspace
        self._worker_id = worker_id
        self._now = now
        self._init_scripts = read_init_scripts()
        self.recovery = JobRecovery(database=database, sealer=sealer, pubsub=pubsub, leftovers=provisioner, now=now)

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
                            await self._run_import(job, writer, cancel)
                        case JobType.BUILD:
                            await self._run_build(job, writer, cancel)
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

    async def _run_import(self, job: Job, writer: JobLogWriter, cancel: asyncio.Event) -> None:
        async with self._database.read() as connection:
            version = await version_store.find_version_of_job(connection, job.id)
            owner = await user_store.find_user(connection, job.initiator_id)
            archive = await self._read_archive(connection, job)
            sealed = await job_store.get_variables(connection, job.id)
        if version is None or owner is None:
            raise ProvisionError("The template version of this job is gone.")
        request = ImportRequest(
            job_id=job.id,
            template_version_id=version.id,
            archive=archive,
            environment=environment_of_import(owner),
            variables=json.loads(self._sealer.open(sealed)) if sealed else {},
        )
        try:
            found = await self._provisioner.import_version(request, writer.add, cancel)
            await writer.flush()
            now = self._now()
            async with self._database.write() as connection:
                await version_store.update_version(connection, version.id, {"readme": found.readme, "updated_at": now})
                await version_store.insert_parameters(connection, version.id, found.parameters)
                await version_store.insert_variables(connection, self._sealer, version.id, found.variables)
                for transition, resources in (("start", found.start_resources), ("stop", found.stop_resources)):
                    await resource_store.insert_resources(
                        connection,
                        self._sealer,
                        job_id=job.id,
                        transition=transition,
                        resources=resources,
                        now=now,
                    )
                await job_store.complete_job(connection, job.id, now=now)
            self._pubsub.publish(channels.of_job(job.id), channels.JOBS)
        finally:
            await self._provisioner.discard(job.id)

    async def _run_build(self, job: Job, writer: JobLogWriter, cancel: asyncio.Event) -> None:
        async with self._database.read() as connection:
            build = await build_store.find_build_of_job(connection, job.id)
            if build is None:
                raise ProvisionError("The build of this job is gone.")
            owner = await user_store.find_user(connection, build.owner_id)
            if owner is None:
                raise ProvisionError("The workspace's owner is gone.")
        if not build.orphan:
            await self.recovery.salvage_former(build.workspace_id)
        async with self._database.read() as connection:
            # An orphan's archive and state are not needed, so one that can't be read doesn't keep it alive.
            request = None if build.orphan else await self._make_request(connection, job, build)
        if request is None:
            await writer.say(
                "Destroying workspace", "Orphaned: Terraform is not run, what it made stays.", LogLevel.WARN
            )
            result = BuildResult(state=None)
        else:
            secrets = await self._secrets.make_owner_secrets(owner, build)
            request = await self._with_environment(request, build, owner, secrets)
            result = await self._provisioner.build(
                request,
                writer.add,
                cancel,
                on_resources=lambda resources: self._store_resources(build, resources),
            )
            if build.transition is Transition.DELETE and not result.error and not result.canceled:
                try:
                    await self._clear_host_workspace(build.workspace_id)
                except OSError as error:
                    reason = f"The workspace's files can't be removed ({error}): remove them, then delete it again."
                    await writer.say("Destroying workspace", reason, LogLevel.ERROR)
                    result = replace(result, error=reason)
        await writer.flush()
        await self._store_build(job, build, result)
        await self._provisioner.discard(job.id)

    async def _make_request(self, connection: AsyncConnection, job: Job, build: Build) -> BuildRequest:
        sealed = await build_store.find_state(connection, build.id)
        if sealed is None:
            sealed = await build_store.find_latest_state(
                connection, build.workspace_id, before_number=build.build_number
            )
        variables = await version_store.list_variables(connection, self._sealer, build.template_version_id)
        return BuildRequest(
            job_id=job.id,
            template_version_id=build.template_version_id,
            archive=await self._read_archive(connection, job),
            transition=build.transition,
            state=self._sealer.open_compressed(sealed) if sealed is not None else None,
            variables={variable.name: variable.value for variable in variables},
            debug=build.debug,
        )

    async def _with_environment(
        self, request: BuildRequest, build: Build, owner: User, secrets: OwnerSecrets
    ) -> BuildRequest:
        async with self._database.read() as connection:
            parameters = await build_store.list_build_parameters(connection, self._sealer, build.id)
            before = await build_store.find_build_by_number(connection, build.workspace_id, build.build_number - 1)
            previous = await build_store.list_build_parameters(connection, self._sealer, before.id) if before else {}
        environment = environment_of_build(build, owner, secrets, parameters, previous, init_scripts=self._init_scripts)
        return replace(request, environment=environment)

    async def _read_archive(self, connection: AsyncConnection, job: Job) -> bytes:
        file = await file_store.find_file(connection, job.file_id)
        if file is None:
            raise ProvisionError("The template's archive is gone: push the template again.")
        return file.data

    async def _store_resources(self, build: Build, resources: Sequence[ResourceSpec]) -> None:
        """Store agents while the build still runs, so that they may connect as soon as they exist."""
        async with self._database.write() as connection:
            await resource_store.insert_resources(
                connection,
                self._sealer,
                job_id=build.job.id,
                transition=build.transition.value,
                resources=resources,
                now=self._now(),
            )
        self._pubsub.publish(channels.of_workspace(build.workspace_id))

    async def _store_build(self, job: Job, build: Build, result: BuildResult) -> None:
        now = self._now()
        values: dict[str, object] = {"updated_at": now}
        if result.state is not None:
            values["state_sealed"] = await asyncio.to_thread(self._sealer.seal_compressed, result.state)
        succeeded = not result.error and not result.canceled
        async with self._database.write() as connection:
            if succeeded and build.transition is Transition.START:
                workspace = await workspace_store.find_workspace(connection, build.workspace_id)
                if workspace is not None and workspace.ttl_ms:
                    values["deadline"] = now + timedelta(milliseconds=workspace.ttl_ms)
            await build_store.update_build(connection, build.id, values)
            if succeeded or result.resources:
                await resource_store.insert_resources(
                    connection,
                    self._sealer,
                    job_id=job.id,
                    transition=build.transition.value,
                    resources=result.resources,
                    now=now,
                )
            if succeeded and build.transition is Transition.DELETE:
                await workspace_store.update_workspace(
                    connection, build.workspace_id, {"deleted": True, "updated_at": now}
                )
            error = result.error or ("Canceled." if result.canceled else "")
            await job_store.complete_job(connection, job.id, now=now, error=error)
        self.recovery.publish_end(job.id, build)


async def _set_when_asked(asked: Subscription, cancel: asyncio.Event) -> None:
    await asked.changed()
    cancel.set()
