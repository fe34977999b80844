"""Workspaces (contract 2.3, 4.3)."""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy.exc import IntegrityError

from genba_gateway.domain import channels
from genba_gateway.domain.actors import Action, Permission, Resource, UserActor
from genba_gateway.domain.agents import agent_status
from genba_gateway.domain.deadlines import explain_bad_ttl
from genba_gateway.domain.names import explain_bad_name
from genba_gateway.domain.provisioning import Transition
from genba_gateway.domain.users import User
from genba_gateway.domain.workspace_query import WorkspaceQuery, parse_workspace_query
from genba_gateway.domain.workspaces import Workspace
from genba_gateway.errors import BadRequest, Conflict, FieldProblem, Gone, MethodNotAllowed, NotFound
from genba_gateway.services.audit import record_change
from genba_gateway.services.autostart import read_next_start, refuse_schedule_of_template
from genba_gateway.services.build_plans import BuildPlan
from genba_gateway.services.builds import Builds
from genba_gateway.services.deadlines import refuse_ttl_of_template
from genba_gateway.services.presets import add_preset_values
from genba_gateway.services.searches import refuse_bad_search
from genba_gateway.services.visibility import Clock, not_found, require
from genba_gateway.services.workspace_settings import check_automatic_updates
from genba_gateway.store import builds as build_store
from genba_gateway.store import resources as resource_store
from genba_gateway.store import template_versions as version_store
from genba_gateway.store import templates as template_store
from genba_gateway.store import users as user_store
from genba_gateway.store import workspaces as workspace_store
from genba_gateway.store.audit_logs import insert_audit_log
from genba_gateway.store.engine import Database
from genba_gateway.store.pubsub import PubSub
from genba_gateway.store.sealing import Sealer
from genba_wire.api.workspaces import CreateWorkspaceRequest

WATCH_REFRESH_S: Final = 10.0
"""A watch looks again after so long without a change: an agent's silence is a change that nobody publishes."""


@dataclass(frozen=True, slots=True)
class WorkspacePage:
    """Workspaces of one page and how many there are."""

    workspaces: Sequence[Workspace]
    count: int


