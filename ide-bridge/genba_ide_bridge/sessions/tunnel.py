"""Streams to an agent, opened whenever there is a way, on one link that is kept for as long as it takes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol

from genba_ide_bridge.sessions.agent_link import FINAL_CODES, AgentLink, SessionOver
from genba_ide_bridge.sessions.redial import RedialDelays
from genba_ide_bridge.sessions.refusals import AgentAddress, Verdict
from genba_wire.errors import LinkEnded, StreamRefused
from genba_wire.tunnel.mux_frames import ResetCode

if TYPE_CHECKING:
    from genba_ide_bridge.api.client import GatewayClient
    from genba_ide_bridge.api.terminals import Purpose
    from genba_wire.aio.stream import Stream

ANSWER_S: Final = 20.0
"""How long an agent may take to accept or refuse a stream: it tries a connection for 10 s itself."""


class StreamOpener(Protocol):
    """Opens streams to an agent, over whatever links."""

    async def open_stream(self, kind: str, head: bytes) -> Stream:
        """Open a stream; see `Tunnel.open_stream`."""
        ...


class Tunnel:
    """One link for any number of streams. `run` it in a task; cancelling that ends it and all streams.

    `on_outage` hears why the way is lost, `on_way` that there is one (the first, or again).
    """

    def __init__(
        self,
        client: GatewayClient,
        address: AgentAddress,
        *,
        on_outage: Callable[[str], None],
        on_way: Callable[[], None],
        purpose: Purpose = "tunnel",
        delays: RedialDelays | None = None,
    ) -> None:
        self.opening = 0
        """Streams that are being opened."""
        self._tell_outage = on_outage
        self._tell_way = on_way
        self._link = AgentLink(
            client,
            address,
            purpose=purpose,
            on_outage=self._note_outage,
            on_resumed=self._note_way,
            delays=delays,
        )
        self._changed = asyncio.Event()
        self._has_way = False
        self._verdict: Verdict | None = None

    async def run(self) -> Verdict:
        """Keep a way open until there can't be one any more; returns why."""
        try:
            while self._verdict is None:
                await self._link.connect()
                self._note_way()
                over = await self._link.keep()
                self._has_way = False
                self._judge(over)
        except SessionOver as error:
            self._verdict = error.verdict
        finally:
            self._verdict = self._verdict or Verdict("The tunnel was closed.")
            self._has_way = False
            self._changed.set()
            await self._link.close()
        return self._verdict

    async def open_stream(self, kind: str, head: bytes) -> Stream:
        """Open a stream; waits for as long as there is no way.

        Raises:
            StreamRefused: the agent refused, or did not answer.
            SessionOver: there is no way any more.
        """
        self.opening += 1
        try:
            return await self._insist_on_stream(kind, head)
        finally:
            self.opening -= 1

    async def _insist_on_stream(self, kind: str, head: bytes) -> Stream:
        while True:
            await self._wait_for_way()
            try:
                async with asyncio.timeout(ANSWER_S):
                    return await self._link.open_stream(kind, head)
            except LinkEnded:
                self._has_way = False
            except TimeoutError as error:
                if self._link.is_attached:
                    raise StreamRefused(
                        ResetCode.FAILED, f"The agent did not answer within {ANSWER_S:.0f} s."
                    ) from error
                self._has_way = False

    async def _wait_for_way(self) -> None:
        while not self._has_way:
            if self._verdict is not None:
                raise SessionOver(self._verdict)
            self._changed.clear()
            await self._changed.wait()

    def _judge(self, over: LinkEnded | Verdict | None) -> None:
        if isinstance(over, Verdict):
            self._verdict = over
        elif over is not None and over.code in FINAL_CODES:
            self._verdict = Verdict(f"The session was closed: {over.reason}")

    def _note_way(self) -> None:
        self._has_way = True
        self._changed.set()
        self._tell_way()

    def _note_outage(self, reason: str) -> None:
        self._has_way = False
        self._tell_outage(reason)
