"""Connections to apps, kept for the next request."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from genba_gateway.apps.connections import UpstreamConnection
from genba_gateway.apps.tls_way import TlsWay
from genba_gateway.apps.upstreams import Upstream
from genba_gateway.errors import TooManyRequests
from genba_gateway.services.agent_links import AgentLinks, Lane

KEEP_IDLE_S: Final = 4.0
"""How long a connection is kept: less than the 5 s of Node, after which such servers close theirs."""

KEEP_FOR_UNSAFE_S: Final = 1.0
"""A request that can't be sent twice gets none that was idle for longer: many servers close after 2 s or more."""

MAX_IDLE_PER_APP: Final = 64
"""Kept for one app; a browser has six at once, a load test as many as it likes."""

MAX_IDLE: Final = 1024
"""Kept in all: each is an open file in a workspace, and a few KiB here."""

MAX_OPEN_PER_APP: Final = 512
"""In use at once, websockets included; half of what a link's streams may be (`MAX_STREAMS`)."""


class AppKey(NamedTuple):
    """Whose connections may be used for each other's requests."""

    agent_id: str
    build_id: str
    upstream: Upstream
    lane: Lane


@dataclass(slots=True)
class _Idle:
    connection: UpstreamConnection
    since: float


class UpstreamPool:
    """Opens connections to apps, and keeps them for a while."""

    def __init__(self, links: AgentLinks, clock: Callable[[], float] | None = None) -> None:
        self._links = links
        self._clock = clock or (lambda: asyncio.get_running_loop().time())
        self._idle: defaultdict[AppKey, list[_Idle]] = defaultdict(list)
        self.idle_count = 0
        """Connections that are kept at the moment."""
        self._open: Counter[AppKey] = Counter()
        self._sweep: asyncio.TimerHandle | None = None

    async def take(self, key: AppKey, *, idle_at_most_s: float = KEEP_IDLE_S) -> UpstreamConnection:
        """A connection, which is the caller's until `give_back` or `drop`.

        Args:
            idle_at_most_s: for a kept one; 0 for a connection of its own.

        Raises:
            AgentUnreachable: there is no way to the app, or nothing at the end of it.
            TooManyRequests: the app has `MAX_OPEN_PER_APP` connections in use.
        """
        if self._open[key] >= MAX_OPEN_PER_APP:
            raise TooManyRequests(
                f"{MAX_OPEN_PER_APP} connections to the app are open: close some of its pages.", retry_after_s=5
            )
        kept = self._idle.get(key)
        if kept and self._clock() - kept[-1].since < idle_at_most_s:
            connection = kept.pop().connection
            self.idle_count -= 1
            connection.on_over, connection.is_reused = None, True
            self._open[key] += 1
            return connection
        self._open[key] += 1
        try:
            return await self._connect(key)
        except BaseException:
            self._count_closed(key)
            raise

    def give_back(self, key: AppKey, connection: UpstreamConnection) -> None:
        """Keep a connection whose last answer is complete, if there is room."""
        kept = self._idle[key]
        if not connection.is_quiet or len(kept) >= MAX_IDLE_PER_APP or self.idle_count >= MAX_IDLE:
            self.drop(key, connection)
            return
        self._count_closed(key)
        idle = _Idle(connection, self._clock())
        kept.append(idle)
        self.idle_count += 1
        connection.on_over = lambda: self._discard(key, idle)
        if self._sweep is None:
            self._sweep = asyncio.get_running_loop().call_later(KEEP_IDLE_S / 4, self.sweep)

    def drop(self, key: AppKey, connection: UpstreamConnection) -> None:
        """Close a connection that was taken."""
        self._count_closed(key)
        connection.close()

    def sweep(self) -> None:
        """Close what was idle for too long, and look again while there is something."""
        self._sweep = None
        oldest = self._clock() - KEEP_IDLE_S
        for key in list(self._idle):
            for idle in [each for each in self._idle[key] if each.since <= oldest]:
                self._discard(key, idle)
            if not self._idle[key]:
                del self._idle[key]
        if self.idle_count:
            self._sweep = asyncio.get_running_loop().call_later(KEEP_IDLE_S / 4, self.sweep)

    def close(self) -> None:
        """Close what nobody uses: the gateway stops."""
        for key, kept in list(self._idle.items()):
            for idle in list(kept):
                self._discard(key, idle)
        if self._sweep is not None:
            self._sweep.cancel()

    async def _connect(self, key: AppKey) -> UpstreamConnection:
        upstream = key.upstream
        opened = await self._links.take_stream(key.agent_id, upstream.kind, upstream.head, key.lane)
        return UpstreamConnection(opened, TlsWay(opened.stream, upstream.host) if upstream.is_tls else opened.stream)

    def _discard(self, key: AppKey, idle: _Idle) -> None:
        kept = self._idle[key]
        if idle in kept:
            kept.remove(idle)
            self.idle_count -= 1
            idle.connection.close()

    def _count_closed(self, key: AppKey) -> None:
        self._open[key] -= 1
        if not self._open[key]:
            del self._open[key]