class Workspaces:
    """Use cases on workspaces."""

    def __init__(self, database: Database, sealer: Sealer, pubsub: PubSub, builds: Builds, now: Clock) -> None:
        self._database = database
        self._sealer = sealer
        self._pubsub = pubsub
        self._builds = builds
        self._now = now

    async def create(self, actor: UserActor, owner: User, request: CreateWorkspaceRequest) -> Workspace:
        """Make a workspace and queue its first start.

        Raises:
            BadRequest: a bad name, ttl, schedule or parameter, or a version that can't be built.
            NotFound: no such template or version, or the owner was deleted meanwhile.
            Forbidden: the template requires its active version.
            Conflict: the owner has a workspace of this name.
        """
        require(actor, Resource.WORKSPACE, Action.CREATE, owner.id)
        _check(request)
        now, workspace_id, next_start_at = self._now(), str(uuid.uuid4()), None
        if request.autostart_schedule:
            next_start_at = await read_next_start(request.autostart_schedule, now, field="autostart_schedule")
        async with self._database.write() as connection:
            if await user_store.find_user(connection, owner.id) is None:
                raise not_found()
            version = None
            if request.template_version_id:
                version = await version_store.find_version(connection, request.template_version_id)
            template_id = request.template_id or (version.template_id if version else "") or ""
            template = await template_store.find_template(connection, template_id)
            if template is None or template.deleted:
                raise NotFound(f"There is no template {request.template_id or request.template_version_id}.")
            if template.deprecation_message:
                raise BadRequest(f"Template {template.name!r} is deprecated: {template.deprecation_message}")
            if version is None:
                version = await version_store.find_version(connection, template.active_version_id)
            if version is None or version.template_id != template.id:
                raise BadRequest(f"Template {template.name!r} has no version {request.template_version_id}.")
            if not template.allow_user_autostop and request.ttl_ms not in {None, template.default_ttl_ms}:
                raise refuse_ttl_of_template(template.name)
            if next_start_at is not None and not template.allow_user_autostart:
                raise refuse_schedule_of_template(template.name, field="autostart_schedule")
            workspace = workspace_store.NewWorkspace(
                id=workspace_id,
                owner_id=owner.id,
                organization_id=template.organization_id,
                template_id=template.id,
                name=request.name,
                autostart_schedule=request.autostart_schedule or None,
                next_start_at=next_start_at,
                ttl_ms=request.ttl_ms if request.ttl_ms is not None else (template.default_ttl_ms or None),
                automatic_updates=request.automatic_updates or "never",
                created_at=now,
            )
            try:
                await workspace_store.insert_workspace(connection, workspace)
            except IntegrityError as error:
                raise Conflict(
                    f"{owner.username} has a workspace named {request.name!r} already: choose another name.",
                    validations=[FieldProblem("name", "is taken")],
                ) from error
            values = {value.name: value.value for value in request.rich_parameter_values}
            plan = BuildPlan(
                workspace_id=workspace_id,
                workspace_name=request.name,
                owner_id=owner.id,
                organization_id=template.organization_id,
                number=1,
                transition=Transition.START,
                version=version,
                given=await add_preset_values(connection, version, request.template_version_preset_id, values),
                previous={},
                preset_id=request.template_version_preset_id.lower(),
                required_version_id=template.active_version_id if template.require_active_version else "",
            )
            await self._builds.insert(connection, actor, plan, now)
            await insert_audit_log(
                connection,
                now=now,
                user_id=actor.user_id,
                organization_id=template.organization_id,
                action="create",
                resource_type="workspace",
                resource_id=workspace_id,
                resource_target=request.name,
                ip_address=actor.ip_address,
                user_agent=actor.user_agent,
            )
        self._pubsub.publish(channels.JOBS)
        return await self.get(actor, workspace_id)

    async def get(self, actor: UserActor, workspace_id: str, *, include_deleted: bool = False) -> Workspace:
        """One workspace with its resources.

        Raises:
            Gone: it was deleted.
        """
        async with self._database.read() as connection:
            workspace = await workspace_store.find_workspace(connection, workspace_id)
        if workspace is None:
            raise not_found()
        require(actor, Resource.WORKSPACE, Action.READ, workspace.owner_id)
        if workspace.deleted and not include_deleted:
            raise Gone(f"Workspace {workspace.name!r} was deleted.")
        return (await self._with_resources(actor, [workspace]))[0]

    async def get_by_name(
        self, actor: UserActor, owner: User, name: str, *, include_deleted: bool = False
    ) -> Workspace:
        """One workspace of a user with its resources."""
        if not actor.may(Permission(Resource.WORKSPACE, Action.READ), owner.id):
            raise not_found()
        async with self._database.read() as connection:
            workspace = await workspace_store.find_workspace_by_name(
                connection, owner.id, name, include_deleted=include_deleted
            )
        if workspace is None:
            raise not_found()
        return (await self._with_resources(actor, [workspace]))[0]

    async def list_matching(self, actor: UserActor, text: str, *, limit: int | None, offset: int) -> WorkspacePage:
        """Workspaces that the actor may see and that match a search (contract 2.3).

        Raises:
            BadRequest: an unknown key or a bad value; `validations` names it.
        """
        with refuse_bad_search("workspace"):
            query = parse_workspace_query(text)
        may_see_all = actor.may(Permission(Resource.WORKSPACE, Action.READ))
        looked_at = bool(query.has_agent or query.params)
        async with self._database.read() as connection:
            found, count = await workspace_store.list_workspaces(
                connection,
                query,
                visible_to=None if may_see_all else actor.user_id,
                caller_id=actor.user_id,
                limit=None if looked_at else limit,
                offset=0 if looked_at else offset,
            )
        full = await self._with_resources(actor, found)
        if looked_at:
            full = [workspace for workspace in full if await self._matches(workspace, query)]
            count = len(full)
            full = full[offset : offset + limit if limit is not None else None]
        return WorkspacePage(full, count)

    async def _matches(self, workspace: Workspace, query: WorkspaceQuery) -> bool:
        """The conditions that no SQL can check: agents' status goes with the clock, parameters are sealed."""
        now = self._now()
        if query.has_agent:
            statuses = {
                agent_status(agent, now)[0]
                for resource in workspace.latest_build.resources
                for agent in resource.agents
            }
            if query.has_agent not in statuses:
                return False
        if query.params:
            async with self._database.read() as connection:
                values = await build_store.list_build_parameters(connection, self._sealer, workspace.latest_build.id)
            lowered = {name.lower(): value.lower() for name, value in values.items()}
            return all(name in lowered and (wanted is None or lowered[name] == wanted) for name, wanted in query.params)
        return True

    async def _with_resources(self, actor: UserActor, workspaces: Sequence[Workspace]) -> list[Workspace]:
        """Workspaces as the actor sees them: a favorite is one of its owner, and nobody else's business."""
        job_ids = [workspace.latest_build.job.id for workspace in workspaces]
        async with self._database.read() as connection:
            resources = await resource_store.list_resources_of_jobs(connection, self._sealer, job_ids)
        return [
            replace(
                workspace,
                favorite=workspace.favorite and workspace.owner_id == actor.user_id,
                latest_build=replace(
                    workspace.latest_build, resources=resources.get(workspace.latest_build.job.id, ())
                ),
            )
            for workspace in workspaces
        ]

    async def rename(self, actor: UserActor, workspace_id: str, name: str) -> None:
        """Give a workspace another name.

        Raises:
            MethodNotAllowed: it was deleted.
            Conflict: the owner has one of this name.
        """
        workspace = await self.get(actor, workspace_id, include_deleted=True)
        require(actor, Resource.WORKSPACE, Action.UPDATE, workspace.owner_id, seen=True)
        if workspace.deleted:
            raise MethodNotAllowed(f"Workspace {workspace.name!r} was deleted and can't be renamed.")
        if not name or name == workspace.name:
            return
        _check_name(name)
        async with self._database.write() as connection:
            try:
                await workspace_store.update_workspace(
                    connection, workspace_id, {"name": name, "updated_at": self._now()}
                )
            except IntegrityError as error:
                raise Conflict(
                    f"There is a workspace named {name!r} already: choose another name.",
                    validations=[FieldProblem("name", "is taken")],
                ) from error
            await record_change(
                connection, actor, self._now(), ("workspace", workspace_id, workspace.name), {"name": name}
            )
        self._pubsub.publish(channels.of_workspace(workspace_id))

    async def watch(self, actor: UserActor, workspace_id: str) -> AsyncGenerator[Workspace]:
        """The workspace now and after each change, until it is deleted. Check `get` before."""
        with self._pubsub.subscribe(channels.of_workspace(workspace_id)) as subscription:
            while True:
                workspace = await self.get(actor, workspace_id, include_deleted=True)
                yield workspace
                if workspace.deleted:
                    return
                await subscription.changed(WATCH_REFRESH_S)


def _check(request: CreateWorkspaceRequest) -> None:
    _check_name(request.name)
    if bool(request.template_id) == bool(request.template_version_id):
        raise BadRequest(
            "Give either template_id or template_version_id.",
            validations=[FieldProblem("template_id", "exactly one of template_id and template_version_id")],
        )
    if (wrong := explain_bad_ttl(request.ttl_ms or 0)) is not None:
        raise BadRequest(f"ttl_ms {wrong}.", validations=[FieldProblem("ttl_ms", wrong)])
    if request.automatic_updates:
        check_automatic_updates(request.automatic_updates)


def _check_name(name: str) -> None:
    if (wrong := explain_bad_name(name)) is not None:
        raise BadRequest(f"The name {name!r} can't be used: it {wrong}.", validations=[FieldProblem("name", wrong)])
