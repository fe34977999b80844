"""Template versions and their import jobs (contract 4.2)."""

from __future__ import annotations

import json
import uuid

from sqlalchemy.exc import IntegrityError

from genba_gateway.domain import channels
from genba_gateway.domain.actors import Action, Resource, UserActor
from genba_gateway.domain.jobs import ACTIVE, Job, JobStatus, JobType
from genba_gateway.domain.names import explain_bad_version_name, make_version_name
from genba_gateway.domain.provisioning import TemplateParameter, TemplateVariable
from genba_gateway.domain.templates import TemplateVersion
from genba_gateway.domain.workspaces import Resource as WorkspaceResource
from genba_gateway.errors import BadRequest, Conflict, FieldProblem, Forbidden, NotFound
from genba_gateway.services.audit import record_change
from genba_gateway.services.examples import Examples
from genba_gateway.services.jobs import Jobs
from genba_gateway.services.visibility import Clock, not_found, require
from genba_gateway.store import files as file_store
from genba_gateway.store import jobs as job_store
from genba_gateway.store import resources as resource_store
from genba_gateway.store import template_versions as version_store
from genba_gateway.store import templates as template_store
from genba_gateway.store.audit_logs import insert_audit_log
from genba_gateway.store.engine import Database
from genba_gateway.store.pubsub import PubSub
from genba_gateway.store.sealing import Sealer
from genba_wire.api.templates import CreateTemplateVersionRequest, PatchTemplateVersionRequest


class TemplateVersions:
    """Use cases on template versions."""

    def __init__(
        self, database: Database, sealer: Sealer, pubsub: PubSub, jobs: Jobs, examples: Examples, now: Clock
    ) -> None:
        self._examples = examples
        self._database = database
        self._sealer = sealer
        self._pubsub = pubsub
        self._jobs = jobs
        self._now = now

    async def create(
        self, actor: UserActor, organization_id: str, request: CreateTemplateVersionRequest
    ) -> TemplateVersion:
        """Queue the import of an uploaded archive, or of an example.

        Raises:
            BadRequest: a bad name, provisioner or storage method, or no file or example named, or both.
            NotFound: no such file, example or template.
            Conflict: the template has a version of this name.
        """
        require(actor, Resource.TEMPLATE, Action.CREATE, seen=True)
        _check(request)
        file_id = await self._examples.upload(actor, request.example_id) if request.example_id else request.file_id
        now, version_id = self._now(), str(uuid.uuid4())
        async with self._database.write() as connection:
            if not await file_store.has_file(connection, file_id):
                raise NotFound(f"There is no file {file_id}: upload the archive first.")
            template = None
            if request.template_id:
                template = await template_store.find_template(connection, request.template_id)
                if template is None or template.deleted or template.organization_id != organization_id:
                    raise NotFound(f"There is no template {request.template_id}.")
            job = Job.queued(
                JobType.IMPORT,
                organization_id=organization_id,
                initiator_id=actor.user_id,
                file_id=file_id,
                tags=request.tags,
                input={"template_version_id": version_id},
                now=now,
            )
            variables = {variable.name: variable.value for variable in request.user_variable_values}
            sealed = self._sealer.seal(json.dumps(variables).encode())
            await job_store.insert_job(connection, job, variables_sealed=sealed)
            version = TemplateVersion(
                id=version_id,
                template_id=template.id if template else None,
                organization_id=organization_id,
                name=request.name or make_version_name(),
                message=request.message,
                readme="",
                created_by=actor.user_id,
                created_by_name=actor.username,
                created_by_avatar_url="",
                archived=False,
                created_at=now,
                updated_at=now,
                job=job,
            )
            try:
                await version_store.insert_version(connection, version)
            except IntegrityError as error:
                raise Conflict(
                    f"The template has a version named {version.name!r} already: choose another name.",
                    validations=[FieldProblem("name", "is taken")],
                ) from error
            await insert_audit_log(
                connection,
                now=now,
                user_id=actor.user_id,
                organization_id=organization_id,
                action="create",
                resource_type="template_version",
                resource_id=version.id,
                resource_target=version.name,
                ip_address=actor.ip_address,
                user_agent=actor.user_agent,
            )
        self._pubsub.publish(channels.JOBS)
        return await self.get(actor, version_id)

    async def get(self, actor: UserActor, version_id: str) -> TemplateVersion:
        """One version."""
        require(actor, Resource.TEMPLATE, Action.READ)
        async with self._database.read() as connection:
            version = await version_store.find_version(connection, version_id)
        if version is None:
            raise not_found()
        return version

    async def get_by_name(self, actor: UserActor, template_id: str, name: str) -> TemplateVersion:
        """One version of a template."""
        require(actor, Resource.TEMPLATE, Action.READ)
        async with self._database.read() as connection:
            version = await version_store.find_version_by_name(connection, template_id, name)
        if version is None:
            raise not_found()
        return version

    async def list_of_template(
        self,
        actor: UserActor,
        template_id: str,
        *,
        include_archived: bool,
        after_id: str | None,
        limit: int | None,
        offset: int,
    ) -> list[TemplateVersion]:
        """Versions of a template, oldest first."""
        require(actor, Resource.TEMPLATE, Action.READ)
        async with self._database.read() as connection:
            return await version_store.list_versions(
                connection,
                template_id,
                include_archived=include_archived,
                after_id=after_id,
                limit=limit,
                offset=offset,
            )

    async def get_previous(self, actor: UserActor, template_id: str, name: str) -> TemplateVersion:
        """The version of a template that was made before the named one.

        Raises:
            NotFound: there is none.
        """
        version = await self.get_by_name(actor, template_id, name)
        async with self._database.read() as connection:
            previous = await version_store.find_previous(connection, version)
        if previous is None:
            raise NotFound(f"Version {version.name!r} is the first one of its template.")
        return previous

    async def list_parameters(self, actor: UserActor, version_id: str) -> list[TemplateParameter]:
        """Parameters of a version; 403 while it is being imported (contract 4.2)."""
        version = await self.get(actor, version_id)
        if version.job.status in ACTIVE:
            raise Forbidden("Job hasn't completed!")
        async with self._database.read() as connection:
            return await version_store.list_parameters(connection, version_id)

    async def list_variables(self, actor: UserActor, version_id: str) -> list[TemplateVariable]:
        """Variables of a version; 403 while it is being imported. Sensitive values are for builds, not for eyes."""
        version = await self.get(actor, version_id)
        require(actor, Resource.TEMPLATE, Action.UPDATE, seen=True)
        if version.job.status in ACTIVE:
            raise Forbidden("Job hasn't completed!")
        async with self._database.read() as connection:
            return await version_store.list_variables(connection, self._sealer, version_id)

    async def list_resources(self, actor: UserActor, version_id: str) -> tuple[WorkspaceResource, ...]:
        """Resources of both transitions; 400 while it is being imported (contract 4.2)."""
        version = await self.get(actor, version_id)
        if version.job.status in ACTIVE:
            raise BadRequest("The template version is still being imported: try again when its job has completed.")
        async with self._database.read() as connection:
            found = await resource_store.list_resources_of_jobs(connection, self._sealer, [version.job.id])
        return found.get(version.job.id, ())

    async def update(self, actor: UserActor, version_id: str, request: PatchTemplateVersionRequest) -> TemplateVersion:
        """Rename a version or change its message."""
        version = await self.get(actor, version_id)
        require(actor, Resource.TEMPLATE, Action.UPDATE, seen=True)
        changes: dict[str, object] = {"updated_at": self._now()}
        if request.name and request.name != version.name:
            _check_version_name(request.name)
            changes["name"] = request.name
        if request.message is not None:
            changes["message"] = request.message
        async with self._database.write() as connection:
            try:
                await version_store.update_version(connection, version_id, changes)
            except IntegrityError as error:
                raise BadRequest(
                    f"The template has a version named {request.name!r} already.",
                    validations=[FieldProblem("name", "is taken")],
                ) from error
            what = {name: str(value) for name, value in changes.items() if name != "updated_at"}
            await record_change(connection, actor, self._now(), ("template_version", version_id, version.name), what)
        return await self.get(actor, version_id)

    async def set_archived(self, actor: UserActor, version_id: str, *, archived: bool) -> None:
        """Archive or unarchive a version; the active one can't be archived (400)."""
        version = await self.get(actor, version_id)
        require(actor, Resource.TEMPLATE, Action.UPDATE, seen=True)
        if version.archived is archived:
            raise BadRequest(f"Version {version.name!r} is {'' if archived else 'not '}archived already.")
        async with self._database.write() as connection:
            if archived and version.template_id is not None:
                template = await template_store.find_template(connection, version.template_id)
                if template is not None and template.active_version_id == version.id:
                    raise BadRequest(f"Version {version.name!r} is the active one: promote another first.")
            await version_store.update_version(
                connection, version_id, {"archived": archived, "updated_at": self._now()}
            )
            what = {"archived": str(archived).lower()}
            await record_change(connection, actor, self._now(), ("template_version", version_id, version.name), what)

    async def cancel(self, actor: UserActor, version_id: str) -> None:
        """End the import of a version."""
        version = await self.get(actor, version_id)
        require(actor, Resource.TEMPLATE, Action.UPDATE, seen=True)
        await self._jobs.cancel(version.job, actor, ("template_version", version.id, version.name))


