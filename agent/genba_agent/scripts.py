"""The workspace's scripts: at start, at stop, and on schedule."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence

from genba_agent.clock import Clock
from genba_agent.cron import is_valid_schedule, next_run
from genba_agent.lifecycle import Outcome, worst_of
from genba_agent.script_runner import ScriptRunner
from genba_wire.api.agent_protocol import ManifestScript

logger = logging.getLogger(__name__)


class Scripts:
    """Runs the manifest's scripts by their occasions."""

    def __init__(self, runner: ScriptRunner, scripts: Sequence[ManifestScript], clock: Clock) -> None:
        self._runner = runner
        self._scripts = scripts
        self._clock = clock
        self._hang_up = asyncio.Event()
        self._running = 0
        self._none_runs = asyncio.Event()
        self._none_runs.set()

    async def run_at_start(self) -> Outcome:
        """Run all start scripts side by side."""
        return await _run_all([script for script in self._scripts if script.run_on_start], self._run_until_hang_up)

    async def run_at_stop(self) -> Outcome:
        """End start and scheduled scripts that still run, and run all stop scripts side by side."""
        self._hang_up.set()
        outcome = await _run_all([script for script in self._scripts if script.run_on_stop], self._runner.run)
        await self._none_runs.wait()
        return outcome

    async def run_on_schedule(self) -> None:
        """Run scheduled scripts, each one at a time, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for script in self._scripts:
                if not script.cron:
                    continue
                if is_valid_schedule(script.cron):
                    group.create_task(self._repeat(script), name=f"cron {script.log_source_id}")
                else:
                    logger.error("%r is not a schedule; the script %s never runs.", script.cron, script.display_name)

    async def _repeat(self, script: ManifestScript) -> None:
        while True:
            # Schedules are in the workspace's local time, as cron's are.
            now = self._clock.now().astimezone()
            await self._clock.sleep(max(0.0, (next_run(script.cron, now) - now).total_seconds()))
            await self._run_until_hang_up(script)

    async def _run_until_hang_up(self, script: ManifestScript) -> Outcome:
        if self._hang_up.is_set():
            return Outcome.FAILED
        self._running += 1
        self._none_runs.clear()
        try:
            return await self._runner.run(script, self._hang_up)
        finally:
            self._running -= 1
            if self._running == 0:
                self._none_runs.set()


async def _run_all(
    scripts: list[ManifestScript], run: Callable[[ManifestScript], Coroutine[None, None, Outcome]]
) -> Outcome:
    async with asyncio.TaskGroup() as group:
        runs = [group.create_task(run(script), name=f"script {script.log_source_id}") for script in scripts]
    return worst_of([run.result() for run in runs])
