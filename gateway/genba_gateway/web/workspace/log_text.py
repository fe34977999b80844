"""Logs as plain text, to be kept: one line each, with its time, level and source."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Mapping
from datetime import datetime
from typing import Final

from quart import Response

from genba_gateway.domain.agent_reports import AgentLogLine
from genba_gateway.domain.jobs import StoredJobLog

_ESCAPES: Final = re.compile(
    r"\x1b\[[0-9;:?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\|$)|\x1b[ -/]*[0-~]|[\x00-\x08\x0b-\x1f\x7f]"
)
"""What terminals act on: a file that is shown by `cat` must not."""


async def build_log_text(pages: AsyncIterable[Iterable[StoredJobLog]]) -> AsyncGenerator[str]:
    """A build's log, page by page; stages are lines of their own."""
    stage, is_begun = "", False
    async for lines in pages:
        written: list[str] = []
        for line in lines:
            if line.stage != stage:
                stage = line.stage
                written.append(f"\n== {stage}\n" if is_begun else f"== {stage}\n")
                is_begun = True
            if line.output:
                written.append(f"{_stamp(line.created_at)} {line.level:5} {plain(line.output)}\n")
                is_begun = True
        yield "".join(written)


def agent_log_text(lines: Iterable[AgentLogLine], sources: Mapping[str, str]) -> str:
    """An agent's log."""
    return "".join(
        f"{_stamp(line.created_at)} {line.level:5} [{sources.get(line.source_id, '')}] {plain(line.output)}\n"
        for line in lines
    )


def plain(text: str) -> str:
    """A line without what terminals act on."""
    return _ESCAPES.sub("", text)


def answer_text(text: str | AsyncGenerator[str], name: str) -> Response:
    """The text as a file to be saved."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(text, content_type="text/plain; charset=utf-8", headers=headers)


def _stamp(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
