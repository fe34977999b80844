"""Builds of workspaces (contract 4.3)."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.domain import channels
from genba_gateway.domain.actors import Action, Resource, UserActor
from genba_gateway.domain.build_parameters import choose_values, choose_values_to_end
from genba_gateway.domain.jobs import ACTIVE, Job, JobType
from genba_gateway.domain.provisioning import Transition
from genba_gateway.domain.workspaces import Build, Workspace
from genba_gateway.errors import BadRequest, Conflict, FieldProblem, Forbidden
from genba_gateway.services.build_plans import BuildPlan, OwnAccord, require_startable
from genba_gateway.services.build_requests import check_build_request, parse_state, parse_transition
from genba_gateway.services.jobs import Jobs
from genba_gateway.services.presets import add_preset_values
from genba_gateway.services.template_versions import require_succeeded
from genba_gateway.services.visibility import Clock, not_found, require
from genba_gateway.store import builds as build_store
from genba_gateway.store import jobs as job_store
from genba_gateway.store import resources as resource_store
from genba_gateway.store import template_versions as version_store
from genba_gateway.store import templates as template_store
from genba_gateway.store import workspaces as workspace_store
from genba_gateway.store.audit_logs import insert_audit_log
from genba_gateway.store.engine import Database
from genba_gateway.store.pubsub import PubSub
from genba_gateway.store.sealing import Sealer
from genba_wire.api.workspaces import CreateBuildRequest

_AUDIT_ACTION = {Transition.START: "start", Transition.STOP: "stop", Transition.DELETE: "delete"}


class Builds:
    """Use cases on builds."""

    def __init__(self, database: Database, sealer: Sealer, pubsub: PubSub, jobs: Jobs, now: Clock) -> None:
        self._database = database
        self._sealer = sealer
        self._pubsub = pubsub
        self._jobs = jobs
        self._now = now

    async def create(
        self,
        actor: UserActor,
        workspace_id: str,
        request: CreateBuildRequest,
        *,
        by_itself: OwnAccord | None = None,
        then: CreateBuildRequest | None = None,
    ) -> Build:
        """Queue a start, stop or delete.

        Args:
            actor: who asks.
            workspace_id: whose build.
            request: what to do.
            by_itself: nobody asks, the gateway does it by itself, if it is still due.
            then: what shall follow; if that could not be begun, nor is this.

        Raises:
            BadRequest: a bad transition, version, state or parameter; names it.
            Conflict: another build is in progress, or it is no longer due.
            Forbidden: a state or debug log was asked for without rights on the template, or a start of another
                version than the active one where the template requires that.
        """
        now = self._now()
        async with self._database.write() as connection:
            workspace = await workspace_store.find_workspace(connection, workspace_id)
            if workspace is None or workspace.deleted:
                raise not_found()
            action = Action.DELETE if request.transition == "delete" else Action.UPDATE
            require(actor, Resource.WORKSPACE, action, workspace.owner_id)
            if by_itself is not None and not await by_itself.is_due(connection, workspace):
                raise Conflict(f"Workspace {workspace.name!r} was used, started or stopped meanwhile.")
            plan = await self._plan(connection, actor, workspace, request)
            if by_itself is not None:
                plan = replace(plan, reason=by_itself.reason)
            if then is not None:
                await self._check(connection, actor, await self._plan(connection, actor, workspace, then))
            build_id = await self.insert(connection, actor, plan, now)
        self._pubsub.publish(channels.JOBS, channels.of_workspace(workspace_id))
        return await self.get(actor, build_id)

    async def _plan(
        self, connection: AsyncConnection, actor: UserActor, workspace: Workspace, request: CreateBuildRequest
    ) -> BuildPlan:
        transition = parse_transition(request.transition)
        latest = workspace.latest_build
        if latest.job.status in ACTIVE:
            raise Conflict(
                f"Workspace {workspace.name!r} has a build in progress (number {latest.build_number}, "
                f"{latest.status}): wait for it or cancel it."
            )
        state = parse_state(request.state)
        check_build_request(actor, request)
        version_id = request.template_version_id or _choose_version(workspace, transition)
        version = await version_store.find_version(connection, version_id)
        if version is None or version.template_id != workspace.template_id:
            raise BadRequest(
                f"Template {workspace.template_name!r} has no version {version_id}.",
                validations=[FieldProblem("template_version_id", "does not belong to the workspace's template")],
            )
        preset_id = request.template_version_preset_id if transition is Transition.START else ""
        values = {value.name: value.value for value in request.rich_parameter_values}
        return BuildPlan(
            workspace_id=workspace.id,
            workspace_name=workspace.name,
            owner_id=workspace.owner_id,
            organization_id=workspace.organization_id,
            number=latest.build_number + 1,
            transition=transition,
            version=version,
            given=await add_preset_values(connection, version, preset_id, values),
            previous=await build_store.list_build_parameters(connection, self._sealer, latest.id),
            reason=request.reason or "initiator",
            orphan=request.orphan,
            debug=request.log_level == "debug",
            state=state,
            preset_id=preset_id.lower(),
            required_version_id=(
                workspace.template_active_version_id if workspace.template_require_active_version else ""
            ),
        )

    async def insert(self, connection: AsyncConnection, actor: UserActor, plan: BuildPlan, now: datetime) -> str:
        """Check the parameters of a build and put it in the queue; the caller publishes.

        Raises:
            BadRequest: the version can't be built, or a parameter is wrong.
            Forbidden: the template requires another version.
            Conflict: somebody else's build took the number.
        """
        values = await self._check(connection, actor, plan)
        build_id = str(uuid.uuid4())
        job = Job.queued(
            JobType.BUILD,
            organization_id=plan.organization_id,
            initiator_id=actor.user_id,
            file_id=plan.version.job.file_id,
            input={"workspace_build_id": build_id},
            now=now,
        )
        await job_store.insert_job(connection, job)
        build = Build(
            id=build_id,
            workspace_id=plan.workspace_id,
            workspace_name=plan.workspace_name,
            owner_id=plan.owner_id,
            owner_name="",
            owner_avatar_url="",
            template_id=plan.version.template_id or "",
            template_name="",
            template_display_name="",
            template_icon="",
            template_version_id=plan.version.id,
            template_version_name=plan.version.name,
            build_number=plan.number,
            transition=plan.transition,
            initiator_id=actor.user_id,
            initiator_name=actor.username,
            reason=plan.reason,
            deadline=None,
            max_deadline=None,
            orphan=plan.orphan,
            debug=plan.debug,
            template_version_preset_id=plan.preset_id or None,
            created_at=now,
            updated_at=now,
            job=job,
        )
        sealed = self._sealer.seal_compressed(plan.state) if plan.state is not None else None
        try:
            await build_store.insert_build(connection, build, state_sealed=sealed)
        except IntegrityError as error:
            raise Conflict("Another build was started at the same moment: look at its log.") from error
        await build_store.insert_build_parameters(connection, self._sealer, build_id, values)
        await insert_audit_log(
            connection,
            now=now,
            user_id=actor.user_id,
            organization_id=plan.organization_id,
            action=_AUDIT_ACTION[plan.transition],
            resource_type="workspace_build",
            resource_id=build_id,
            resource_target=plan.workspace_name,
            ip_address=actor.ip_address,
            user_agent=actor.user_agent,
        )
        return build_id

    async def _check(self, connection: AsyncConnection, actor: UserActor, plan: BuildPlan) -> dict[str, str]:
        require_succeeded(plan.version)
        if plan.transition is Transition.START:
            require_startable(actor, plan)
        return await self._choose_parameters(connection, plan)

    async def _choose_parameters(self, connection: AsyncConnection, plan: BuildPlan) -> dict[str, str]:
        parameters = await version_store.list_parameters(connection, plan.version.id)
        if plan.transition is not Transition.START:
            return choose_values_to_end(parameters, plan.given, plan.previous)
        values, problems = choose_values(parameters, plan.given, plan.previous, is_first_build=plan.number == 1)
        if problems:
            raise BadRequest(
                f"Parameter {problems[0].name!r}: {problems[0].detail}.",
                validations=[FieldProblem(problem.name, problem.detail) for problem in problems],
            )
        return values

    async def get(self, actor: UserActor, build_id: str) -> Build:
        """One build with its resources."""
        async with self._database.read() as connection:
            build = await build_store.find_build(connection, build_id)
            return await self._checked(connection, actor, build)

    async def get_by_number(self, actor: UserActor, workspace: Workspace, number: int) -> Build:
        """One build of a workspace by its number, with its resources."""
        async with self._database.read() as connection:
            build = await build_store.find_build_by_number(connection, workspace.id, number)
            return await self._checked(connection, actor, build)

    async def _checked(self, connection: AsyncConnection, actor: UserActor, build: Build | None) -> Build:
        if build is None:
            raise not_found()
        require(actor, Resource.WORKSPACE, Action.READ, build.owner_id)
        resources = await resource_store.list_resources_of_jobs(connection, self._sealer, [build.job.id])
        return replace(build, resources=resources.get(build.job.id, ()))

    async def list_of_workspace(
        self,
        workspace: Workspace,
        *,
        after_id: str | None,
        since: datetime | None,
        limit: int | None,
        offset: int,
    ) -> list[Build]:
        """Builds of a workspace that the caller may see, newest first, with resources."""
        async with self._database.read() as connection:
            found = await build_store.list_builds(
                connection, workspace.id, after_id=after_id, since=since, limit=limit, offset=offset
            )
            resources = await resource_store.list_resources_of_jobs(
                connection, self._sealer, [build.job.id for build in found]
            )
        return [replace(build, resources=resources.get(build.job.id, ())) for build in found]

    async def list_parameters(self, actor: UserActor, build_id: str) -> dict[str, str]:
        """The parameters that a build was given."""
        build = await self.get(actor, build_id)
        async with self._database.read() as connection:
            return await build_store.list_build_parameters(connection, self._sealer, build.id)

    async def get_state(self, actor: UserActor, build_id: str) -> bytes:
        """The Terraform state that a build left; owners only, since it holds every secret (empty without one)."""
        build = await self.get(actor, build_id)
        require(actor, Resource.TEMPLATE, Action.UPDATE, seen=True)
        async with self._database.read() as connection:
            sealed = await build_store.find_state(connection, build.id)
        return self._sealer.open_compressed(sealed) if sealed is not None else b""

    async def cancel(self, actor: UserActor, build_id: str) -> None:
        """End a build."""
        build = await self.get(actor, build_id)
        require(actor, Resource.WORKSPACE, Action.UPDATE, build.owner_id, seen=True)
        async with self._database.read() as connection:
            template = await template_store.find_template(connection, build.template_id)
        if template is not None and not template.allow_user_cancel_workspace_jobs and not actor.is_owner:
            raise Forbidden(f"Template {template.name!r} does not allow users to cancel builds: ask an owner.")
        await self._jobs.cancel(build.job, actor, ("workspace_build", build.id, build.workspace_name))
        self._pubsub.publish(channels.of_workspace(build.workspace_id))


def _choose_version(workspace: Workspace, transition: Transition) -> str:
    """The version of a build for which none was named: that of the one before, unless starts shall update."""
    if transition is Transition.START and workspace.automatic_updates == "always":
        return workspace.template_active_version_id
    return workspace.latest_build.template_version_id
