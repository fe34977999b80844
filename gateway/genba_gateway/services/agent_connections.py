"""Agents' control connections, whose life is the agents' connection status (contract 1.6, liveness)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

from genba_gateway.domain.actors import AgentActor
from genba_gateway.domain.channels import of_workspace
from genba_gateway.services.visibility import Clock
from genba_gateway.store import agent_connections as connection_store
from genba_gateway.store.engine import Database
from genba_gateway.store.pubsub import PubSub
from genba_wire.tunnel.frames import PING_AFTER_S

TAKEN_OVER: Final = "taken over"
"""Why a connection is closed whose agent opened another."""

SUPERSEDED: Final = "the workspace's build was superseded"
"""Why a connection is closed whose agent is not of the latest build any more."""

_AGENT_LEFT: Final = "The agent's connection ended."
_WAS_SUPERSEDED: Final = "A newer build of the workspace took its place."
_GATEWAY_RESTARTED: Final = "The gateway was restarted, and the agent has not connected again yet."


class Lease:
    """An agent's right to be the one connected. Another connection of the agent takes it, and a newer build ends it."""

    def __init__(self, watch: Callable[[], Awaitable[str]]) -> None:
        self._watch = watch
        self.reason = _AGENT_LEFT
        """Why the agent will be shown as disconnected once the lease is given back."""

    async def wait_for_loss(self) -> str:
        """Return why the connection has to be closed once it has: `TAKEN_OVER` or `SUPERSEDED`."""
        why = await self._watch()
        self.reason = _WAS_SUPERSEDED
        return why


class AgentConnections:
    """Marks agents connected while their connection lives.

    Args:
        replica_id: of this process among those on the database.
        tick_s: how often a connection is noted to be alive.
    """

    def __init__(
        self,
        database: Database,
        pubsub: PubSub,
        *,
        replica_id: str,
        now: Clock,
        tick_s: float = PING_AFTER_S,
    ) -> None:
        self._database = database
        self._pubsub = pubsub
        self._replica_id = replica_id
        self._now = now
        self._tick_s = tick_s

    @asynccontextmanager
    async def lease(self, actor: AgentActor, boot_id: str, protocol: str) -> AsyncGenerator[Lease]:
        """Mark the agent connected for the length of the block, by one process of it, which speaks `protocol`."""
        generation = await self._open(actor, boot_id, protocol)
        lease = Lease(lambda: self._watch(actor, generation))
        try:
            yield lease
        finally:
            await self._close(actor, generation, lease.reason)

    async def forget_earlier(self) -> int:
        """At start: mark the agents disconnected that an earlier process of this replica left connected."""
        async with self._database.write() as connection:
            return await connection_store.forget_connections_of_replica(
                connection, self._replica_id, reason=_GATEWAY_RESTARTED, now=self._now()
            )

    async def _open(self, actor: AgentActor, boot_id: str, protocol: str) -> int:
        now = self._now()
        async with self._database.write() as connection:
            generation = await connection_store.next_generation(
                connection, actor.agent_id, self._replica_id, protocol, now
            )
            await connection_store.mark_connected(connection, actor.agent_id, boot_id, now)
        self._pubsub.publish(of_workspace(actor.workspace_id))
        return generation

    async def _watch(self, actor: AgentActor, generation: int) -> str:
        clock = asyncio.get_running_loop().time
        next_tick = clock() + self._tick_s
        with self._pubsub.subscribe(of_workspace(actor.workspace_id)) as subscription:
            while True:
                async with self._database.read() as connection:
                    standing = await connection_store.find_standing(connection, actor.agent_id)
                if standing is None or not standing.is_current:
                    return SUPERSEDED
                if standing.generation != generation:
                    return TAKEN_OVER
                await subscription.changed(timeout_s=max(0.0, next_tick - clock()))
                if clock() >= next_tick:
                    await self._tick(actor, generation)
                    next_tick = clock() + self._tick_s

    async def _tick(self, actor: AgentActor, generation: int) -> None:
        async with self._database.write(durable=False) as connection:
            await connection_store.mark_alive(connection, actor.agent_id, generation, self._now())

    async def _close(self, actor: AgentActor, generation: int, reason: str) -> None:
        async with self._database.write() as connection:
            is_newest = await connection_store.mark_disconnected(
                connection, actor.agent_id, generation, reason, self._now()
            )
        if is_newest:
            self._pubsub.publish(of_workspace(actor.workspace_id))
