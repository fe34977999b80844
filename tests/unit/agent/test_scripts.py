from __future__ import annotations

import asyncio
from pathlib import Path

from genba_agent.lifecycle import Outcome
from genba_agent.log_queue import QueuedLine
from genba_agent.script_runner import ScriptRunner
from genba_agent.scripts import Scripts
from genba_wire.api.agent_protocol import ManifestScript
from tests.support.agent_builders import make_script
from tests.support.agent_clock import FakeClock
from tests.support.agent_workspace import make_script_settings


class RecordingRunner(ScriptRunner):
    """Starts nothing; runs end when the test says so, or when they are hung up."""

    def __init__(self, folder: Path, clock: FakeClock, tasks: asyncio.TaskGroup) -> None:
        super().__init__(make_script_settings(folder), self._ignore, clock, tasks)
        self.started: list[str] = []
        self.ends: dict[str, asyncio.Event] = {}
        self.hung_up: list[str] = []

    async def run(self, script: ManifestScript, hang_up: asyncio.Event | None = None) -> Outcome:
        self.started.append(script.script)
        end = self.ends.setdefault(script.script, asyncio.Event())
        if hang_up is None:
            return Outcome.SUCCEEDED
        async with asyncio.TaskGroup() as group:
            waits = [group.create_task(end.wait()), group.create_task(hang_up.wait())]
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()
        if end.is_set():
            return Outcome.TIMED_OUT if script.script == "slow" else Outcome.SUCCEEDED
        self.hung_up.append(script.script)
        return Outcome.FAILED

    def _ignore(self, line: QueuedLine) -> None:
        pass


async def settle() -> None:
    """Let every task run until it waits."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_start_scripts_run_side_by_side_and_stop_hangs_up_the_rest(tmp_path: Path) -> None:
    clock = FakeClock()
    scripts = [make_script("slow"), make_script("quick"), make_script("stop", run_on_start=False, run_on_stop=True)]
    async with asyncio.TaskGroup() as group:
        runner = await asyncio.to_thread(RecordingRunner, tmp_path, clock, group)
        occasion = Scripts(runner, scripts, clock)
        start = group.create_task(occasion.run_at_start())
        await settle()
        assert runner.started == ["slow", "quick"]
        runner.ends["quick"].set()
        assert await occasion.run_at_stop() is Outcome.SUCCEEDED
        assert runner.hung_up == ["slow"]
        assert runner.started == ["slow", "quick", "stop"]
        assert await start is Outcome.FAILED


async def test_worst_outcome_of_the_start_scripts_counts(tmp_path: Path) -> None:
    clock = FakeClock()
    async with asyncio.TaskGroup() as group:
        runner = await asyncio.to_thread(RecordingRunner, tmp_path, clock, group)
        start = group.create_task(Scripts(runner, [make_script("slow"), make_script("ok")], clock).run_at_start())
        await settle()
        for end in runner.ends.values():
            end.set()
        assert await start is Outcome.TIMED_OUT


async def test_schedule_is_kept_one_run_at_a_time(tmp_path: Path) -> None:
    clock = FakeClock()
    scripts = [
        make_script("tick", cron="*/10 * * * * *", run_on_start=False),
        make_script("broken", cron="nonsense", run_on_start=False),
    ]
    async with asyncio.TaskGroup() as group:
        runner = await asyncio.to_thread(RecordingRunner, tmp_path, clock, group)
        schedule = group.create_task(Scripts(runner, scripts, clock).run_on_schedule())
        await clock.wait_for_sleep(10)
        assert runner.started == []
        clock.advance(10)
        await settle()
        assert runner.started == ["tick"]
        # It still runs when the next two times come; they are left out.
        clock.advance(25)
        await settle()
        assert runner.started == ["tick"]
        runner.ends["tick"].set()
        await clock.wait_for_sleep(5)
        clock.advance(5)
        await settle()
        assert runner.started == ["tick", "tick"]
        schedule.cancel()
