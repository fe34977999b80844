from __future__ import annotations

import logging

import pytest

from genba_gateway.domain.provisioning import JobLogLine, LogLevel, LogSource
from genba_gateway.provisioner.job_log import CUT_MARK, MAX_LINE_BYTES, PLANNING, JobLog, cut_line


class Lines:
    def __init__(self) -> None:
        self.lines: list[JobLogLine] = []

    async def __call__(self, line: JobLogLine) -> None:
        self.lines.append(line)


async def test_stage_begins_with_an_empty_line_and_holds_for_the_next() -> None:
    lines = Lines()
    log = JobLog(lines)

    await log.begin_stage(PLANNING)
    await log.write(LogLevel.WARN, "one\n\n  \ntwo\n")

    assert [(line.stage, line.source, line.level, line.output) for line in lines.lines] == [
        (PLANNING, LogSource.DAEMON, LogLevel.INFO, ""),
        (PLANNING, LogSource.PROVISIONER, LogLevel.WARN, "one"),
        (PLANNING, LogSource.PROVISIONER, LogLevel.WARN, "two"),
    ]


@pytest.mark.parametrize("character", ["a", "é", "😀"])
def test_line_of_the_longest_length_is_kept_and_one_longer_cut(character: str) -> None:
    longest = character * (MAX_LINE_BYTES // len(character.encode()))

    cut = cut_line(longest + character)

    assert cut_line(longest) == longest
    assert cut.endswith(CUT_MARK)
    assert len(cut.encode()) <= MAX_LINE_BYTES
    assert longest.startswith(cut.removesuffix(CUT_MARK))


async def test_failing_callback_is_logged_once_and_does_not_stop_the_job(caplog: pytest.LogCaptureFixture) -> None:
    async def fail(line: JobLogLine) -> None:
        raise OSError("disk full")

    log = JobLog(fail)
    with caplog.at_level(logging.ERROR):
        await log.note("one")
        await log.note("two")

    assert [record.message for record in caplog.records] == ["a line of a job's log could not be stored"]
