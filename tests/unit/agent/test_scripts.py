from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from genba_agent.lifecycle import Outcome
from genba_agent.log_queue import QueuedLine
from genba_agent.script_runner import ScriptEnd, ScriptRunner
from genba_agent.script_timings import Occasion
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
        self.ended: list[tuple[str, Occasion, datetime, Outcome]] = []
        self.said: asyncio.Queue[tuple[str, str, str]] = asyncio.Queue()

    async def run(self, script: ManifestScript, hang_up: asyncio.Event | None = None) -> ScriptEnd:
        self.started.append(script.script)
        end = self.ends.setdefault(script.script, asyncio.Event())
        if hang_up is None:
            return ScriptEnd(Outcome.SUCCEEDED, 0)
        async with asyncio.TaskGroup() as group:
            waits = [group.create_task(end.wait()), group.create_task(hang_up.wait())]
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()
        if end.is_set():
            return ScriptEnd(Outcome.TIMED_OUT, 129) if script.script == "slow" else ScriptEnd(Outcome.SUCCEEDED, 0)
        self.hung_up.append(script.script)
        return ScriptEnd(Outcome.FAILED, 129)

    def note_end(self, script: ManifestScript, occasion: Occasion, started_at: datetime, end: ScriptEnd) -> None:
        self.ended.append((script.script, occasion, started_at, end.outcome))

    def say(self, script: ManifestScript, level: str, text: str) -> None:
        self.said.put_nowait((script.script, level, text))

    def _ignore(self, line: QueuedLine) -> None:
        pass


BROKEN = (
    "The script never runs on its schedule 'nonsense': 'nonsense' has 1 fields, not 6. Write second, minute, hour, day "
    "of the month, month and day of the week, like 0 30 6 * * 1-5."
)
NOWHERE = (
    "The script never runs on its schedule 'CRON_TZ=Mars/Olympus @daily': This workspace knows no time zone "
    "'Mars/Olympus'."
)
HOUR_S = 3600


async def settle() -> None:
    """Let every task run until it waits."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_start_scripts_run_side_by_side_and_stop_hangs_up_the_rest(tmp_path: Path) -> None:
    clock = FakeClock()
    scripts = [make_script("slow"), make_script("quick"), make_script("stop", run_on_start=False, run_on_stop=True)]
    async with asyncio.TaskGroup() as group:
        runner = await asyncio.to_thread(RecordingRunner, tmp_path, clock, group)
        occasion = Scripts(runner, scripts, clock, runner.note_end)
        start = group.create_task(occasion.run_at_start())
        await settle()
        assert runner.started == ["slow", "quick"]
        runner.ends["quick"].set()
        assert await occasion.run_at_stop() is Outcome.SUCCEEDED
        assert runner.hung_up == ["slow"]
        assert runner.started == ["slow", "quick", "stop"]
        assert await start is Outcome.FAILED
    assert sorted((script, occasion.value, outcome) for script, occasion, _, outcome in runner.ended) == [
        ("quick", "start", Outcome.SUCCEEDED),
        ("slow", "start", Outcome.FAILED),
        ("stop", "stop", Outcome.SUCCEEDED),
    ]


async def test_worst_outcome_of_the_start_scripts_counts(tmp_path: Path) -> None:
    clock = FakeClock()
    async with asyncio.TaskGroup() as group:
        runner = await asyncio.to_thread(RecordingRunner, tmp_path, clock, group)
        start = group.create_task(
            Scripts(runner, [make_script("slow"), make_script("ok")], clock, runner.note_end).run_at_start()
        )
        await settle()
        for end in runner.ends.values():
            end.set()
        assert await start is Outcome.TIMED_OUT


async def test_schedule_is_kept_one_run_at_a_time(tmp_path: Path) -> None:
    clock = FakeClock()
    scripts = [
        make_script("tick", cron="*/10 * * * * *", run_on_start=False),
        make_script("broken", cron="nonsense", run_on_start=False),
        make_script("never", cron="0 0 0 31 2,4 *", run_on_start=False),
        make_script("nowhere", cron="CRON_TZ=Mars/Olympus @daily", run_on_start=False),
    ]
    async with asyncio.TaskGroup() as group:
        runner = await asyncio.to_thread(RecordingRunner, tmp_path, clock, group)
        schedule = group.create_task(Scripts(runner, scripts, clock, runner.note_end).run_on_schedule())
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
        (run,) = runner.ended
        assert (run[1], clock.now() - run[2]) == (Occasion.CRON, timedelta(seconds=25))
        clock.advance(5)
        await settle()
        assert runner.started == ["tick", "tick"]
        # The others were told in their own logs, once.
        assert sorted([await runner.said.get() for _ in range(3)]) == [
            ("broken", "error", BROKEN),
            ("never", "error", "The script never runs on its schedule '0 0 0 31 2,4 *': No day matches it."),
            ("nowhere", "error", NOWHERE),
        ]
        assert runner.said.empty()
        schedule.cancel()


async def test_schedule_follows_the_clocks_when_they_change(tmp_path: Path) -> None:
    # Berlin's clocks go forward on the 29th at 1:00 UTC.
    clock = FakeClock(datetime(2026, 3, 28, 12, 0, tzinfo=UTC))
    script = make_script("morning", cron="CRON_TZ=Europe/Berlin 0 0 9 * * *", run_on_start=False)
    async with asyncio.TaskGroup() as group:
        runner = await asyncio.to_thread(RecordingRunner, tmp_path, clock, group)
        schedule = group.create_task(Scripts(runner, [script], clock, runner.note_end).run_on_schedule())
        await clock.wait_for_sleep(19 * HOUR_S)
        schedule.cancel()


async def test_run_comes_once_when_the_sleep_ends_too_early(tmp_path: Path) -> None:
    clock = FakeClock()
    script = make_script("tick", cron="*/10 * * * * *", run_on_start=False)
    async with asyncio.TaskGroup() as group:
        runner = await asyncio.to_thread(RecordingRunner, tmp_path, clock, group)
        schedule = group.create_task(Scripts(runner, [script], clock, runner.note_end).run_on_schedule())
        await clock.wait_for_sleep(10)
        clock.set_back(2)
        clock.advance(10)
        await clock.wait_for_sleep(2)
        assert runner.started == []
        clock.advance(2)
        await settle()
        assert runner.started == ["tick"]
        schedule.cancel()


async def test_an_interval_lies_between_starts_and_survives_a_clock_set_back(tmp_path: Path) -> None:
    clock = FakeClock()
    script = make_script("tick", cron="@every 1h", run_on_start=False)
    async with asyncio.TaskGroup() as group:
        runner = await asyncio.to_thread(RecordingRunner, tmp_path, clock, group)
        schedule = group.create_task(Scripts(runner, [script], clock, runner.note_end).run_on_schedule())
        await clock.wait_for_sleep(HOUR_S)
        clock.set_back(2)
        clock.advance(HOUR_S)
        await clock.wait_for_sleep(2)
        clock.advance(2)
        await settle()
        assert runner.started == ["tick"]
        clock.advance(600)  # the run takes ten minutes
        runner.ends["tick"].set()
        await clock.wait_for_sleep(HOUR_S - 600)
        schedule.cancel()
