"""Connections to apps, kept for the next request."""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from genba_gateway.apps.connections import UpstreamConnection
from genba_gateway.apps.tls_way import TlsWay
from genba_gateway.apps.upstreams import Upstream, parse_app_url
from genba_gateway.domain.app_access import AppTarget
from genba_gateway.errors import TooManyRequests
from genba_gateway.services.agent_links import AgentLinks, Lane

KEEP_IDLE_S: Final = 4.0
"""How long a connection is kept: less than the 5 s of Node, after which such servers close theirs."""

KEEP_FOR_UNSAFE_S: Final = 1.0
"""A request that can't be sent twice gets none that was idle for longer: many servers close after 2 s or more."""

MAX_IDLE_PER_APP: Final = 64
"""Kept for one app; a browser has six at once, a load test as many as it likes."""

MAX_IDLE_PER_AGENT: Final = 256
"""Kept for all apps and ports of one agent: nobody takes all room by opening many ports."""

MAX_IDLE: Final = 1024
"""Kept in all: each is an open file in a workspace, and a few KiB here."""

MAX_OPEN_PER_APP: Final = 512
"""In use at once, websockets included; half of what a link's streams may be (`MAX_STREAMS`)."""


CALM_S: Final = 0.0003
"""Requests of one turn of the loop follow each other sooner."""


class AppKey(NamedTuple):
    """Whose connections may be used for each other's requests."""

    agent_id: str
    build_id: str
    upstream: Upstream
    lane: Lane

    @property
    def app(self) -> tuple[str, str, str]:
        """The app itself, in whatever lane."""
        return self.agent_id, self.build_id, self.upstream.url


def make_key(target: AppTarget, lane: Lane) -> AppKey:
    """Whose connections a request for this app may use.

    Raises:
        BadAppUrl: the app has none.
    """
    return AppKey(target.agent_id, target.build_id, parse_app_url(target.app_url), lane)


@dataclass(slots=True)
class _Idle:
    connection: UpstreamConnection
    since: float


class UpstreamPool:
    """Opens connections to apps, and keeps them for a while."""

    def __init__(self, links: AgentLinks, clock: Callable[[], float] | None = None) -> None:
        self._links = links
        self._clock = clock or time.monotonic
        self._taken_at = -math.inf
        self._idle: defaultdict[AppKey, list[_Idle]] = defaultdict(list)
        self.idle_count = 0
        """Connections that are kept at the moment."""
        self._idle_of_agent: Counter[str] = Counter()
        self._open: Counter[tuple[str, str, str]] = Counter()
        self._sweep: asyncio.TimerHandle | None = None

    @property
    def is_calm(self) -> bool:
        """Whether no kept connection was taken within the last `CALM_S`."""
        return self._clock() - self._taken_at >= CALM_S

    async def take(self, key: AppKey, *, idle_at_most_s: float = KEEP_IDLE_S) -> UpstreamConnection:
        """A connection, which is the caller's until `give_back` or `drop`.

        Args:
            idle_at_most_s: for a kept one; 0 for a connection of its own.

        Raises:
            AgentUnreachable: there is no way to the app, or nothing at the end of it.
            TooManyRequests: the app has `MAX_OPEN_PER_APP` connections in use.
        """
        kept = self.take_kept(key, idle_at_most_s=idle_at_most_s)
        if kept is not None:
            return kept
        if self._open[key.app] >= MAX_OPEN_PER_APP:
            raise TooManyRequests(
                f"{MAX_OPEN_PER_APP} connections to the app are open: close some of its pages.", retry_after_s=5
            )
        self._open[key.app] += 1
        try:
            return await self._connect(key)
        except BaseException:
            self._count_closed(key)
            raise

    def take_kept(self, key: AppKey, *, idle_at_most_s: float = KEEP_IDLE_S) -> UpstreamConnection | None:
        """As `take`, if there is a kept one that the caller may have."""
        kept, now = self._idle.get(key), self._clock()
        if not kept or now - kept[-1].since >= idle_at_most_s or self._open[key.app] >= MAX_OPEN_PER_APP:
            return None
        self._taken_at = now
        connection = kept.pop().connection
        self._count_idle(key, -1)
        connection.on_event, connection.is_reused = None, True
        self._open[key.app] += 1
        return connection

    def give_back(self, key: AppKey, connection: UpstreamConnection) -> None:
        """Keep a connection whose last answer is complete, if there is room."""
        if not connection.is_quiet or not self._has_room(key):
            self.drop(key, connection)
            return
        self._count_closed(key)
        idle = _Idle(connection, self._clock())
        self._idle[key].append(idle)
        self._count_idle(key, 1)
        connection.on_event = lambda: self._discard(key, idle)
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
            self._count_idle(key, -1)
            idle.connection.close()

    def _has_room(self, key: AppKey) -> bool:
        return (
            len(self._idle.get(key, ())) < MAX_IDLE_PER_APP
            and self._idle_of_agent[key.agent_id] < MAX_IDLE_PER_AGENT
            and self.idle_count < MAX_IDLE
        )

    def _count_idle(self, key: AppKey, change: int) -> None:
        self.idle_count += change
        self._idle_of_agent[key.agent_id] += change
        if not self._idle_of_agent[key.agent_id]:
            del self._idle_of_agent[key.agent_id]

    def _count_closed(self, key: AppKey) -> None:
        self._open[key.app] -= 1
        if not self._open[key.app]:
            del self._open[key.app]
