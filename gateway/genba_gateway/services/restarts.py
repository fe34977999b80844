"""Restarts: a stop and, when that is done, a start, whoever still looks on by then.

That a stop belongs to a restart is its reason, so a gateway that was restarted meanwhile goes on with it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.domain.actors import UserActor
from genba_gateway.domain.provisioning import Transition
from genba_gateway.domain.users import UserStatus
from genba_gateway.domain.workspaces import RESTART, Build, Workspace, WorkspaceStatus, is_stop_of_restart
from genba_gateway.errors import Conflict, GenbaError
from genba_gateway.services.build_plans import OwnAccord
from genba_gateway.services.builds import Builds
from genba_gateway.services.visibility import Clock, not_found
from genba_gateway.store import restarts as restart_store
from genba_gateway.store import users as user_store
from genba_gateway.store import workspaces as workspace_store
from genba_gateway.store.engine import Database
from genba_wire.api.workspaces import CreateBuildRequest

GIVE_UP_AFTER: Final = timedelta(minutes=15)
"""A gateway that was away for longer starts nothing that nobody waits for any more."""


class Restarts:
    """Use cases on restarts."""

    def __init__(self, database: Database, builds: Builds, now: Clock) -> None:
        self._database = database
        self._builds = builds
        self._now = now
        self._tried: set[str] = set()
        """Stops whose start could not be begun: it would fail again."""

    async def restart(self, actor: UserActor, workspace_id: str) -> Build:
        """Queue the stop of a running workspace; its start follows by itself.

        Raises:
            Conflict: it is not running.
            BadRequest, Forbidden: it could not be started again, so it is not stopped.
        """
        async with self._database.read() as connection:
            workspace = await workspace_store.find_workspace(connection, workspace_id)
        if workspace is None:
            raise not_found()
        request = CreateBuildRequest(transition=Transition.STOP.value)
        accord = OwnAccord(RESTART, _is_running)
        return await self._builds.create(actor, workspace_id, request, by_itself=accord, then=_ask_to_start(workspace))

    async def list_due(self) -> list[str]:
        """Ids of workspaces that have stopped to be started again."""
        async with self._database.read() as connection:
            stops = await restart_store.list_stops_of_restarts(connection, self._now() - GIVE_UP_AFTER)
        self._tried &= stops.keys()
        return [workspace_id for build_id, workspace_id in stops.items() if build_id not in self._tried]

    async def start_due(self, workspace_id: str) -> bool:
        """Queue the start in the name of who asked for the restart; whether it was queued."""
        async with self._database.read() as connection:
            workspace = await workspace_store.find_workspace(connection, workspace_id)
            if workspace is None or not is_stop_of_restart(workspace.latest_build):
                return False
            stop = workspace.latest_build
            user = await user_store.find_user(connection, stop.initiator_id)
        if user is None or user.status == UserStatus.SUSPENDED:
            self._tried.add(stop.id)
            return False

        async def is_due(_connection: AsyncConnection, found: Workspace) -> bool:
            return found.latest_build.id == stop.id and found.latest_build.status is WorkspaceStatus.STOPPED

        actor = UserActor(user.id, user.username, tuple(user.roles), key_id="")
        try:
            await self._builds.create(
                actor, workspace_id, _ask_to_start(workspace), by_itself=OwnAccord(RESTART, is_due)
            )
        except Conflict:
            return False  # somebody was faster
        except GenbaError:
            self._tried.add(stop.id)
            raise
        return True


def _ask_to_start(workspace: Workspace) -> CreateBuildRequest:
    version_id = workspace.template_active_version_id if workspace.template_require_active_version else ""
    return CreateBuildRequest(transition=Transition.START.value, template_version_id=version_id)


async def _is_running(_connection: AsyncConnection, workspace: Workspace) -> bool:
    return workspace.latest_build.status is WorkspaceStatus.RUNNING
