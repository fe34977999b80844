"""Dry runs of template versions: what a first build would make, before anybody asks for it (contract 4.2)."""

from __future__ import annotations

from genba_gateway.domain import channels
from genba_gateway.domain.actors import Action, Resource, UserActor
from genba_gateway.domain.build_parameters import choose_values
from genba_gateway.domain.jobs import ACTIVE, Job, JobType
from genba_gateway.domain.names import explain_bad_name
from genba_gateway.domain.templates import TemplateVersion
from genba_gateway.domain.workspaces import Resource as WorkspaceResource
from genba_gateway.errors import BadRequest, FieldProblem
from genba_gateway.services.dry_run_jobs import DryRunValues
from genba_gateway.services.jobs import Jobs
from genba_gateway.services.template_versions import TemplateVersions, require_succeeded
from genba_gateway.services.visibility import Clock, not_found, require
from genba_gateway.store import jobs as job_store
from genba_gateway.store import resources as resource_store
from genba_gateway.store import template_versions as version_store
from genba_gateway.store.engine import Database
from genba_gateway.store.pubsub import PubSub
from genba_gateway.store.sealing import Sealer
from genba_wire.api.dry_runs import CreateDryRunRequest

IMAGINED_NAME = "default"
"""The workspace's name where none was given, as in imports."""


class DryRuns:
    """Use cases on dry runs. One is seen by who asked for it, and by owners."""

    def __init__(
        self, database: Database, sealer: Sealer, pubsub: PubSub, versions: TemplateVersions, jobs: Jobs, now: Clock
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._pubsub = pubsub
        self._versions = versions
        self._jobs = jobs
        self._now = now

    async def create(
        self, actor: UserActor, version_id: str, request: CreateDryRunRequest
    ) -> tuple[Job, TemplateVersion]:
        """Queue a dry run.

        Raises:
            BadRequest: the version's import has not succeeded, or a name or parameter is wrong; names it.
            Forbidden: variables were given without rights on the template, whose author chose them.
        """
        version = await self._versions.get(actor, version_id)
        require(actor, Resource.WORKSPACE, Action.CREATE, actor.user_id, seen=True)
        if request.user_variable_values:
            require(actor, Resource.TEMPLATE, Action.UPDATE, seen=True)
        require_succeeded(version)
        name = request.workspace_name or IMAGINED_NAME
        if (wrong := explain_bad_name(name)) is not None:
            raise BadRequest(
                f"The name {name!r} can't be used: it {wrong}.", validations=[FieldProblem("workspace_name", wrong)]
            )
        now = self._now()
        job = Job.queued(
            JobType.DRY_RUN,
            organization_id=version.organization_id,
            initiator_id=actor.user_id,
            file_id=version.job.file_id,
            input={"template_version_id": version.id, "workspace_name": name},
            now=now,
        )
        given = {value.name: value.value for value in request.rich_parameter_values}
        async with self._database.write() as connection:
            parameters = await version_store.list_parameters(connection, version.id)
            chosen, problems = choose_values(parameters, given, {}, is_first_build=True)
            if problems:
                raise BadRequest(
                    f"Parameter {problems[0].name!r}: {problems[0].detail}.",
                    validations=[FieldProblem(problem.name, problem.detail) for problem in problems],
                )
            values = DryRunValues(chosen, {one.name: one.value for one in request.user_variable_values})
            await job_store.insert_job(connection, job, variables_sealed=self._sealer.seal(values.encode()))
        self._pubsub.publish(channels.JOBS)
        return await self.get(actor, version_id, job.id)

    async def get(self, actor: UserActor, version_id: str, job_id: str) -> tuple[Job, TemplateVersion]:
        """One dry run with its version."""
        version = await self._versions.get(actor, version_id)
        async with self._database.read() as connection:
            job = await job_store.find_job(connection, job_id)
        if job is None or job.type is not JobType.DRY_RUN or job.input.get("template_version_id") != version.id:
            raise not_found()
        if job.initiator_id != actor.user_id and not actor.is_owner:
            raise not_found()
        return job, version

    async def list_resources(self, actor: UserActor, version_id: str, job_id: str) -> tuple[WorkspaceResource, ...]:
        """What the build would make; 400 until the dry run has ended (contract 4.2)."""
        job, _ = await self.get(actor, version_id, job_id)
        if job.status in ACTIVE:
            raise BadRequest("The dry run is not over yet: try again when its job has completed.")
        async with self._database.read() as connection:
            found = await resource_store.list_resources_of_jobs(connection, self._sealer, [job.id])
        return found.get(job.id, ())

    async def cancel(self, actor: UserActor, version_id: str, job_id: str) -> None:
        """End a dry run."""
        job, version = await self.get(actor, version_id, job_id)
        await self._jobs.cancel(job, actor, ("template_version", version.id, version.name))
