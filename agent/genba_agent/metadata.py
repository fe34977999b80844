"""Metadata: small values that scripts of the template measure (contract 1.6)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from genba_agent.api import AgentApi
from genba_agent.child_process import OutputPipe, start_process
from genba_agent.clock import Clock, wait_for_all, wait_for_first
from genba_agent.retry import is_final
from genba_agent.script_settings import ScriptSettings
from genba_wire.api.agent_protocol import MetadataReport
from genba_wire.api.agents import MetadataDescription
from genba_wire.errors import TransportError

logger = logging.getLogger(__name__)

REPORT_INTERVAL_S: Final = 1.0
"""Values are sent together, this often."""

ONCE_TIMEOUT_S: Final = 3 * REPORT_INTERVAL_S
"""How long an item without interval and timeout may take."""

MAX_OUTPUT_BYTES: Final = 10 * 1024
"""What is kept of an item's output; the gateway keeps less."""


class Metadata:
    """Collects every item at its interval and reports what is fresh once a second."""

    def __init__(
        self, api: AgentApi, clock: Clock, settings: ScriptSettings, descriptions: Sequence[MetadataDescription]
    ) -> None:
        self._api = api
        self._clock = clock
        self._settings = settings
        self._descriptions = descriptions
        self._fresh: dict[str, MetadataReport] = {}

    async def run(self) -> None:
        """Collect and report until cancelled."""
        if not self._descriptions:
            return
        async with asyncio.TaskGroup() as group:
            for description in self._descriptions:
                group.create_task(self._repeat(description), name=f"metadata {description.key}")
            while True:
                await self.report()
                await self._clock.sleep(REPORT_INTERVAL_S)

    async def _repeat(self, description: MetadataDescription) -> None:
        due_at = self._clock.monotonic()
        while True:
            await self.collect(description)
            if description.interval <= 0:
                return
            # From start to start. A run that takes longer than its interval is followed at once by the next.
            due_at = max(due_at + description.interval, self._clock.monotonic())
            await self._clock.sleep(due_at - self._clock.monotonic())

    async def collect(self, description: MetadataDescription) -> None:
        """Measure one item and keep the result for the next report."""
        value, error = await self._measure(description)
        self._fresh[description.key] = MetadataReport(
            key=description.key, collected_at=self._clock.now(), age=0, value=value, error=error
        )

    async def report(self) -> None:
        """Send what is fresh; what could not be sent is sent the next time, unless it was measured again."""
        if not self._fresh:
            return
        reports, self._fresh = self._fresh, {}
        now = self._clock.now()
        aged = [
            MetadataReport(
                key=report.key,
                collected_at=report.collected_at,
                age=max(0, int((now - report.collected_at).total_seconds())),
                value=report.value,
                error=report.error,
            )
            for report in reports.values()
        ]
        try:
            await self._api.post_metadata(aged)
        except TransportError as error:
            if is_final(error):
                logger.warning("The gateway refused %d values of metadata, which are dropped: %s", len(aged), error)
                return
            logger.debug("Metadata: %s", error)
            self._fresh = reports | self._fresh

    async def _measure(self, description: MetadataDescription) -> tuple[str, str]:
        """Run an item's script; returns its value and what went wrong."""
        timeout_s = float(description.timeout or description.interval or ONCE_TIMEOUT_S)
        output = _LimitedOutput()
        pipe = OutputPipe(output.take, lambda: None)
        directory = await asyncio.to_thread(self._settings.find_working_directory)
        try:
            child = await start_process(
                [self._settings.shell, "-c", description.script],
                self._settings.environ,
                directory,
                [pipe],
            )
        except OSError as error:
            return "", f"The script could not be started: {error}"
        deadline = self._clock.monotonic() + timeout_s
        try:
            async with asyncio.TaskGroup() as group:
                watcher = group.create_task(child.watch_exit())
                is_done = await wait_for_first([child.exited], self._clock, timeout_s)
                if is_done:
                    # A program left in the background may hold the pipe: the time-out is for it, too.
                    await wait_for_all(child.pipes_ended, self._clock, deadline - self._clock.monotonic())
                else:
                    watcher.cancel()
        finally:
            await child.end()
            await child.close_pipes()
        if not is_done:
            return output.text, f"The script did not end within {timeout_s:g} s."
        if child.exit_status != 0:
            return output.text, f"The script exited with status {child.exit_status}."
        return output.text, ""


class _LimitedOutput:
    def __init__(self) -> None:
        self._data = b""

    def take(self, data: bytes) -> None:
        self._data += data[: MAX_OUTPUT_BYTES - len(self._data)]

    @property
    def text(self) -> str:
        return self._data.decode("utf-8", errors="replace").replace("\x00", "\ufffd").rstrip("\r\n")
