"""Tests are synchronous, as a script's log file is written within the loop (see log_spool)."""

from __future__ import annotations

import os
from pathlib import Path

from genba_agent.log_queue import QueuedLine
from genba_agent.script_output import ScriptOutput
from tests.support.agent_clock import FakeClock


def make_output(file: Path | None) -> tuple[ScriptOutput, list[QueuedLine]]:
    lines: list[QueuedLine] = []
    descriptor = None if file is None else os.open(file, os.O_CREAT | os.O_WRONLY)
    return ScriptOutput("source", lines.append, FakeClock(), descriptor), lines


def test_pipes_are_split_apart_and_logged_as_they_come(tmp_path: Path) -> None:
    output, lines = make_output(tmp_path / "log")
    output.take_stdout(b"one\ntw")
    output.take_stderr(b"bad\n")
    output.take_stdout(b"o\nrest")
    output.say("warn", "from the agent")
    output.end_stdout()
    output.end_stderr()
    output.release()
    assert [(line.level, line.output) for line in lines] == [
        ("info", "one"), ("error", "bad"), ("info", "two"), ("warn", "from the agent"), ("info", "rest"),
    ]  # fmt: skip
    assert {line.source_id for line in lines} == {"source"}
    assert (tmp_path / "log").read_bytes() == b"one\ntwbad\no\nrestfrom the agent\n"


def test_file_is_closed_with_the_last_of_three_holders(tmp_path: Path) -> None:
    output, _ = make_output(tmp_path / "log")
    output.release()
    output.end_stdout()
    output.take_stderr(b"late")
    output.end_stderr()
    output.take_stderr(b"too late")
    assert (tmp_path / "log").read_bytes() == b"late"


def test_lines_go_on_without_a_file() -> None:
    output, lines = make_output(None)
    output.take_stdout(b"one\n")
    output.close()
    assert [line.output for line in lines] == ["one"]


def test_full_disk_costs_the_file_and_no_line() -> None:
    output, lines = make_output(Path("/dev/full"))
    output.take_stdout(b"one\n")
    output.take_stdout(b"two\n")
    output.close()
    assert [line.output for line in lines] == ["one", "two"]
