from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import UTC, datetime

from genba_gateway.domain.agent_reports import AgentLogLine
from genba_gateway.domain.jobs import StoredJobLog
from genba_gateway.web.workspace.log_text import agent_log_text, build_log_text, plain

NOON = datetime(2026, 11, 28, 12, 0, 0, 123456, tzinfo=UTC)


async def test_a_build_log_has_its_stages_and_levels() -> None:
    lines = [
        StoredJobLog(1, NOON, "provisioner_daemon", "info", "Planning", ""),
        StoredJobLog(2, NOON, "provisioner", "info", "Planning", "a"),
        StoredJobLog(3, NOON, "provisioner", "error", "Starting", "b"),
    ]

    async def pages() -> AsyncGenerator[list[StoredJobLog]]:
        yield lines[:2]
        yield lines[2:]

    assert "".join([text async for text in build_log_text(pages())]) == (
        "== Planning\n2026-11-28T12:00:00.123Z info  a\n\n== Starting\n2026-11-28T12:00:00.123Z error b\n"
    )


def test_an_agent_log_names_its_sources() -> None:
    line = AgentLogLine(1, NOON, "\x1b[31mred\x1b[0m", "warn", "s1")
    assert agent_log_text([line], {"s1": "Startup"}) == "2026-11-28T12:00:00.123Z warn  [Startup] red\n"


def test_a_saved_line_does_nothing_to_the_terminal_that_shows_it() -> None:
    assert plain("\x1b]0;title\x07a\x1b[2Jb\x1b]52;c;aGk=\x1b\\c\x1bcd\x9b\te\r") == "abcd\x9b\te"
