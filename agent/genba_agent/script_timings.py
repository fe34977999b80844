"""Tells the gateway how long scripts ran."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from datetime import datetime
from enum import StrEnum
from typing import Final

from genba_agent.api import AgentApi
from genba_agent.clock import Clock
from genba_agent.lifecycle import Outcome
from genba_agent.retry import Retrier
from genba_agent.script_runner import ScriptEnd
from genba_wire.api.agent_protocol import ManifestScript
from genba_wire.api.timings import ScriptTimingReport
from genba_wire.errors import GatewayRefused, TransportError

logger = logging.getLogger(__name__)

MAX_UNSENT: Final = 256
"""Reports that wait while the gateway is away; the oldest are given up, since the latest run of a script counts."""

NOT_FOUND: Final = 404


class Occasion(StrEnum):
    """Why a script runs, by its name on the wire."""

    START = "start"
    STOP = "stop"
    CRON = "cron"


_STATUS: Final = {Outcome.SUCCEEDED: "ok", Outcome.FAILED: "exit_failure", Outcome.TIMED_OUT: "timed_out"}


class ScriptTimings:
    """Holds the reports that the gateway has not got."""

    def __init__(self, api: AgentApi, retrier: Retrier, clock: Clock) -> None:
        self._api = api
        self._retrier = retrier
        self._clock = clock
        self._unsent: deque[ScriptTimingReport] = deque(maxlen=MAX_UNSENT)
        self._has_unsent = asyncio.Event()
        self._all_sent = asyncio.Event()
        self._all_sent.set()

    def add(self, script: ManifestScript, occasion: Occasion, started_at: datetime, end: ScriptEnd) -> None:
        """Report a run that has just ended."""
        if not script.id:
            return
        self._unsent.append(
            ScriptTimingReport(
                script_id=script.id,
                started_at=started_at,
                # A clock that was set back meanwhile must not make a run end before it began.
                ended_at=max(started_at, self._clock.now()),
                exit_code=end.exit_status,
                stage=occasion.value,
                status=_STATUS[end.outcome],
            )
        )
        self._has_unsent.set()
        self._all_sent.clear()

    async def wait_until_sent(self) -> None:
        """Return when the gateway has every report."""
        await self._all_sent.wait()

    async def run(self) -> None:
        """Send reports until cancelled."""
        while True:
            await self._has_unsent.wait()
            await self.step()

    async def step(self) -> None:
        """Send the oldest unsent report."""
        report = self._unsent.popleft()
        try:
            await self._retrier.insist("Report of a script's run", lambda: self._post(report))
        except TransportError as error:
            logger.warning("The gateway refused the report of a script's run: %s", error)
        if not self._unsent:
            self._has_unsent.clear()
            self._all_sent.set()

    async def _post(self, report: ScriptTimingReport) -> None:
        try:
            await self._api.post_script_timing(report)
        except GatewayRefused as error:
            # A gateway of before keeps no timings, or the script was replaced: it will not change its mind.
            if error.status != NOT_FOUND:
                raise
