"""Small settings of a workspace: its owner's favorite, and whether starts update it (contract 2.2)."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.domain import channels
from genba_gateway.domain.actors import Action, Resource, UserActor
from genba_gateway.domain.workspaces import Workspace
from genba_gateway.errors import BadRequest, FieldProblem, Forbidden
from genba_gateway.services.audit import record_change
from genba_gateway.services.visibility import Clock, not_found, require
from genba_gateway.store import workspaces as workspace_store
from genba_gateway.store.engine import Database
from genba_gateway.store.pubsub import PubSub


class WorkspaceSettings:
    """Use cases on settings of workspaces."""

    def __init__(self, database: Database, pubsub: PubSub, now: Clock) -> None:
        self._database = database
        self._pubsub = pubsub
        self._now = now

    async def set_favorite(self, actor: UserActor, workspace_id: str, *, favorite: bool) -> None:
        """Put a workspace first in its owner's list, or no longer.

        Raises:
            Forbidden: it is somebody else's.
        """
        async with self._database.write() as connection:
            workspace = await _find_to_update(connection, actor, workspace_id)
            if workspace.owner_id != actor.user_id:
                raise Forbidden(f"Workspace {workspace.name!r} is {workspace.owner_name}'s: favorites are one's own.")
            await self._change(connection, actor, workspace, {"favorite": favorite})
        self._pubsub.publish(channels.of_workspace(workspace_id))

    async def set_automatic_updates(self, actor: UserActor, workspace_id: str, automatic_updates: str) -> None:
        """Let starts take the template's active version, `always` or `never`.

        Raises:
            BadRequest: it is neither.
        """
        check_automatic_updates(automatic_updates)
        async with self._database.write() as connection:
            workspace = await _find_to_update(connection, actor, workspace_id)
            await self._change(connection, actor, workspace, {"automatic_updates": automatic_updates})
        self._pubsub.publish(channels.of_workspace(workspace_id))

    async def set_dormant(self, actor: UserActor, workspace_id: str, *, dormant: bool) -> bool:
        """Put a workspace to sleep, so that no schedule starts it, or wake it; False when it is so already."""
        async with self._database.write() as connection:
            workspace = await _find_to_update(connection, actor, workspace_id)
            if (workspace.dormant_at is not None) is dormant:
                return False
            now = self._now()
            values: dict[str, object] = {"dormant_at": now} if dormant else {"dormant_at": None, "deleting_at": None}
            if not dormant:
                values["last_used_at"] = now
            await self._change(connection, actor, workspace, values)
        self._pubsub.publish(channels.of_workspace(workspace_id))
        return True

    async def _change(
        self, connection: AsyncConnection, actor: UserActor, workspace: Workspace, values: dict[str, object]
    ) -> None:
        now = self._now()
        await workspace_store.update_workspace(connection, workspace.id, {**values, "updated_at": now})
        what = {name: str(value).lower() for name, value in values.items()}
        resource = ("workspace", workspace.id, workspace.name)
        await record_change(connection, actor, now, resource, what, organization_id=workspace.organization_id)


async def _find_to_update(connection: AsyncConnection, actor: UserActor, workspace_id: str) -> Workspace:
    workspace = await workspace_store.find_workspace(connection, workspace_id)
    if workspace is None or workspace.deleted:
        raise not_found()
    require(actor, Resource.WORKSPACE, Action.UPDATE, workspace.owner_id)
    return workspace


def check_automatic_updates(text: str) -> None:
    """Refuse what is neither `always` nor `never`.

    Raises:
        BadRequest: names the field.
    """
    if text not in {"always", "never"}:
        raise BadRequest(
            f"automatic_updates {text!r} is neither always nor never.",
            validations=[FieldProblem("automatic_updates", "must be always or never")],
        )
