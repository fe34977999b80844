"""A job's log: stages, levels and lines, each handed on at once and in order."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime

from genba_gateway.domain.provisioning import JobLogLine, LogLevel, LogSource, OnLog, Transition

# Names of the stages as clients group by them (contract 4.3).
SETTING_UP = "Setting up"
PARSING_PARAMETERS = "Parsing template parameters"
DETECTING_PERSISTENT = "Detecting persistent resources"
DETECTING_EPHEMERAL = "Detecting ephemeral resources"
PLANNING = "Planning infrastructure"
APPLYING = {
    Transition.START: "Starting workspace",
    Transition.STOP: "Stopping workspace",
    Transition.DELETE: "Destroying workspace",
}
CLEANING_UP = "Cleaning Up"

# A line of a log is a row in a database and a message to every viewer; longer ones are cut.
MAX_LINE_BYTES = 64 * 1024
CUT_MARK = " … [cut]"

_logger = logging.getLogger(__name__)


def cut_line(text: str) -> str:
    """Return the text within `MAX_LINE_BYTES` of UTF-8, with a mark when something is missing."""
    if len(text) * 4 <= MAX_LINE_BYTES:
        return text
    encoded = text.encode("utf-8", "replace")
    if len(encoded) <= MAX_LINE_BYTES:
        return text
    kept = encoded[: MAX_LINE_BYTES - len(CUT_MARK.encode())].decode("utf-8", "ignore")
    return kept + CUT_MARK


class JobLog:
    """Writes the lines of one job to its callback.

    The callback's failures don't reach Terraform: a log that can't be stored is no reason to leave an apply
    half done. The first one is logged with its traceback.
    """

    def __init__(self, on_log: OnLog) -> None:
        self._on_log = on_log
        self._stage = SETTING_UP
        self._has_failed = False
        # Lines come from two pipes; one at a time keeps the order in which they were read.
        self._lock = asyncio.Lock()

    async def begin_stage(self, stage: str) -> None:
        """Start a stage by the empty line that marks it."""
        self._stage = stage
        await self._emit(LogSource.DAEMON, LogLevel.INFO, "")

    async def write(self, level: LogLevel, text: str, source: LogSource = LogSource.PROVISIONER) -> None:
        """Write the text line by line; empty lines are left out, since they mark stages."""
        for line in text.splitlines():
            if line.strip():
                await self._emit(source, level, cut_line(line.rstrip()))

    async def note(self, text: str, level: LogLevel = LogLevel.INFO) -> None:
        """Write a line of our own."""
        await self.write(level, text, LogSource.DAEMON)

    async def _emit(self, source: LogSource, level: LogLevel, output: str) -> None:
        async with self._lock:
            line = JobLogLine(
                created_at=datetime.now(UTC), source=source, level=level, stage=self._stage, output=output
            )
            try:
                await self._on_log(line)
            except Exception:
                if not self._has_failed:
                    _logger.exception("a line of a job's log could not be stored")
                self._has_failed = True
