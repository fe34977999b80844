"""Where a script's output goes: to its log file as it is, and on to the gateway in lines."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable

from genba_agent.clock import Clock
from genba_agent.line_splitter import LineSplitter
from genba_agent.log_queue import QueuedLine

logger = logging.getLogger(__name__)


class ScriptOutput:
    """The output of one run. Its two pipes and its runner `release` it; then its log file is closed."""

    def __init__(
        self, source_id: str, append_line: Callable[[QueuedLine], None], clock: Clock, log_file: int | None
    ) -> None:
        """`log_file` is a descriptor that belongs to this object from here on; None where it can't be written."""
        self._source_id = source_id
        self._append_line = append_line
        self._clock = clock
        self._log_file = log_file
        self._stdout = LineSplitter()
        self._stderr = LineSplitter()
        self._holders = 3

    def take_stdout(self, data: bytes) -> None:
        self._take(self._stdout, "info", data)

    def take_stderr(self, data: bytes) -> None:
        self._take(self._stderr, "error", data)

    def end_stdout(self) -> None:
        self._append("info", self._stdout.finish())
        self.release()

    def end_stderr(self) -> None:
        self._append("error", self._stderr.finish())
        self.release()

    def say(self, level: str, text: str) -> None:
        """Add a line of the agent's own."""
        self._append(level, [text])
        self._write(text.encode() + b"\n")

    def release(self) -> None:
        """One of the holders is done."""
        self._holders -= 1
        if self._holders == 0:
            self.close()

    def close(self) -> None:
        """Close the log file."""
        if self._log_file is not None:
            os.close(self._log_file)
            self._log_file = None

    def _take(self, splitter: LineSplitter, level: str, data: bytes) -> None:
        self._append(level, splitter.feed(data))
        self._write(data)

    def _append(self, level: str, lines: list[str]) -> None:
        now = self._clock.now()
        for line in lines:
            self._append_line(QueuedLine(self._source_id, now, level, line))

    def _write(self, data: bytes) -> None:
        """Write to the log file, in the event loop: it is page cache, see log_spool."""
        if self._log_file is not None:
            try:
                os.write(self._log_file, data)
            except OSError as error:
                logger.warning("A script's log file can't be written any more: %s", error)
                self.close()
