"""The control websocket. Its life is the agent's connection status."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from genba_agent.api import AgentApi
from genba_agent.backoff import Backoff
from genba_agent.clock import Clock
from genba_wire.errors import TransportError

logger = logging.getLogger(__name__)

STABLE_AFTER_S: Final = 5.0
"""A connection that lived so long ends the outage before it; shorter ones don't, or a gateway that accepts and drops
would be dialled in a tight loop."""


class ControlConnection:
    """Keeps one control websocket open."""

    def __init__(
        self, api: AgentApi, clock: Clock, on_connected: Callable[[], None], backoff: Backoff | None = None
    ) -> None:
        self._api = api
        self._clock = clock
        self._on_connected = on_connected
        self._backoff = backoff or Backoff(clock.monotonic)

    async def run(self) -> None:
        """Connect, and connect again, until cancelled."""
        while True:
            await self.step()
            await self._clock.sleep(self._backoff.next_wait_s())

    async def step(self) -> None:
        """Connect once and stay until the connection ends."""
        from websockets.exceptions import ConnectionClosed

        connected_at: float | None = None
        try:
            async with self._api.control() as connection:
                connected_at = self._clock.monotonic()
                logger.info("Connected to the gateway.")
                self._on_connected()
                async for message in connection:
                    logger.debug("Ignored a control message of %d characters.", len(message))
                logger.info("The gateway closed the control connection.")
        except ConnectionClosed as error:
            logger.warning("The control connection broke: %s", error)
        except TransportError as error:
            level = logging.DEBUG if self._backoff.outage_s > 0 else logging.WARNING
            logger.log(level, "Control connection: %s", error)
        if connected_at is not None and self._clock.monotonic() - connected_at >= STABLE_AFTER_S:
            self._backoff.reset()
