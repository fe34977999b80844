"""Sends spooled lines to the gateway: at once when nothing is in flight, in batches while something is."""

from __future__ import annotations

import logging
from collections import deque

from genba_agent.api import AgentApi
from genba_agent.errors import LogsOverflowed
from genba_agent.log_queue import LogBatch, QueuedLine
from genba_agent.log_spool import LogSpool
from genba_agent.retry import Retrier
from genba_wire.api.agent_protocol import LogLine, PatchLogsRequest
from genba_wire.errors import GatewayRefused

logger = logging.getLogger(__name__)

OVERFLOW_STATUS = 413


class LogSender:
    """Takes lines from scripts and empties spools: those of earlier processes first, then this one's."""

    def __init__(self, api: AgentApi, retrier: Retrier, current: LogSpool, earlier: list[LogSpool]) -> None:
        self._api = api
        self._retrier = retrier
        self._current = current
        self._earlier = deque(earlier)
        self._has_overflowed = False

    def append(self, line: QueuedLine) -> None:
        """Take a line; after an overflow it is dropped silently (contract 1.6)."""
        if not self._has_overflowed:
            self._current.append(line)

    async def wait_until_delivered(self) -> None:
        """Return when the gateway has all lines that this process took."""
        await self._current.is_delivered.wait()

    async def run(self) -> None:
        """Send until cancelled, or until the gateway keeps no more."""
        try:
            while self._earlier:
                while self._earlier[0].has_lines.is_set():
                    await self.step(self._earlier[0])
                self._earlier.popleft().discard()
            while True:
                await self._current.has_lines.wait()
                await self.step(self._current)
        except LogsOverflowed:
            logger.warning("The gateway stores no more output of this agent; log files in the log folder go on.")
            self._has_overflowed = True
            while not self._current.is_delivered.is_set():
                self._current.form_batch()
                self._current.acknowledge()

    async def step(self, spool: LogSpool) -> None:
        """Send one batch of a spool.

        Raises:
            LogsOverflowed: the gateway keeps no more lines.
        """
        batch = spool.form_batch()
        if batch is None:
            return
        request = _make_request(batch)
        try:
            await self._retrier.insist(
                "Log lines", lambda: self._api.patch_logs(request, spool.boot_id, batch.first_number)
            )
        except GatewayRefused as error:
            if error.status == OVERFLOW_STATUS:
                raise LogsOverflowed from error
            # Sent again it would be refused again, and every line behind it would wait for ever.
            logger.error("The gateway refused %d log lines, which are dropped: %s", len(batch.lines), error)
        spool.acknowledge()

    def close(self) -> None:
        """Remove journals that are done; leave the others to the next process."""
        for spool in (*self._earlier, self._current):
            if self._has_overflowed or spool.is_delivered.is_set():
                spool.discard()
            else:
                spool.close()


def _make_request(batch: LogBatch) -> PatchLogsRequest:
    return PatchLogsRequest(
        log_source_id=batch.source_id,
        logs=[LogLine(created_at=line.created_at, output=line.output, level=line.level) for line in batch.lines],
    )
