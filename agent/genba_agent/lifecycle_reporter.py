"""Tells the gateway about every state of the lifecycle, in order."""

from __future__ import annotations

import asyncio
import logging
from collections import deque

from genba_agent.api import AgentApi
from genba_agent.clock import Clock
from genba_agent.lifecycle import LifecycleEvent, LifecycleState, next_state
from genba_agent.retry import Retrier
from genba_wire.api.agent_protocol import LifecycleRequest
from genba_wire.errors import TransportError

logger = logging.getLogger(__name__)


class LifecycleReporter:
    """Holds the state, and the reports that the gateway has not acknowledged."""

    def __init__(self, api: AgentApi, retrier: Retrier, clock: Clock) -> None:
        self._api = api
        self._retrier = retrier
        self._clock = clock
        self._latest = LifecycleRequest(state=LifecycleState.CREATED, changed_at=clock.now())
        self._unsent: deque[LifecycleRequest] = deque([self._latest])
        self._has_unsent = asyncio.Event()
        self._has_unsent.set()
        self._all_sent = asyncio.Event()

    @property
    def state(self) -> LifecycleState:
        return LifecycleState(self._latest.state)

    def handle(self, event: LifecycleEvent) -> None:
        """Move to the next state, if the event leads to one, and report it."""
        state = next_state(self.state, event)
        if state is self.state:
            return
        logger.info("Lifecycle: %s", state.value)
        self._latest = LifecycleRequest(state=state, changed_at=self._clock.now())
        self._enqueue(self._latest)

    def resend_latest(self) -> None:
        """Report the latest state once more: the gateway may have missed it (contract 1.6, on reconnect)."""
        if not self._unsent:
            self._enqueue(self._latest)

    async def wait_until_sent(self) -> None:
        """Return when the gateway has every state."""
        await self._all_sent.wait()

    async def run(self) -> None:
        """Send reports until cancelled."""
        while True:
            await self._has_unsent.wait()
            await self.step()

    async def step(self) -> None:
        """Send the oldest unsent report."""
        request = self._unsent[0]
        try:
            await self._retrier.insist(
                f"Report of the state {request.state}", lambda: self._api.post_lifecycle(request)
            )
        except TransportError as error:
            logger.warning("The gateway refused the state %s: %s", request.state, error)
        self._unsent.popleft()
        if not self._unsent:
            self._has_unsent.clear()
            self._all_sent.set()

    def _enqueue(self, request: LifecycleRequest) -> None:
        self._unsent.append(request)
        self._has_unsent.set()
        self._all_sent.clear()
