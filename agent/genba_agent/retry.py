"""Calls that outlive an absent gateway."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from genba_agent.backoff import Backoff
from genba_agent.clock import Clock, wait_for_first
from genba_wire.errors import GatewayRefused, TransportError

ResultT = TypeVar("ResultT")

logger = logging.getLogger(__name__)

FINAL_STATUSES: Final = frozenset({400, 405, 409, 413, 415, 422})
"""Answers about the request itself: sent again, it would be refused again.

Everything else passes: 401 while the build has not stored our token yet, 403 and 404 from a proxy or a gateway that
is being replaced, 429, and all of 5xx.
"""


def is_final(error: TransportError) -> bool:
    """Whether asking again can't help."""
    return isinstance(error, GatewayRefused) and error.status in FINAL_STATUSES


class Retrier:
    """Repeats calls until the gateway answers them."""

    def __init__(self, clock: Clock, make_backoff: Callable[[], Backoff] | None = None) -> None:
        self._clock = clock
        self._make_backoff = make_backoff or (lambda: Backoff(clock.monotonic))
        self._gateway_is_back = asyncio.Event()

    def wake(self) -> None:
        """Let everybody who waits try again at once: the gateway was just seen."""
        self._gateway_is_back.set()
        self._gateway_is_back = asyncio.Event()

    async def insist(self, what: str, call: Callable[[], Awaitable[ResultT]]) -> ResultT:
        """Make the call until it succeeds.

        Args:
            what: names the call in the agent's own log: "the manifest".

        Raises:
            GatewayRefused: a final answer (`FINAL_STATUSES`).
        """
        backoff = self._make_backoff()
        while True:
            try:
                result = await call()
            except TransportError as error:
                if is_final(error):
                    raise
                level = logging.DEBUG if backoff.outage_s > 0 else logging.WARNING
                logger.log(level, "%s: %s Trying again.", what, error)
                await wait_for_first([self._gateway_is_back], self._clock, backoff.next_wait_s())
                continue
            if backoff.outage_s > 0:
                logger.info("%s: done after %.1f s.", what, backoff.outage_s)
            return result
