"""Real programs, and a clock that the test moves.

Tests are synchronous and run a loop themselves: a script's log file is written within the loop, by decision (see
log_spool).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from genba_agent.child_process import DRAIN_S
from genba_agent.lifecycle import Outcome
from genba_agent.log_queue import QueuedLine
from genba_agent.script_runner import MAX_ARGUMENT_BYTES, PIPE_GRACE_S, ScriptEnd, ScriptRunner, open_log_file
from genba_wire.api.agent_protocol import ManifestScript
from tests.support.agent_builders import make_script
from tests.support.agent_clock import FakeClock
from tests.support.agent_workspace import make_script_settings

SOURCE = "7e1d6e0a-40b3-4f3f-8a52-0d7f6f3e0001"


class Stage:
    """A runner, what it handed on, and its clock."""

    def __init__(self, folder: Path, tasks: asyncio.TaskGroup) -> None:
        self.folder = folder
        self.clock = FakeClock()
        self.lines: list[QueuedLine] = []
        self.arrived = asyncio.Event()
        self.tasks = tasks
        self.runner = ScriptRunner(make_script_settings(folder), self._take, self.clock, tasks)

    def outputs(self, level: str) -> list[str]:
        return [line.output for line in self.lines if line.level == level]

    async def wait_for_output(self, text: str) -> None:
        async with asyncio.timeout(30):
            while not any(text in line.output for line in self.lines):
                self.arrived.clear()
                await self.arrived.wait()

    def _take(self, line: QueuedLine) -> None:
        self.lines.append(line)
        self.arrived.set()


def play(folder: Path, scene: Callable[[Stage], Awaitable[None]]) -> None:
    async def run() -> None:
        async with asyncio.TaskGroup() as tasks:
            await scene(Stage(folder, tasks))

    asyncio.run(run())


def run_script(folder: Path, script: ManifestScript) -> tuple[Outcome, Stage]:
    results: list[tuple[Outcome, Stage]] = []

    async def scene(stage: Stage) -> None:
        results.append(((await stage.runner.run(script)).outcome, stage))

    play(folder, scene)
    return results[0]


def test_both_outputs_are_heard_and_logged_and_the_status_decides(tmp_path: Path) -> None:
    outcome, stage = run_script(tmp_path, make_script("echo out; echo err >&2; printf rest; exit 4", source_id=SOURCE))
    assert outcome is Outcome.FAILED
    assert stage.outputs("info") == ["out", "rest"]
    assert stage.outputs("error") == ["err", "The script exited with status 4."]
    log = (tmp_path / "logs" / f"coder-script-{SOURCE}.log").read_text()
    assert log.endswith("The script exited with status 4.\n")
    # Two pipes: the order between them is not given.
    assert all(word in log for word in ("out\n", "err\n", "rest"))


def test_death_by_a_signal_is_status_255(tmp_path: Path) -> None:
    outcome, stage = run_script(tmp_path, make_script("kill -9 $$"))
    assert outcome is Outcome.FAILED
    assert stage.outputs("error") == ["The script exited with status 255."]


def test_log_path_is_expanded_and_a_second_run_begins_it_anew(tmp_path: Path) -> None:
    script = make_script("echo $HOME", log_path="$HOME/deep/script.log")
    for _ in range(2):
        assert run_script(tmp_path, script)[0] is Outcome.SUCCEEDED
    file = tmp_path / "deep" / "script.log"
    assert file.read_text() == f"{tmp_path}\n"
    assert file.stat().st_mode & 0o777 == 0o600


def make_target(folder: Path) -> Path:
    target = folder / "target"
    target.write_text("kept")
    return target


def test_log_file_is_not_written_through_a_link(tmp_path: Path) -> None:
    target, link = make_target(tmp_path), tmp_path / "link"
    link.symlink_to(target)
    assert open_log_file(make_script("x", log_path=str(link)), make_script_settings(tmp_path)) is None
    assert target.read_text() == "kept"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_log_file_of_another_user_is_left_alone(tmp_path: Path) -> None:
    target = make_target(tmp_path)
    os.chown(target, 12345, 12345)
    assert open_log_file(make_script("x", log_path=str(target)), make_script_settings(tmp_path)) is None
    assert target.read_text() == "kept"


def test_pipe_without_a_reader_holds_nobody_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert open_log_file(make_script("x", log_path=str(tmp_path / "pipe")), make_script_settings(tmp_path)) is None


def test_output_may_be_thrown_away(tmp_path: Path) -> None:
    descriptor = open_log_file(make_script("x", log_path="/dev/null"), make_script_settings(tmp_path))
    assert descriptor is not None
    os.close(descriptor)


@pytest.mark.parametrize(("log_path", "at"), [("/dev/stdout", 0), ("/dev/stderr", 1), ("/dev/fd/2", 1)])
def test_log_may_go_to_the_agents_own_output_which_is_not_emptied(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], log_path: str, at: int
) -> None:
    os.write(at + 1, b"before\n")
    descriptor = open_log_file(make_script("x", log_path=log_path), make_script_settings(tmp_path))
    assert descriptor is not None
    os.write(descriptor, b"line\n")
    os.close(descriptor)
    assert capfd.readouterr()[at] == "before\nline\n"


def test_log_file_that_cannot_be_written_does_not_stop_the_script(tmp_path: Path) -> None:
    outcome, stage = run_script(tmp_path, make_script("echo heard", log_path="/dev/null/no.log"))
    assert outcome is Outcome.SUCCEEDED
    assert stage.outputs("info") == ["heard"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("#!/bin/sh -e\necho $-\nfalse\necho no", "e"),
        ("#!/usr/bin/env python3\nimport sys; print(sys.version_info.major)", "3"),
        ("#!/usr/bin/env -S sh -e\necho $0", ".script"),
        ("#!\necho plain", "plain"),
    ],
)
def test_first_line_names_the_interpreter(text: str, expected: str, tmp_path: Path) -> None:
    stage = run_script(tmp_path, make_script(text))[1]
    assert len(stage.outputs("info")) == 1
    assert expected in stage.outputs("info")[0]
    assert list((make_script_settings(tmp_path).data_dir.scripts_dir).iterdir()) == []


def test_script_longer_than_an_argument_may_be_runs(tmp_path: Path) -> None:
    text = "echo begin\n" + "# filler\n" * (2 * MAX_ARGUMENT_BYTES // 9) + "echo end"
    assert run_script(tmp_path, make_script(text))[1].outputs("info") == ["begin", "end"]


def test_missing_interpreter_is_a_failure_with_words(tmp_path: Path) -> None:
    outcome, stage = run_script(tmp_path, make_script("#!/not/there\n"))
    assert outcome is Outcome.FAILED
    assert "could not be started" in stage.outputs("error")[0]


def test_directory_is_home_until_something_makes_it(tmp_path: Path) -> None:
    assert run_script(tmp_path, make_script("pwd"))[1].outputs("info") == [str(tmp_path)]
    (tmp_path / "src").mkdir()
    assert run_script(tmp_path, make_script("pwd"))[1].outputs("info") == [str(tmp_path / "src")]


def test_script_that_ignores_sighup_is_killed_after_the_drain(tmp_path: Path) -> None:
    script = make_script('trap "echo ignored" HUP; echo $$; while :; do sleep 0.01; done', timeout_s=60)

    async def scene(stage: Stage) -> None:
        run = stage.tasks.create_task(stage.runner.run(script))
        await stage.wait_for_output("")
        await stage.clock.wait_for_sleep(60)
        stage.clock.advance(60)
        await stage.wait_for_output("ignored")
        await stage.clock.wait_for_sleep(DRAIN_S)
        assert not run.done()
        stage.clock.advance(DRAIN_S)
        assert (await run).outcome is Outcome.TIMED_OUT
        assert "timeout of 60 s" in stage.outputs("error")[0]
        with pytest.raises(ProcessLookupError):
            os.kill(int(stage.outputs("info")[0]), 0)

    play(tmp_path, scene)


def test_open_pipes_are_reported_after_ten_seconds_and_still_heard(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    script = make_script(f"(read -r word <'{fifo}'; echo daemon says $word) & echo started")

    async def scene(stage: Stage) -> None:
        run = stage.tasks.create_task(stage.runner.run(script))
        await stage.clock.wait_for_sleep(PIPE_GRACE_S)
        stage.clock.advance(PIPE_GRACE_S)
        assert await run == ScriptEnd(Outcome.SUCCEEDED, 0)
        assert stage.outputs("warn") == []
        await stage.clock.wait_for_sleep(DRAIN_S - PIPE_GRACE_S)
        stage.clock.advance(DRAIN_S)
        await stage.wait_for_output("still holds its output open")
        await asyncio.to_thread(fifo.write_text, "hello\n")
        await stage.wait_for_output("daemon says hello")

    play(tmp_path, scene)


def test_cancelled_run_kills_its_process_group(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        run = stage.tasks.create_task(stage.runner.run(make_script("trap '' HUP TERM; echo $$; sleep 60")))
        await stage.wait_for_output("")
        run.cancel()
        await asyncio.wait([run])
        assert not os.path.exists(f"/proc/{stage.outputs('info')[0]}")  # noqa: ASYNC240  # the kernel's memory

    play(tmp_path, scene)
