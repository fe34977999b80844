"""Streams to an agent on a few links, so that a download delays no keystroke."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from genba_ide_bridge.sessions.agent_link import SessionOver
from genba_ide_bridge.sessions.refusals import AgentAddress, Verdict
from genba_ide_bridge.sessions.tunnel import Tunnel

if TYPE_CHECKING:
    from genba_ide_bridge.api.client import GatewayClient
    from genba_ide_bridge.api.terminals import Purpose
    from genba_wire.aio.stream import Stream

BULKY_BYTES: Final = 4 * 1024 * 1024
"""A stream that has carried more keeps its link for itself and those that are on it already."""

MAX_LINKS: Final = 4
"""More downloads than that share links: the line is the same for all of them anyway."""


class Tunnels:
    """A tunnel, and further ones while streams on the first are bulky. `run` it in a task; cancelling that ends all.

    What a keystroke waits for on a link is what a download has under way there, megabytes on a long way; a link of its
    own has a connection of its own. Whether a stream is bulky shows only while it runs, so what comes after it goes
    elsewhere.
    """

    def __init__(
        self,
        client: GatewayClient,
        address: AgentAddress,
        *,
        on_outage: Callable[[str], None],
        on_way: Callable[[], None],
        purpose: Purpose = "tunnel",
    ) -> None:
        """See `Tunnel`; outages are told of the first link, which is always there."""
        self._client = client
        self._address = address
        self._purpose: Purpose = purpose
        self._first = Tunnel(client, address, on_outage=on_outage, on_way=on_way, purpose=purpose)
        self._streams: dict[Tunnel, list[Stream]] = {self._first: []}
        self._tasks: dict[Tunnel, asyncio.Task[Verdict]] = {}
        self._group: asyncio.TaskGroup | None = None

    @property
    def links(self) -> int:
        """How many there are."""
        return len(self._streams)

    async def run(self) -> Verdict:
        """Keep a way open until there can't be one any more; returns why."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            try:
                return await self._first.run()
            finally:
                self._group = None
                for task in self._tasks.values():
                    task.cancel()

    async def open_stream(self, kind: str, head: bytes) -> Stream:
        """Open a stream; waits for as long as there is no way.

        Raises:
            StreamRefused: the agent refused, or did not answer.
            SessionOver: there is no way any more.
        """
        tunnel = self._choose()
        try:
            stream = await tunnel.open_stream(kind, head)
        except SessionOver:
            if tunnel is self._first:
                raise
            # One that ends alone says nothing of the others.
            tunnel = self._first
            stream = await tunnel.open_stream(kind, head)
        self._streams.setdefault(tunnel, []).append(stream)
        return stream

    def _choose(self) -> Tunnel:
        self._tidy()
        for tunnel, streams in self._streams.items():
            if not any(stream.carried_bytes > BULKY_BYTES for stream in streams):
                return tunnel
        if len(self._streams) < MAX_LINKS and self._group is not None:
            return self._add(self._group)
        return min(self._streams, key=lambda tunnel: len(self._streams[tunnel]))

    def _add(self, group: asyncio.TaskGroup) -> Tunnel:
        tunnel = Tunnel(
            self._client,
            self._address,
            on_outage=lambda _: None,
            on_way=lambda: None,
            purpose=self._purpose,
        )
        self._streams[tunnel] = []
        self._tasks[tunnel] = group.create_task(tunnel.run(), name="further tunnel")
        return tunnel

    def _tidy(self) -> None:
        """Forget streams that are over, and end further tunnels that are over or that nobody uses."""
        for tunnel, streams in list(self._streams.items()):
            streams[:] = [stream for stream in streams if not stream.is_over]
            task = self._tasks.get(tunnel)
            if task is not None and (task.done() or not streams) and tunnel.opening == 0:
                task.cancel()
                del self._streams[tunnel], self._tasks[tunnel]
