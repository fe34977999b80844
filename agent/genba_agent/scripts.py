"""The workspace's scripts: at start, at stop, and on schedule."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from typing import Final

from genba_agent.clock import Clock
from genba_agent.cron import Timetable, read_timetable
from genba_agent.lifecycle import Outcome, worst_of
from genba_agent.script_runner import ScriptEnd, ScriptRunner
from genba_agent.script_timings import Occasion
from genba_wire.api.agent_protocol import ManifestScript
from genba_wire.schedule import ScheduleError

logger = logging.getLogger(__name__)

OnEnd = Callable[[ManifestScript, Occasion, datetime, ScriptEnd], None]
"""Told of each run that ended: the script, why it ran, when it began, and how it ended."""

AFTER_FAILURE_S: Final = 10.0
"""How long a schedule rests that failed within the agent."""


class Scripts:
    """Runs the manifest's scripts by their occasions."""

    def __init__(self, runner: ScriptRunner, scripts: Sequence[ManifestScript], clock: Clock, on_end: OnEnd) -> None:
        self._runner = runner
        self._scripts = scripts
        self._clock = clock
        self._on_end = on_end
        self._hang_up = asyncio.Event()
        self._running = 0
        self._none_runs = asyncio.Event()
        self._none_runs.set()

    async def run_at_start(self) -> Outcome:
        """Run all start scripts side by side."""

        async def run(script: ManifestScript) -> Outcome:
            return await self._run_until_hang_up(script, Occasion.START)

        return await _run_all([script for script in self._scripts if script.run_on_start], run)

    async def run_at_stop(self) -> Outcome:
        """End start and scheduled scripts that still run, and run all stop scripts side by side."""
        self._hang_up.set()

        async def run(script: ManifestScript) -> Outcome:
            return await self._run_timed(script, Occasion.STOP, None)

        outcome = await _run_all([script for script in self._scripts if script.run_on_stop], run)
        await self._none_runs.wait()
        return outcome

    async def run_on_schedule(self) -> None:
        """Run scheduled scripts, each one at a time, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for script in self._scripts:
                if script.cron:
                    group.create_task(self._keep_schedule(script), name=f"cron {script.log_source_id}")

    async def _keep_schedule(self, script: ManifestScript) -> None:
        """Run one script on its schedule; what is wrong with it is told in its own log and stops no other."""
        while True:
            try:
                # Schedules are in the workspace's local time, as cron's are.
                timetable = await asyncio.to_thread(read_timetable, script.cron, os.environ)
                await self._repeat(script, timetable)
            except ScheduleError as error:
                self._runner.say(script, "error", f"The script never runs on its schedule {script.cron!r}: {error}")
                return
            except Exception:
                logger.exception("The schedule of %s failed within the agent; beginning again.", script.display_name)
                await self._clock.sleep(AFTER_FAILURE_S)

    async def _repeat(self, script: ManifestScript, timetable: Timetable) -> None:
        due_at = await asyncio.to_thread(timetable.next_run, self._clock.now())
        while True:
            await self._clock.sleep(max(0.0, (due_at - self._clock.now()).total_seconds()))
            # A sleep may end before the time of day has come, and the same run must not come twice.
            if (woken_at := self._clock.now()) >= due_at:
                await self._run_until_hang_up(script, Occasion.CRON)
                # An interval lies between starts, whatever the runs take.
                counted_from = woken_at if timetable.schedule.every_s else self._clock.now()
                due_at = await asyncio.to_thread(timetable.next_run, counted_from)
            else:
                # The time of day was set back. What is due by an interval stays due, and may be so sooner.
                due_at = min(due_at, await asyncio.to_thread(timetable.next_run, woken_at))

    async def _run_until_hang_up(self, script: ManifestScript, occasion: Occasion) -> Outcome:
        if self._hang_up.is_set():
            return Outcome.FAILED
        self._running += 1
        self._none_runs.clear()
        try:
            return await self._run_timed(script, occasion, self._hang_up)
        finally:
            self._running -= 1
            if self._running == 0:
                self._none_runs.set()

    async def _run_timed(self, script: ManifestScript, occasion: Occasion, hang_up: asyncio.Event | None) -> Outcome:
        started_at = self._clock.now()
        end = await self._runner.run(script, hang_up)
        self._on_end(script, occasion, started_at, end)
        return end.outcome


async def _run_all(
    scripts: list[ManifestScript], run: Callable[[ManifestScript], Coroutine[None, None, Outcome]]
) -> Outcome:
    async with asyncio.TaskGroup() as group:
        runs = [group.create_task(run(script), name=f"script {script.log_source_id}") for script in scripts]
    return worst_of([run.result() for run in runs])
