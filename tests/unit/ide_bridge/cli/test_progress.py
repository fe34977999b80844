"""What is shown while a job runs."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from genba_ide_bridge.cli.progress import (
    TAIL_LINES,
    LiveProgress,
    OutageNotes,
    PlainProgress,
    StageLines,
    describe_queue,
    make_progress,
)
from genba_wire.api.jobs import JobLog
from tests.support.cli_builders import NOW


def line(output: str, stage: str = "Starting") -> JobLog:
    return JobLog(id=1, created_at=NOW, log_source="provisioner", log_level="info", stage=stage, output=output)


def test_a_stage_is_a_headline_before_its_first_line() -> None:
    stages = StageLines()
    lines = [line("", "Planning"), line("one", "Planning"), line("two", "Planning"), line("three", "Applying")]
    assert [stages.text_of(one) for one in lines] == [["==> Planning"], ["one"], ["two"], ["==> Applying", "three"]]


def test_a_place_in_the_queue_is_told_when_it_changes(capsys: pytest.CaptureFixture[str]) -> None:
    assert [describe_queue(0, 3), describe_queue(2, 5), describe_queue(3, 1)] == [
        "queued",
        "queued 2 of 5",
        "queued 3 of 3",
    ]
    progress = make_progress("Starting")
    assert isinstance(progress, PlainProgress)
    with progress:
        for position in (2, 2, 1):
            progress.show_queue(position, 2)
        progress.show_line(line("goes"))
        progress.show_failure_tail()
    assert capsys.readouterr().out == "queued 2 of 2\nqueued 1 of 2\n==> Starting\ngoes\n"


def test_an_outage_is_told_once_and_its_end_once(capsys: pytest.CaptureFixture[str]) -> None:
    notes = OutageNotes("http://x")
    notes.gateway_is_back()
    for _ in range(3):
        notes.gateway_is_away("refused")
    for _ in range(3):
        notes.gateway_is_back()
    assert capsys.readouterr().err.splitlines() == [
        "The gateway at http://x is away; trying again until it is back (Ctrl-C ends).",
        "The gateway is back.",
    ]


def shown(progress: LiveProgress) -> str:
    """What the live line says at the moment, without its spinner."""
    console = Console(file=io.StringIO(), width=60, color_system=None)
    with console.capture() as capture:
        console.print(progress, end="")
    return capture.get()[1:]


def test_a_live_line_says_what_the_job_does_now_and_fits_the_screen() -> None:
    progress = LiveProgress("Starting dev")
    assert shown(progress) == " Starting dev · 0 s · waiting for the gateway"
    progress.show_queue(1, 2)
    assert shown(progress).endswith("queued 1 of 2")
    progress.show_line(line("host: Creating..."))
    assert shown(progress).endswith("Starting · host: Creating...")
    progress.show_line(line("x" * 200))
    assert len(shown(progress)) < 60
    assert shown(progress).endswith("…")


def test_the_end_of_the_log_is_shown_when_a_job_failed_behind_a_live_line(capsys: pytest.CaptureFixture[str]) -> None:
    progress = LiveProgress("Starting dev")
    for number in range(TAIL_LINES + 5):
        progress.show_line(line(f"line {number}"))
    progress.show_failure_tail()
    assert capsys.readouterr().err.splitlines() == [f"line {number}" for number in range(5, TAIL_LINES + 5)]
