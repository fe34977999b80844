from __future__ import annotations

import json

import pytest

from genba_gateway.domain.provisioning import JobLogLine, LogLevel
from genba_gateway.provisioner.job_log import MAX_LINE_BYTES, JobLog
from genba_gateway.provisioner.terraform_output import MAX_RAW_LINE_BYTES, LineSplitter, OutputLog


class Job:
    """A log that keeps its lines, and an output that writes to it."""

    def __init__(self) -> None:
        self.lines: list[tuple[LogLevel, str]] = []
        self.plans = 0
        self.output = OutputLog(JobLog(self._keep), self._planned)

    async def _keep(self, line: JobLogLine) -> None:
        self.lines.append((line.level, line.output))

    async def _planned(self) -> None:
        self.plans += 1


def message(text: str, level: str = "info", **more: object) -> str:
    return json.dumps({"@level": level, "@message": text, "@module": "terraform.ui", **more})


DIAGNOSTIC = {
    "severity": "error",
    "summary": "Unsupported argument",
    "detail": 'An argument named "x" is\nnot expected here.',
    "address": "terraform_data.a",
    "range": {"filename": "main.tf", "start": {"line": 3, "column": 1}, "end": {"line": 3, "column": 2}},
    "snippet": {
        "context": 'resource "terraform_data" "a"',
        "code": "  x = var.y",
        "start_line": 3,
        "values": [{"traversal": "var.y", "statement": "is 5"}],
    },
}


async def test_messages_keep_their_level() -> None:
    job = Job()

    await job.output.json_line(message("genba_host.workspace[0]: Creating..."))
    await job.output.json_line(message("careful", "warn"))

    assert job.lines == [(LogLevel.INFO, "genba_host.workspace[0]: Creating..."), (LogLevel.WARN, "careful")]


async def test_diagnostic_is_rendered_with_place_snippet_values_and_detail() -> None:
    job = Job()

    await job.output.json_line(message("Error: Unsupported argument", "error", diagnostic=DIAGNOSTIC))

    assert [text for _, text in job.lines] == [
        "Error: Unsupported argument",
        "  with terraform_data.a,",
        '  on main.tf line 3, in resource "terraform_data" "a":',
        "     3:   x = var.y",
        "    var.y is 5",
        'An argument named "x" is',
        "not expected here.",
    ]
    assert {level for level, _ in job.lines} == {LogLevel.ERROR}
    assert job.output.error_message("plan", 1) == (
        'terraform plan: Unsupported argument (main.tf:3): An argument named "x" is not expected here.'
    )


async def test_warnings_are_no_error_and_further_errors_are_counted() -> None:
    job = Job()
    await job.output.json_line(message("W", "warn", diagnostic={"severity": "warning", "summary": "W"}))
    assert job.output.diagnostics == []

    for summary in ("first", "second", "third"):
        await job.output.json_line(message(summary, "error", diagnostic={"severity": "error", "summary": summary}))

    assert job.output.error_message("apply", 1) == "terraform apply: first (and 2 more, see the log)"


async def test_plan_is_complete_once() -> None:
    job = Job()

    await job.output.json_line(message("drift", type="resource_drift"))
    assert job.plans == 0
    await job.output.json_line(message("Plan: 1 to add", changes={"operation": "plan", "add": 1}))
    await job.output.json_line(message("Apply complete!", changes={"operation": "apply", "add": 1}))

    assert job.plans == 1


@pytest.mark.parametrize("line", ["plain text", "{broken", '{"@message": 3}', "null", "[1]"])
async def test_other_lines_are_passed_on(line: str) -> None:
    job = Job()

    await job.output.json_line(line)

    assert job.lines == [(LogLevel.INFO, line)]


async def test_standard_error_becomes_the_message_of_a_failure() -> None:
    job = Job()

    await job.output.error_line("╷")
    await job.output.error_line("│ Error: no such module")
    await job.output.error_line(message("provider said", "trace"))

    assert job.output.error_message("init", 1) == "terraform init: no such module"
    assert job.lines[-1] == (LogLevel.TRACE, "provider said")
    assert job.lines[1][0] is LogLevel.ERROR


async def test_silent_failure_tells_the_exit_code() -> None:
    assert Job().output.error_message("apply", -9) == (
        "terraform apply ended with exit code -9 and no message; see the log."
    )


async def test_lines_are_put_together_from_any_pieces() -> None:
    lines: list[str] = []

    async def keep(line: str) -> None:
        lines.append(line)

    text = "één\r\ntwo\n\nlast".encode()
    splitter = LineSplitter(keep)
    for position in range(len(text)):
        await splitter.feed(text[position : position + 1])
    await splitter.close()

    assert lines == ["één", "two", "", "last"]


async def test_overlong_line_is_cut_and_the_next_is_whole() -> None:
    job = Job()
    splitter = LineSplitter(job.output.json_line)
    long = message("terraform_data.a (local-exec): " + "A" * MAX_RAW_LINE_BYTES)

    await splitter.feed(long.encode() + b"\n" + message("next").encode() + b"\n")

    assert len(job.lines) == 2
    assert job.lines[0][1].startswith("terraform_data.a (local-exec): AAAA")
    assert len(job.lines[0][1].encode()) <= MAX_LINE_BYTES
    assert job.lines[1] == (LogLevel.INFO, "next")


async def test_raw_line_at_the_limit_is_whole() -> None:
    lengths: list[int] = []

    async def keep(line: str) -> None:
        lengths.append(len(line))

    splitter = LineSplitter(keep)
    await splitter.feed(b"x" * MAX_RAW_LINE_BYTES + b"\n" + b"y" * (MAX_RAW_LINE_BYTES + 1) + b"\nz\n")

    assert lengths == [MAX_RAW_LINE_BYTES, MAX_RAW_LINE_BYTES, 1]
