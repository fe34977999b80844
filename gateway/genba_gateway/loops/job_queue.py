"""Takes jobs from the queue and runs them, a fixed number at a time."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from genba_gateway.domain import channels
from genba_gateway.domain.jobs import Job
from genba_gateway.services.job_runner import JobRunner
from genba_gateway.store.pubsub import PubSub

log = logging.getLogger(__name__)

LOOK_AGAIN_S: Final = 5.0
"""How often the queue is looked at when nobody says that something was added."""


class JobQueue:
    """Runs up to `concurrency` jobs at once, oldest first."""

    def __init__(self, runner: JobRunner, pubsub: PubSub, concurrency: int) -> None:
        self._runner = runner
        self._pubsub = pubsub
        self._slots = asyncio.Semaphore(concurrency)

    async def run(self) -> None:
        """Run jobs until cancelled; jobs under way are then ended and fail."""
        async with asyncio.TaskGroup() as running:
            with self._pubsub.subscribe(channels.JOBS) as subscription:
                while True:
                    if not await self._step_or_log(running):
                        await subscription.changed(LOOK_AGAIN_S)

    async def step(self, running: asyncio.TaskGroup) -> bool:
        """Start the next job if there is one and a slot for it; False when there was none."""
        await self._slots.acquire()
        job: Job | None = None
        try:
            job = await self._runner.take()
        finally:
            if job is None:
                self._slots.release()
        if job is None:
            return False
        running.create_task(self._run(job), name=f"job {job.id}")
        return True

    async def _step_or_log(self, running: asyncio.TaskGroup) -> bool:
        try:
            return await self.step(running)
        except Exception:  # a database that is full or held by another process: the gateway goes on serving
            log.exception("the queue can't be read; it is looked at again in %s s", LOOK_AGAIN_S)
            return False

    async def _run(self, job: Job) -> None:
        try:
            await self._runner.run(job)
        except Exception:  # the edge of a task: one job must not end the queue, and with it the gateway
            log.exception("job %s broke off", job.id)
        finally:
            self._slots.release()
