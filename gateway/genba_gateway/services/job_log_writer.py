"""Writes a job's log: a line at once when nothing is being written, in batches while something is."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Final, Self

from genba_gateway.domain import channels
from genba_gateway.domain.provisioning import JobLogLine, LogLevel, LogSource
from genba_gateway.services.visibility import Clock
from genba_gateway.store import jobs as job_store
from genba_gateway.store.engine import Database
from genba_gateway.store.pubsub import PubSub

MAX_WAITING_LINES: Final = 10_000
"""A job that prints faster than the database writes is held back here, so that memory stays bounded."""


class JobLogWriter:
    """One job's log, open for the length of an `async with`; at its end all lines are stored."""

    def __init__(self, database: Database, pubsub: PubSub, job_id: str, now: Clock) -> None:
        self._database = database
        self._pubsub = pubsub
        self._job_id = job_id
        self._now = now
        self._waiting: asyncio.Queue[JobLogLine | None] = asyncio.Queue(MAX_WAITING_LINES)
        self._tasks = asyncio.TaskGroup()

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self._tasks.create_task(self._write_all(), name=f"log of job {self._job_id}")
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if exc is None or isinstance(exc, Exception):
            # A failure's last lines say why, so they are stored like any others.
            await self._waiting.put(None)
            await self._tasks.__aexit__(None, None, None)
        else:
            await self._tasks.__aexit__(exc_type, exc, traceback)

    async def add(self, line: JobLogLine) -> None:
        """Take a line."""
        await self._waiting.put(line)

    async def say(self, stage: str, output: str, level: LogLevel = LogLevel.INFO) -> None:
        """Take a line of the gateway's own."""
        await self.add(JobLogLine(self._now(), LogSource.DAEMON, level, stage, output))

    async def flush(self) -> None:
        """Wait until all lines so far are stored: a follower stops reading once the job is marked as ended."""
        await self._waiting.join()

    async def _write_all(self) -> None:
        ended = False
        while not ended:
            batch = [await self._waiting.get()]
            while not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            ended = batch[-1] is None
            lines = [line for line in batch if line is not None]
            if lines:
                async with self._database.write() as connection:
                    await job_store.insert_job_logs(connection, self._job_id, lines)
                self._pubsub.publish(channels.of_job(self._job_id))
            for _ in batch:
                self._waiting.task_done()
