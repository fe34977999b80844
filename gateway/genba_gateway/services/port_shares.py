"""Sharing ports of workspaces with others (contract 3.5)."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.domain.actors import Action, Resource, UserActor
from genba_gateway.domain.channels import of_workspace
from genba_gateway.domain.port_shares import (
    MAX_SHARES,
    PortShare,
    explain_maximum,
    list_levels_above,
    list_problems,
)
from genba_gateway.domain.workspaces import Workspace
from genba_gateway.errors import BadRequest, FieldProblem
from genba_gateway.services.audit import record_change
from genba_gateway.services.visibility import Clock, not_found, require
from genba_gateway.store import apps as app_store
from genba_gateway.store import port_shares as share_store
from genba_gateway.store import workspaces as workspace_store
from genba_gateway.store.engine import Database
from genba_gateway.store.pubsub import PubSub
from genba_gateway.store.sealing import Sealer


class PortShares:
    """Use cases on shared ports."""

    def __init__(self, database: Database, sealer: Sealer, pubsub: PubSub, now: Clock) -> None:
        self._database = database
        self._sealer = sealer
        self._pubsub = pubsub
        self._now = now

    async def list_shares(self, actor: UserActor, workspace_id: str) -> list[PortShare]:
        """A workspace's shared ports.

        Raises:
            NotFound: no such workspace, or not the actor's to see.
        """
        async with self._database.read() as connection:
            await self._get_workspace(connection, actor, Action.READ, workspace_id)
            return await share_store.list_port_shares(connection, workspace_id)

    async def share(self, actor: UserActor, share: PortShare) -> None:
        """Share a port, or share it otherwise.

        Raises:
            BadRequest: a port, level or protocol that can't be; an agent that the workspace has not; too many
                shares; a level above the template's maximum.
            NotFound: no such workspace, or not the actor's to change.
        """
        async with self._database.write() as connection:
            workspace = await self._get_workspace(connection, actor, Action.UPDATE, share.workspace_id)
            problems = list_problems(share)
            agents = await app_store.list_newest_agents(connection, self._sealer, share.workspace_id)
            if share.agent_name not in {agent.name.lower() for agent in agents}:
                problems.append(FieldProblem("agent_name", "is no agent of this workspace"))
            maximum = await share_store.get_maximum(connection, workspace.template_id)
            if share.share_level in list_levels_above(maximum):
                problems.append(FieldProblem("share_level", explain_maximum(maximum, workspace.template_name)))
            others = await share_store.list_port_shares(connection, share.workspace_id)
            is_other = all((each.agent_name, each.port) != (share.agent_name, share.port) for each in others)
            if is_other and len(others) >= MAX_SHARES:
                problems.append(FieldProblem("port", f"is one too many: a workspace shares {MAX_SHARES}"))
            if problems:
                told = "; ".join(f"{problem.field} {problem.detail}" for problem in problems)
                raise BadRequest(f"This port can't be shared so: {told}.", validations=problems)
            await share_store.upsert_port_share(connection, share)
            await self._record(connection, actor, workspace, share.agent_name, share.port, share.share_level)
        self._pubsub.publish(of_workspace(share.workspace_id))

    async def unshare(self, actor: UserActor, workspace_id: str, agent_name: str, port: int) -> None:
        """Share a port no longer; what others have open of it ends.

        Raises:
            NotFound: it is not shared, or the workspace is not the actor's to change.
        """
        async with self._database.write() as connection:
            workspace = await self._get_workspace(connection, actor, Action.UPDATE, workspace_id)
            if not await share_store.delete_port_share(connection, workspace_id, agent_name, port):
                raise not_found()
            await self._record(connection, actor, workspace, agent_name, port, "owner")
        self._pubsub.publish(of_workspace(workspace_id))

    async def _get_workspace(
        self, connection: AsyncConnection, actor: UserActor, action: Action, workspace_id: str
    ) -> Workspace:
        workspace = await workspace_store.find_workspace(connection, workspace_id)
        if workspace is None or workspace.deleted:
            raise not_found()
        require(actor, Resource.WORKSPACE, action, workspace.owner_id)
        return workspace

    async def _record(
        self,
        connection: AsyncConnection,
        actor: UserActor,
        workspace: Workspace,
        agent_name: str,
        port: int,
        level: str,
    ) -> None:
        await record_change(
            connection,
            actor,
            self._now(),
            ("workspace", workspace.id, workspace.name),
            {"port": str(port), "agent": agent_name, "share_level": level},
            organization_id=workspace.organization_id,
        )
