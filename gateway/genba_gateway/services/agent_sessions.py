"""Who may have a session with an agent: asked when it is opened, and again and again while it lasts."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Final

from genba_gateway.domain.actors import UserActor
from genba_gateway.domain.agents import Agent, AgentStatus, agent_status
from genba_gateway.domain.channels import of_key, of_workspace
from genba_gateway.domain.session_grants import USE_AGENT, Purpose, SessionGrant, explain_end, explain_lost_build
from genba_gateway.domain.users import Visitor
from genba_gateway.errors import AgentNotConnected, Unauthenticated, WorkspaceNotRunning
from genba_gateway.services.tickets import Tickets
from genba_gateway.services.visibility import Clock, not_found, parse_id
from genba_gateway.store import agents as agent_store
from genba_gateway.store import session_grants as grant_store
from genba_gateway.store.audit_logs import insert_audit_log
from genba_gateway.store.engine import Database
from genba_gateway.store.pubsub import PubSub
from genba_gateway.store.sealing import Sealer

LOOK_AGAIN_S: Final = 3.0
"""An open session is closed within 5 s of what ends it, of which only some is announced: not a suspension, not what
happens in another process."""

log = logging.getLogger(__name__)


class AgentSessions:
    """Opens sessions with agents, and says when they have to end.

    Args:
        look_again_s: how often an open session is checked without notice.
    """

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        pubsub: PubSub,
        tickets: Tickets,
        *,
        now: Clock,
        look_again_s: float = LOOK_AGAIN_S,
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._pubsub = pubsub
        self._tickets = tickets
        self._now = now
        self._look_again_s = look_again_s

    async def grant(self, actor: UserActor, agent_id: str) -> SessionGrant:
        """Let the actor have a session with a connected agent.

        Raises:
            BadRequest: not a UUID.
            NotFound: no such agent, or not the actor's to use.
            WorkspaceNotRunning: the agent is not of the workspace's current build.
            AgentNotConnected: the gateway does not reach it.
        """
        agent = await self._get_agent(actor, parse_id(agent_id, "workspaceagent"))
        grant = SessionGrant(
            user_id=actor.user_id,
            key_id=actor.key_id,
            workspace_id=agent.workspace_id,
            agent_id=agent.id,
            build_id=agent.build_id,
        )
        if not agent.is_current:
            async with self._database.glance() as connection:
                standing = await grant_store.find_standing(connection, grant)
            why = explain_lost_build(standing.newest_transition if standing else "")
            raise WorkspaceNotRunning(why, detail="Start the workspace, or use the agent of its current build.")
        status, reason = agent_status(agent, self._now())
        if status is not AgentStatus.CONNECTED:
            raise AgentNotConnected(f"The agent {agent.name!r} is {status}. {reason}")
        return grant

    async def issue_ticket(self, actor: UserActor, agent_id: str, purpose: Purpose) -> tuple[str, datetime]:
        """A ticket for a carrier to a connected agent, and when it expires; raises as `grant` does."""
        return await self._tickets.issue_client_ticket(await self.grant(actor, agent_id), purpose)

    async def redeem_ticket(self, ticket: str, agent_id: str) -> tuple[SessionGrant, Purpose]:
        """What a client's ticket grants and what for, if it stands now.

        Raises:
            Unauthenticated: the ticket can't be used, or what it stands for is no more.
        """
        grant, purpose = await self._tickets.read_client_ticket(ticket, agent_id)
        why = await self._find_end(grant, is_new=True)
        if why:
            raise Unauthenticated(f"The ticket can't be used any more: {why}")
        return grant, purpose

    async def wait_for_end(self, grant: SessionGrant, boot_id: str) -> str:
        """Return why an open session has to be closed, within seconds of when it has to.

        Args:
            boot_id: of the agent's process that serves the session.
        """
        with self._pubsub.subscribe(of_workspace(grant.workspace_id), of_key(grant.key_id)) as subscription:
            while True:
                try:
                    why = await self._find_end(grant, is_new=False, boot_id=boot_id)
                except Exception:  # a database that is held by another process says nothing about the session
                    log.exception("The session of user %s with an agent could not be looked at.", grant.user_id)
                    why = ""
                if why:
                    return why
                await subscription.changed(timeout_s=self._look_again_s)

    async def record_opening(self, grant: SessionGrant, kind: str, visitor: Visitor) -> None:
        """Note in the audit log that a session is opened, and that the workspace is used."""
        now = self._now()
        async with self._database.write() as connection:
            await insert_audit_log(
                connection,
                now=now,
                user_id=grant.user_id,
                organization_id=None,
                action="connect",
                resource_type="workspace_agent",
                resource_id=grant.agent_id,
                resource_target=kind,
                ip_address=visitor.ip_address,
                user_agent=visitor.user_agent,
                additional_fields={"workspace_id": grant.workspace_id, "build_id": grant.build_id},
            )
            await agent_store.touch_workspace(connection, grant.workspace_id, now)

    async def _get_agent(self, actor: UserActor, agent_id: str) -> Agent:
        async with self._database.read() as connection:
            agent = await agent_store.find_agent(connection, self._sealer, agent_id)
        if agent is None or not agent.workspace_id or not actor.may(USE_AGENT, agent.owner_id):
            raise not_found()
        return agent

    async def _find_end(self, grant: SessionGrant, *, is_new: bool, boot_id: str = "") -> str:
        async with self._database.glance() as connection:
            standing = await grant_store.find_standing(connection, grant)
        return explain_end(grant, standing, self._now(), is_new=is_new, boot_id=boot_id)
