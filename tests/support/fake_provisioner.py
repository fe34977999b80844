"""A provisioner that does what a test says instead of running Terraform."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime

from genba_gateway.domain.provisioning import (
    BuildRequest,
    BuildResult,
    ImportRequest,
    ImportResult,
    JobLogLine,
    LogLevel,
    LogSource,
    OnLog,
    OnResources,
    ResourceSpec,
)
from genba_gateway.errors import ProvisionError

LINE_TIME = datetime(2026, 1, 2, tzinfo=UTC)
EMPTY_IMPORT = ImportResult((), (), (), ())


@dataclass(frozen=True, slots=True)
class Breaks:
    """A build that ends with an exception, leaving a state in its directory."""

    error: Exception
    left: bytes | None = None


@dataclass(slots=True)
class FakeProvisioner:
    """Answers with the next of `answers` (success with the job's id as the state when there is none).

    While `hold` is in force jobs wait for `release`, or for their cancel, which ends them as canceled.
    """

    imported: ImportResult | Exception = EMPTY_IMPORT
    answers: deque[BuildResult | Breaks] = field(default_factory=deque[BuildResult | Breaks])
    lines: tuple[str, ...] = ("working",)
    early_resources: tuple[ResourceSpec, ...] = ()
    imports: list[ImportRequest] = field(default_factory=list[ImportRequest])
    builds: list[BuildRequest] = field(default_factory=list[BuildRequest])
    directories: dict[str, bytes | None] = field(default_factory=dict[str, bytes | None])
    started: asyncio.Queue[str] = field(default_factory=asyncio.Queue[str])
    recover_error: Exception | None = None
    running: int = 0
    most_running: int = 0
    _free: asyncio.Event = field(default_factory=asyncio.Event)
    _held: bool = False

    def hold(self) -> None:
        """Make jobs wait."""
        self._held = True
        self._free.clear()

    def release(self) -> None:
        """Let all jobs go on."""
        self._held = False
        self._free.set()

    async def import_version(self, request: ImportRequest, on_log: OnLog, cancel: asyncio.Event) -> ImportResult:
        """Give `imported`, or raise it."""
        self.imports.append(request)
        self.directories[request.job_id] = None
        if await self._work(request.job_id, on_log, cancel):
            raise ProvisionError("Canceled.")
        if isinstance(self.imported, Exception):
            raise self.imported
        return self.imported

    async def build(
        self,
        request: BuildRequest,
        on_log: OnLog,
        cancel: asyncio.Event,
        on_state: None = None,
        *,
        on_resources: OnResources | None = None,
    ) -> BuildResult:
        """Give the next answer, or raise its error."""
        self.builds.append(request)
        self.directories[request.job_id] = request.state
        if on_resources is not None and self.early_resources:
            await on_resources(self.early_resources)
        if await self._work(request.job_id, on_log, cancel):
            return BuildResult(state=request.state, canceled=True)
        answer = self.answers.popleft() if self.answers else BuildResult(state=request.job_id.encode())
        if isinstance(answer, Breaks):
            self.directories[request.job_id] = answer.left
            raise answer.error
        self.directories[request.job_id] = answer.state
        return answer

    async def recover(self, job_id: str, *, keep: bool = False) -> bytes | None:
        """The state in a job's directory."""
        if self.recover_error is not None:
            raise self.recover_error
        state = self.directories.get(job_id)
        if not keep:
            await self.discard(job_id)
        return state

    async def discard(self, job_id: str) -> None:
        """Forget a job's directory."""
        self.directories.pop(job_id, None)

    def list_leftover_jobs(self) -> list[str]:
        """Jobs that have a directory."""
        return sorted(self.directories)

    async def _work(self, job_id: str, on_log: OnLog, cancel: asyncio.Event) -> bool:
        """Write the lines and wait while held; whether the job was canceled."""
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            for line in self.lines:
                await on_log(JobLogLine(LINE_TIME, LogSource.PROVISIONER, LogLevel.INFO, "Working", line))
            self.started.put_nowait(job_id)
            if self._held and not cancel.is_set():
                await self._wait_for_any(self._free, cancel)
            return cancel.is_set()
        finally:
            self.running -= 1

    async def _wait_for_any(self, *events: asyncio.Event) -> None:
        first = asyncio.Event()

        async def tell(event: asyncio.Event) -> None:
            await event.wait()
            first.set()

        async with asyncio.TaskGroup() as waiters:
            tasks = [waiters.create_task(tell(event)) for event in events]
            await first.wait()
            for task in tasks:
                task.cancel()
