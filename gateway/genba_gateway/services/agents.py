"""What users read about agents (contract 1.14)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Final

from genba_gateway.domain.actors import Action, Resource, UserActor
from genba_gateway.domain.agent_reports import AgentLogLine, MetadataItem
from genba_gateway.domain.agents import Agent
from genba_gateway.domain.channels import of_agent_logs, of_agent_metadata, of_workspace
from genba_gateway.domain.derp import make_derp_map
from genba_gateway.domain.ssh_host_names import DEFAULT_SUFFIX
from genba_gateway.services.visibility import Clock, not_found, parse_id, require
from genba_gateway.store import agent_logs as log_store
from genba_gateway.store import agent_metadata as metadata_store
from genba_gateway.store import agents as agent_store
from genba_gateway.store.engine import Database
from genba_gateway.store.pubsub import PubSub
from genba_gateway.store.sealing import Sealer

METADATA_PAUSE_S: Final = 1.0
"""Watchers are told of changed metadata at most this often (contract 1.14)."""

METADATA_REFRESH_S: Final = 5.0
"""Watchers get unchanged metadata again after this, since its age grows (contract 1.14)."""

LOOK_AGAIN_S: Final = 15.0
"""A follower looks whether the log can still grow at least this often, should a notice be lost between replicas."""


class Agents:
    """Agents as the users see them who may read the workspace.

    Args:
        access_url: what clients call, for the relay map.
        hostname_suffix: behind the names by which clients may call workspaces, without the dot.
        metadata_pause_s: the least time between two snapshots of metadata.
        metadata_refresh_s: the longest.
    """

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        pubsub: PubSub,
        *,
        access_url: str,
        hostname_suffix: str = DEFAULT_SUFFIX,
        now: Clock,
        metadata_pause_s: float = METADATA_PAUSE_S,
        metadata_refresh_s: float = METADATA_REFRESH_S,
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._pubsub = pubsub
        self.derp_map = make_derp_map(access_url)
        self.hostname_suffix = hostname_suffix
        self.now = now
        self._pause_s = metadata_pause_s
        self._refresh_s = metadata_refresh_s

    async def get_agent(self, actor: UserActor, agent_id: str) -> Agent:
        """One agent of a workspace that the actor may read.

        Raises:
            BadRequest: not a UUID.
            NotFound: no such agent, or not the actor's to see.
        """
        agent_id = parse_id(agent_id, "workspaceagent")
        async with self._database.read() as connection:
            agent = await agent_store.find_agent(connection, self._sealer, agent_id)
        if agent is None or not agent.workspace_id:
            raise not_found()
        require(actor, Resource.WORKSPACE, Action.READ, agent.owner_id)
        return agent

    async def list_logs(self, agent: Agent, after: int) -> list[AgentLogLine]:
        """Lines with an id above `after`."""
        async with self._database.glance() as connection:
            return await log_store.list_log_lines(connection, agent.id, after=after)

    async def follow_logs(self, agent: Agent, after: int) -> AsyncGenerator[list[AgentLogLine]]:
        """Lines with an id above `after`: what is stored, then what comes, until the log can't grow.

        That is when the agent is not of the latest build, or its log overflowed. No list is empty.
        """
        with self._pubsub.subscribe(of_agent_logs(agent.id), of_workspace(agent.workspace_id)) as subscription:
            has_ended = False
            while True:
                lines = await self.list_logs(agent, after)
                if lines:
                    after = lines[-1].id
                    yield lines
                if has_ended:
                    return
                # Asked after the lines were sent, which therefore never wait for it. Lines that were stored before the
                # log ended are read once more.
                async with self._database.glance() as connection:
                    standing = await log_store.get_log_standing(connection, agent.id)
                has_ended = standing.overflowed or not standing.is_current
                if not has_ended:
                    await subscription.changed(timeout_s=LOOK_AGAIN_S)

    async def watch_metadata(self, agent: Agent) -> AsyncGenerator[list[MetadataItem]]:
        """All items at once, then after changes with a pause between, and from time to time unchanged."""
        with self._pubsub.subscribe(of_agent_metadata(agent.id)) as subscription:
            while True:
                async with self._database.read() as connection:
                    items = await metadata_store.list_metadata(connection, agent.id)
                yield items
                await asyncio.sleep(self._pause_s)
                await subscription.changed(timeout_s=self._refresh_s - self._pause_s)
