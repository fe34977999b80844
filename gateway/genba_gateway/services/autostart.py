"""When workspaces start by themselves: setting it, doing it, and whether it could be done (contract 2.6, 4.3)."""

from __future__ import annotations

import asyncio
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.domain import channels
from genba_gateway.domain.actors import Action, Resource, UserActor
from genba_gateway.domain.autostart import AUTOSTART, explain_bad_autostart, is_stopped_since, next_autostart
from genba_gateway.domain.build_parameters import choose_values
from genba_gateway.domain.jobs import ACTIVE
from genba_gateway.domain.provisioning import Transition
from genba_gateway.domain.users import UserStatus
from genba_gateway.domain.workspaces import Workspace
from genba_gateway.errors import BadRequest, Conflict, FieldProblem
from genba_gateway.services.audit import record_change
from genba_gateway.services.build_plans import OwnAccord
from genba_gateway.services.builds import Builds
from genba_gateway.services.visibility import Clock, not_found, require
from genba_gateway.store import autostart as autostart_store
from genba_gateway.store import builds as build_store
from genba_gateway.store import template_versions as version_store
from genba_gateway.store import templates as template_store
from genba_gateway.store import users as user_store
from genba_gateway.store import workspaces as workspace_store
from genba_gateway.store.engine import Database
from genba_gateway.store.pubsub import PubSub
from genba_gateway.store.sealing import Sealer
from genba_wire.api.workspaces import CreateBuildRequest


class Autostarts:
    """Use cases on schedules of workspaces."""

    def __init__(self, database: Database, sealer: Sealer, pubsub: PubSub, builds: Builds, now: Clock) -> None:
        self._database = database
        self._sealer = sealer
        self._pubsub = pubsub
        self._builds = builds
        self._now = now

    async def set_schedule(self, actor: UserActor, workspace_id: str, schedule: str | None) -> None:
        """Let a workspace start on a schedule; None or nothing for never.

        Raises:
            BadRequest: it is no schedule, or the template lets nobody choose.
        """
        schedule, now = schedule or None, self._now()
        next_start_at = await read_next_start(schedule, now) if schedule else None
        async with self._database.write() as connection:
            workspace = await workspace_store.find_workspace(connection, workspace_id)
            if workspace is None or workspace.deleted:
                raise not_found()
            require(actor, Resource.WORKSPACE, Action.UPDATE, workspace.owner_id)
            template = await template_store.find_template(connection, workspace.template_id)
            if schedule is not None and template is not None and not template.allow_user_autostart:
                raise refuse_schedule_of_template(template.name)
            values: dict[str, object] = {
                "autostart_schedule": schedule,
                "next_start_at": next_start_at,
                "updated_at": now,
            }
            await workspace_store.update_workspace(connection, workspace.id, values)
            changed = ("workspace", workspace.id, workspace.name)
            await record_change(
                connection,
                actor,
                now,
                changed,
                {"autostart_schedule": schedule or ""},
                organization_id=workspace.organization_id,
            )
        self._pubsub.publish(channels.of_workspace(workspace_id))

    async def lacks_parameters(self, actor: UserActor, workspace_id: str) -> bool:
        """Whether the next start by schedule would fail, since its version wants values that nobody gave."""
        async with self._database.read() as connection:
            workspace = await workspace_store.find_workspace(connection, workspace_id)
            if workspace is None or workspace.deleted:
                raise not_found()
            require(actor, Resource.WORKSPACE, Action.READ, workspace.owner_id)
            latest = workspace.latest_build
            version_id = latest.template_version_id
            if workspace.automatic_updates == "always" or workspace.template_require_active_version:
                version_id = workspace.template_active_version_id
            if version_id == latest.template_version_id:
                return False
            parameters = await version_store.list_parameters(connection, version_id)
            previous = await build_store.list_build_parameters(connection, self._sealer, latest.id)
        return bool(choose_values(parameters, {}, previous, is_first_build=False)[1])

    async def list_due(self) -> list[str]:
        """Ids of workspaces whose time to start has come."""
        async with self._database.read() as connection:
            return await autostart_store.list_workspaces_to_start(connection, self._now())

    async def start_due(self, workspace_id: str) -> bool:
        """Queue a start in its owner's name if it was stopped before its time came; whether one was queued.

        Either way the next time of its schedule is what counts from then on; only a build that is under way is
        waited for.
        """
        async with self._database.read() as connection:
            workspace = await workspace_store.find_workspace(connection, workspace_id)
        if workspace is None or workspace.autostart_schedule is None:
            return False
        if workspace.latest_build.job.status in ACTIVE:
            return False
        async with self._database.read() as connection:
            is_due = await self._is_due(connection, workspace)
        if not is_due:
            await self._move_on(workspace)
            return False
        owner = UserActor(workspace.owner_id, workspace.owner_name, (), key_id="")
        request = CreateBuildRequest(
            transition=Transition.START.value,
            template_version_id=(
                workspace.template_active_version_id if workspace.template_require_active_version else ""
            ),
        )
        try:
            await self._builds.create(owner, workspace_id, request, by_itself=OwnAccord(AUTOSTART, self._is_due))
        except Conflict:
            return False  # somebody was faster; what they began is looked at next time
        except Exception:
            await self._move_on(workspace)
            raise
        await self._move_on(workspace)
        return True

    async def _is_due(self, connection: AsyncConnection, workspace: Workspace) -> bool:
        due_at = workspace.next_start_at
        if due_at is None or due_at > self._now() or not is_stopped_since(workspace.latest_build, due_at):
            return False
        template = await template_store.find_template(connection, workspace.template_id)
        owner = await user_store.find_user(connection, workspace.owner_id)
        is_allowed = template is not None and template.allow_user_autostart and workspace.dormant_at is None
        return is_allowed and owner is not None and owner.status != UserStatus.SUSPENDED

    async def _move_on(self, workspace: Workspace) -> None:
        schedule = workspace.autostart_schedule or ""
        next_start_at = await asyncio.to_thread(next_autostart, schedule, self._now())
        async with self._database.write() as connection:
            await autostart_store.move_next_start(connection, workspace.id, schedule, next_start_at)


async def read_next_start(schedule: str, now: datetime, *, field: str = "schedule") -> datetime:
    """When a workspace with this schedule starts next.

    Raises:
        BadRequest: it is no schedule; names the field.
    """
    if (wrong := await asyncio.to_thread(explain_bad_autostart, schedule)) is not None:
        raise BadRequest(f"The schedule {wrong}.", validations=[FieldProblem(field, wrong)])
    return await asyncio.to_thread(next_autostart, schedule, now)


def refuse_schedule_of_template(template_name: str, *, field: str = "schedule") -> BadRequest:
    """The template lets no workspace start by itself."""
    return BadRequest(
        f"Template {template_name!r} does not allow workspaces that start by themselves: set no schedule.",
        validations=[FieldProblem(field, "the template does not allow it")],
    )
