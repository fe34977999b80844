"""When workspaces stop by themselves: setting it, putting it off, doing it (contract 2.6, 4.3)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.domain import channels
from genba_gateway.domain.actors import Action, Resource, UserActor
from genba_gateway.domain.deadlines import explain_bad_extension, explain_bad_ttl, is_overdue
from genba_gateway.domain.provisioning import Transition
from genba_gateway.domain.workspaces import AUTOSTOP, Workspace, WorkspaceStatus
from genba_gateway.errors import BadRequest, Conflict, FieldProblem
from genba_gateway.services.build_plans import OwnAccord
from genba_gateway.services.builds import Builds
from genba_gateway.services.times import to_utc
from genba_gateway.services.visibility import Clock, not_found, require
from genba_gateway.store import builds as build_store
from genba_gateway.store import deadlines as deadline_store
from genba_gateway.store import templates as template_store
from genba_gateway.store import workspaces as workspace_store
from genba_gateway.store.engine import Database
from genba_gateway.store.pubsub import PubSub
from genba_wire.api.workspaces import CreateBuildRequest


class Deadlines:
    """Use cases on the deadlines of workspaces."""

    def __init__(self, database: Database, pubsub: PubSub, builds: Builds, now: Clock) -> None:
        self._database = database
        self._pubsub = pubsub
        self._builds = builds
        self._now = now

    async def set_ttl(self, actor: UserActor, workspace_id: str, ttl_ms: int | None) -> None:
        """Let a workspace stop so long after each start; None or 0 for never, which holds for this run too.

        Raises:
            BadRequest: out of range, or the template lets nobody choose.
        """
        async with self._database.write() as connection:
            workspace = await workspace_store.find_workspace(connection, workspace_id)
            checked = _require_update(actor, workspace)
            template = await template_store.find_template(connection, checked.template_id)
            if template is not None and not template.allow_user_autostop:
                raise refuse_ttl_of_template(template.name)
            if (wrong := explain_bad_ttl(ttl_ms or 0)) is not None:
                raise BadRequest(f"ttl_ms {wrong}.", validations=[FieldProblem("ttl_ms", wrong)])
            now = self._now()
            await workspace_store.update_workspace(
                connection, workspace_id, {"ttl_ms": ttl_ms or None, "updated_at": now}
            )
            build = checked.latest_build
            if not ttl_ms and build.deadline is not None:
                values = {"deadline": build.max_deadline, "updated_at": now}
                await build_store.update_build(connection, build.id, values)
        self._pubsub.publish(channels.of_workspace(workspace_id))

    async def extend(self, actor: UserActor, workspace_id: str, deadline: datetime) -> None:
        """Let a running workspace stop at another time.

        Raises:
            Conflict: it does not run, or has no deadline.
            BadRequest: the time is too near or too far.
        """
        deadline, now = to_utc(deadline, "deadline"), self._now()
        async with self._database.write() as connection:
            workspace = _require_update(actor, await workspace_store.find_workspace(connection, workspace_id))
            build = workspace.latest_build
            if build.status is not WorkspaceStatus.RUNNING:
                raise Conflict(f"Workspace {workspace.name!r} is {build.status}: only a running one has a deadline.")
            if build.deadline is None:
                raise Conflict(f"Workspace {workspace.name!r} has no deadline: it does not stop by itself.")
            if (wrong := explain_bad_extension(deadline, build.max_deadline, now)) is not None:
                raise BadRequest(f"The deadline {wrong}.", validations=[FieldProblem("deadline", wrong)])
            await build_store.update_build(connection, build.id, {"deadline": deadline, "updated_at": now})
        self._pubsub.publish(channels.of_workspace(workspace_id))

    async def list_overdue(self) -> list[str]:
        """Ids of workspaces that have to stop: running past their deadline, or to be tried again."""
        now = self._now()
        async with self._database.read() as connection:
            overdue = await deadline_store.list_overdue_workspaces(connection, now)
            failed = await deadline_store.list_failed_autostops(connection)
        return overdue + [each.workspace_id for each in failed if each.retry_at <= now]

    async def stop_overdue(self, workspace_id: str) -> bool:
        """Queue a stop in its owner's name; False when it is overdue no more: it was used, extended or stopped."""
        async with self._database.read() as connection:
            workspace = await workspace_store.find_workspace(connection, workspace_id)
        if workspace is None:
            return False
        owner = UserActor(workspace.owner_id, workspace.owner_name, (), key_id="")
        try:
            await self._builds.create(
                owner,
                workspace_id,
                CreateBuildRequest(transition=Transition.STOP.value),
                by_itself=OwnAccord(AUTOSTOP, self._has_to_stop),
            )
        except Conflict:
            return False
        return True

    async def _has_to_stop(self, connection: AsyncConnection, workspace: Workspace) -> bool:
        """Whether the deadline has passed, or it is time to try the stop again after it failed."""
        now = self._now()
        if is_overdue(workspace.latest_build, now):
            return True
        failed = await deadline_store.list_failed_autostops(connection, workspace.id)
        return any(each.retry_at <= now for each in failed)


def refuse_ttl_of_template(template_name: str) -> BadRequest:
    """The template decides alone when its workspaces stop."""
    return BadRequest(
        f"Template {template_name!r} does not allow another time to stop than its own: leave ttl_ms out.",
        validations=[FieldProblem("ttl_ms", "the template does not allow it")],
    )


def _require_update(actor: UserActor, workspace: Workspace | None) -> Workspace:
    if workspace is None or workspace.deleted:
        raise not_found()
    require(actor, Resource.WORKSPACE, Action.UPDATE, workspace.owner_id)
    return workspace
