"""Data carriers that the gateway asks for: dial it, greet, make or resume a link, serve its streams."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Final

from genba_agent.carriers.links import LinkTable
from genba_agent.clock import Clock
from genba_agent.options import SESSION_KEEP_S
from genba_wire.aio.carrier import CLOSE_GOING_AWAY, DialledCarrier
from genba_wire.aio.stream import Stream, StreamHandler
from genba_wire.aio.transport import Transport
from genba_wire.api.terminals import AGENT_CARRIER_PATH, TICKET_HEADER
from genba_wire.errors import TransportError
from genba_wire.tunnel.control import Dial, DialFailed
from genba_wire.tunnel.mux_frames import ResetCode

logger = logging.getLogger(__name__)

DIAL_S: Final = 10.0
"""The gateway waits so long for the carrier (its ticket lives a minute)."""

NONCE_KEPT_S: Final = 300.0
"""A command that is repeated is known again for so long, which is longer than its ticket lives."""

GOODBYE_S: Final = 2.0
"""How long an agent that stops waits for its carriers' goodbyes to leave; each gives up by itself after a second."""

MAX_DIALS: Final = 64
"""Dials in flight; more are refused."""


class Dialler:
    """Opens data carriers. The links that they carry live here, and outlive them."""

    def __init__(
        self,
        transport: Transport,
        boot_id: bytes,
        handlers: Mapping[str, StreamHandler],
        clock: Clock,
        group: asyncio.TaskGroup,
        *,
        keep_s: int = SESSION_KEEP_S,
    ) -> None:
        """Serve streams by `handlers`.

        Args:
            transport: the way to the gateway.
            boot_id: 16 bytes that name this process.
            handlers: who serves a kind of stream; may be filled later.
            clock: tells how old a command is.
            group: the parent of dialling tasks; must outlive the control connection.
            keep_s: how long links are kept without a carrier.
        """
        self.links = LinkTable(boot_id, self._serve_stream, keep_s=keep_s)
        self._transport = transport
        self._handlers = handlers
        self._clock = clock
        self._group = group
        self._seen: dict[str, float] = {}
        """When a nonce came, oldest first."""
        self._dials_in_flight = 0
        self._carriers: set[DialledCarrier] = set()
        self._end_reason = ""
        """Why there are no more carriers."""
        self._build_id = ""
        """What the first command said; a process lives in one build."""

    def handle(self, dial: Dial, answer: Callable[[DialFailed], None]) -> None:
        """Carry out a command in the background; a nonce that was seen before is ignored.

        `answer` is called when dialling failed, maybe long after.
        """
        self._forget_old_nonces()
        if dial.nonce in self._seen:
            logger.info("Ignored a repeated command to dial (%s).", dial.nonce)
            return
        self._seen[dial.nonce] = self._clock.monotonic()
        self._build_id = self._build_id or dial.build_id
        if dial.build_id != self._build_id:
            answer(DialFailed(nonce=dial.nonce, reason="The agent is of another build of the workspace."))
            return
        if self._end_reason:
            answer(DialFailed(nonce=dial.nonce, reason=self._end_reason))
            return
        if self._dials_in_flight >= MAX_DIALS:
            answer(DialFailed(nonce=dial.nonce, reason=f"The agent is dialling {MAX_DIALS} times already."))
            return
        self._dials_in_flight += 1
        self._group.create_task(self._dial(dial, answer), name=f"dial {dial.nonce}")

    async def close(self, reason: str) -> None:
        """End all links: the agent stops. Returns when their last words have left, after `GOODBYE_S` at most."""
        self._end_reason = reason
        self.links.close(reason)
        for carrier in self._carriers:
            carrier.close(CLOSE_GOING_AWAY, reason)
        try:
            async with asyncio.timeout(GOODBYE_S), asyncio.TaskGroup() as group:
                for carrier in self._carriers:
                    group.create_task(carrier.wait_closed(), name="goodbye of a data carrier")
        except TimeoutError:
            for carrier in self._carriers:
                carrier.abort()

    async def _dial(self, dial: Dial, answer: Callable[[DialFailed], None]) -> None:
        carrier = await self._open(dial, answer)
        if carrier is None:
            return
        self._carriers.add(carrier)
        try:
            if self._end_reason:
                carrier.close(CLOSE_GOING_AWAY, self._end_reason)
            else:
                self.links.serve(carrier, dial.purpose)
            await carrier.wait_closed()
        finally:
            self._carriers.discard(carrier)

    async def _open(self, dial: Dial, answer: Callable[[DialFailed], None]) -> DialledCarrier | None:
        try:
            async with asyncio.timeout(DIAL_S):
                return await self._transport.carrier(
                    AGENT_CARRIER_PATH, headers={TICKET_HEADER: dial.ticket}, within_s=DIAL_S
                )
        except TimeoutError:
            self._fail(dial, f"The gateway did not take the agent's connection within {DIAL_S:.0f} s.", answer)
        except TransportError as error:
            self._fail(dial, str(error), answer)
        finally:
            self._dials_in_flight -= 1
        return None

    def _fail(self, dial: Dial, reason: str, answer: Callable[[DialFailed], None]) -> None:
        logger.warning("Could not dial the gateway: %s", reason)
        answer(DialFailed(nonce=dial.nonce, reason=reason))

    def _serve_stream(self, kind: str, head: bytes, stream: Stream) -> None:
        handler = self._handlers.get(kind)
        if handler is None:
            stream.refuse(ResetCode.NOT_SUPPORTED, f"This agent does not serve streams of the kind {kind!r}.")
        else:
            handler(kind, head, stream)

    def _forget_old_nonces(self) -> None:
        oldest = self._clock.monotonic() - NONCE_KEPT_S
        while self._seen:
            nonce, seen_at = next(iter(self._seen.items()))
            if seen_at >= oldest:
                break
            del self._seen[nonce]