def require_succeeded(version: TemplateVersion) -> None:
    """Refuse to build from a version whose import did not succeed.

    Raises:
        BadRequest: says what its import is.
    """
    match version.job.status:
        case JobStatus.SUCCEEDED:
            return
        case JobStatus.FAILED:
            raise BadRequest(
                f"Template version {version.name!r} can't be built: its import failed: {version.job.error}"
            )
        case _:
            raise BadRequest(f"Template version {version.name!r} can't be built: its import is {version.job.status}.")


def _check(request: CreateTemplateVersionRequest) -> None:
    if request.name:
        _check_version_name(request.name)
    if request.provisioner != "terraform":
        raise BadRequest(
            f"Provisioner {request.provisioner!r} is not supported: use terraform.",
            validations=[FieldProblem("provisioner", "must be terraform")],
        )
    if request.storage_method != "file":
        raise BadRequest(
            f"Storage method {request.storage_method!r} is not supported: use file.",
            validations=[FieldProblem("storage_method", "must be file")],
        )
    if not request.file_id and not request.example_id:
        raise BadRequest(
            "A template version needs an uploaded archive, or an example.",
            validations=[FieldProblem("file_id", "is required")],
        )
    if request.file_id and request.example_id:
        raise BadRequest(
            "A template version is made of an uploaded archive or of an example, not of both: leave one out.",
            validations=[FieldProblem("example_id", "must be left out beside file_id")],
        )


def _check_version_name(name: str) -> None:
    if (wrong := explain_bad_version_name(name)) is not None:
        raise BadRequest(f"The name {name!r} can't be used: it {wrong}.", validations=[FieldProblem("name", wrong)])
