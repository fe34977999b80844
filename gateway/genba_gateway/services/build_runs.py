"""Runs build jobs: reads what a build needs, has the provisioner do it, stores what came out.

What Terraform left is stored before anything else is said of a build, and its directory is removed only after that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Protocol

from genba_gateway.bootstrap import read_init_scripts
from genba_gateway.domain import channels
from genba_gateway.domain.jobs import Job
from genba_gateway.domain.provisioning import (
    BuildRequest,
    BuildResult,
    LogLevel,
    OnLog,
    OnResources,
    ResourceSpec,
    Transition,
)
from genba_gateway.domain.users import User
from genba_gateway.domain.workspaces import Build, is_stop_of_restart
from genba_gateway.errors import ProvisionError
from genba_gateway.services.build_environment import OwnerSecrets, OwnerSecretsSource, environment_of_build
from genba_gateway.services.job_archives import read_archive
from genba_gateway.services.job_log_writer import JobLogWriter
from genba_gateway.services.job_recovery import JobRecovery
from genba_gateway.services.sealed_states import SealedStates
from genba_gateway.services.visibility import Clock
from genba_gateway.store import builds as build_store
from genba_gateway.store import jobs as job_store
from genba_gateway.store import resources as resource_store
from genba_gateway.store import template_versions as version_store
from genba_gateway.store import timings as timing_store
from genba_gateway.store import users as user_store
from genba_gateway.store import workspaces as workspace_store
from genba_gateway.store.engine import Database
from genba_gateway.store.pubsub import PubSub
from genba_gateway.store.sealing import Sealer


class Builder(Protocol):
    """What builds workspaces (part of provisioner.terraform.TerraformProvisioner)."""

    async def build(
        self,
        request: BuildRequest,
        on_log: OnLog,
        cancel: asyncio.Event,
        on_state: None = None,
        *,
        on_resources: OnResources | None = None,
    ) -> BuildResult:
        """Apply a template to a workspace."""
        ...

    async def discard(self, job_id: str) -> None:
        """Remove a job's directory."""
        ...


class BuildRuns:
    """Runs builds; calls may overlap."""

    def __init__(
        self,
        *,
        database: Database,
        sealer: Sealer,
        pubsub: PubSub,
        builder: Builder,
        secrets: OwnerSecretsSource,
        clear_host_workspace: Callable[[str], Awaitable[None]],
        recovery: JobRecovery,
        now: Clock,
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._states = SealedStates(sealer)
        self._pubsub = pubsub
        self._builder = builder
        self._secrets = secrets
        self._clear_host_workspace = clear_host_workspace
        self._recovery = recovery
        self._now = now
        self._init_scripts = read_init_scripts()

    async def run(self, job: Job, writer: JobLogWriter, cancel: asyncio.Event) -> None:
        """Build a workspace and store what became of it.

        Raises:
            ProvisionError: it can't be begun.
        """
        async with self._database.read() as connection:
            build = await build_store.find_build_of_job(connection, job.id)
            if build is None:
                raise ProvisionError("The build of this job is gone.")
            owner = await user_store.find_user(connection, build.owner_id)
            if owner is None:
                raise ProvisionError("The workspace's owner is gone.")
        if build.orphan:
            # An orphan's archive and state are not needed, so one that can't be read doesn't keep it alive.
            notice = "Orphaned: Terraform is not run, what it made stays."
            await writer.say("Destroying workspace", notice, LogLevel.WARN)
            await self._secrets.end_session_token(owner, build)
            result = BuildResult(state=None)
        else:
            result = await self._apply(job, build, owner, writer, cancel)
        await writer.flush()
        await self._store_build(job, build, result)
        await self._builder.discard(job.id)

    async def _apply(
        self, job: Job, build: Build, owner: User, writer: JobLogWriter, cancel: asyncio.Event
    ) -> BuildResult:
        await self._recovery.salvage_former(build.workspace_id)
        request = await self._make_request(job, build)
        secrets = await self._secrets.make_owner_secrets(owner, build)
        result = await self._builder.build(
            await self._with_environment(request, build, owner, secrets),
            writer.add,
            cancel,
            on_resources=lambda resources: self._store_resources(build, resources),
        )
        if build.transition is not Transition.DELETE or result.error or result.canceled:
            return result
        try:
            await self._clear_host_workspace(build.workspace_id)
        except OSError as error:
            reason = f"The workspace's files can't be removed ({error}): remove them, then delete it again."
            await writer.say("Destroying workspace", reason, LogLevel.ERROR)
            return replace(result, error=reason)
        return result

    async def _make_request(self, job: Job, build: Build) -> BuildRequest:
        async with self._database.read() as connection:
            sealed = await build_store.find_state(connection, build.id)
            if sealed is None:
                sealed = await build_store.find_latest_state(
                    connection, build.workspace_id, before_number=build.build_number
                )
            variables = await version_store.list_variables(connection, self._sealer, build.template_version_id)
            archive = await read_archive(connection, job)
        return BuildRequest(
            job_id=job.id,
            template_version_id=build.template_version_id,
            archive=archive,
            transition=build.transition,
            state=await self._states.open(sealed) if sealed is not None else None,
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
            values["state_sealed"] = await self._states.seal(result.state)
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
            await timing_store.insert_provisioner_timings(connection, job.id, result.timings)
            error = result.error or ("Canceled." if result.canceled else "")
            await job_store.complete_job(connection, job.id, now=now, error=error)
        self._recovery.publish_end(job.id, build)
        if is_stop_of_restart(build):
            self._pubsub.publish(channels.RESTARTS)
