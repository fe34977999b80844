"""Ends jobs that broke off, saving the state that their Terraform left: in this gateway's life and after a crash.

A job's directory is removed only when what it holds is stored, or is known to hold nothing.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Final, Protocol

from genba_gateway.domain import channels
from genba_gateway.domain.jobs import Job
from genba_gateway.domain.workspaces import Build
from genba_gateway.errors import ProvisionError
from genba_gateway.services.sealed_states import SealedStates
from genba_gateway.services.visibility import Clock
from genba_gateway.store import builds as build_store
from genba_gateway.store import jobs as job_store
from genba_gateway.store.engine import Database
from genba_gateway.store.pubsub import PubSub
from genba_gateway.store.sealing import Sealer

log = logging.getLogger(__name__)

KILLED_REASON: Final = (
    "The gateway was stopped in the middle of this job. What Terraform had finished until then was saved, "
    "so start, stop or delete the workspace to go on."
)

RETRY_S: Final = 5.0
"""Between two attempts to store the end of a job."""


class Leftovers(Protocol):
    """What jobs left on the disk (part of provisioner.terraform.TerraformProvisioner)."""

    async def recover(self, job_id: str, *, keep: bool = False) -> bytes | None:
        """End what is left of a job's Terraform and return the state it left; None: the one before still holds."""
        ...

    async def discard(self, job_id: str) -> None:
        """Remove a job's directory."""
        ...

    def list_leftover_jobs(self) -> list[str]:
        """Jobs that have a directory."""
        ...


@dataclass(frozen=True, slots=True)
class JobEnd:
    """How a job ended, for its row."""

    error: str = ""
    error_code: str = ""


class JobRecovery:
    """Stores the ends of jobs that did not come to theirs."""

    def __init__(self, *, database: Database, sealer: Sealer, pubsub: PubSub, leftovers: Leftovers, now: Clock) -> None:
        self._database = database
        self._states = SealedStates(sealer)
        self._pubsub = pubsub
        self._leftovers = leftovers
        self._now = now
        self._unread: dict[str, str] = {}
        """Workspaces to the build job whose state could not be read yet."""

    async def complete(self, job_id: str, end: JobEnd, state: bytes | None = None) -> None:
        """Store a job's end, and with it the state of its build if there is one."""
        sealed = await self._states.seal(state) if state is not None else None
        now = self._now()
        async with self._database.write() as connection:
            build = await build_store.find_build_of_job(connection, job_id)
            if build is not None and sealed is not None:
                await build_store.update_build(connection, build.id, {"state_sealed": sealed, "updated_at": now})
            await job_store.complete_job(connection, job_id, now=now, error=end.error, error_code=end.error_code)
        self.publish_end(job_id, build)

    def publish_end(self, job_id: str, build: Build | None) -> None:
        """Tell those who watch the job, the queue or the workspace."""
        workspace = [channels.of_workspace(build.workspace_id)] if build else []
        self._pubsub.publish(channels.of_job(job_id), channels.JOBS, *workspace)

    async def break_off(self, job: Job, end: JobEnd) -> None:
        """End a job that failed for a reason of the gateway's own, whatever it takes."""
        try:
            await self._salvage(job.id, end)
        except Exception:  # the edge of a task: what could not be read now is looked for at the next build or start
            log.exception("what job %s left stays in its directory", job.id)
            await self._complete_at_last(job.id, end)
            await self._note_unread(job.id)

    async def salvage_former(self, workspace_id: str) -> None:
        """Before a build: save what an earlier one of the workspace left and could not be read then.

        Raises:
            ProvisionError: it still can't be read. To build on the state before it would make everything twice.
        """
        job_id = self._unread.get(workspace_id)
        if job_id is None:
            return
        try:
            await self._salvage(job_id, JobEnd(KILLED_REASON))
        except Exception as error:
            log.exception("what job %s left still stays in its directory", job_id)
            raise ProvisionError(
                f"The state that the workspace's earlier build left can't be read ({error}): mend the folder of job "
                f"{job_id} in the gateway's data folder, or move it away to go on from the state before."
            ) from error
        del self._unread[workspace_id]

    async def recover(self) -> None:
        """After a start: end the jobs that a former gateway was killed in, saving the states they left."""
        async with self._database.read() as connection:
            unfinished = await job_store.list_unfinished_jobs(connection)
        async with asyncio.TaskGroup() as tasks:  # each may have to wait for a Terraform to end
            for job in unfinished:
                tasks.create_task(self._recover_unfinished(job.id), name=f"recovery of job {job.id}")
        for job_id in await asyncio.to_thread(self._leftovers.list_leftover_jobs):
            await self._recover_leftover(job_id)

    async def _recover_unfinished(self, job_id: str) -> None:
        end = JobEnd(KILLED_REASON)
        try:
            await self._salvage(job_id, end)
        except Exception:  # one job must not keep the gateway from starting
            log.exception("what job %s left stays in its directory; it is marked failed", job_id)
            await self.complete(job_id, end)
        else:
            log.warning("job %s was unfinished; it is marked failed and its state saved", job_id)

    async def _recover_leftover(self, job_id: str) -> None:
        try:
            async with self._database.read() as connection:
                job = await job_store.find_job(connection, job_id)
            if job is None:
                # Perhaps another database's: then this is the only copy of a state.
                log.warning("the directory of job %s, of which the database knows nothing, is left alone", job_id)
            else:
                await self._salvage(job_id, JobEnd(KILLED_REASON))
        except Exception:  # one folder, perhaps not even a job's, must not keep the gateway from starting
            log.exception("what job %s left stays in its directory", job_id)
            await self._note_unread(job_id)

    async def _salvage(self, job_id: str, end: JobEnd) -> None:
        """End a job that broke off, keeping the state that its Terraform left; one that ended keeps its end."""
        state = await self._leftovers.recover(job_id, keep=True)
        await self.complete(job_id, end, state)
        await self._leftovers.discard(job_id)

    async def _note_unread(self, job_id: str) -> None:
        async with self._database.read() as connection:
            build = await build_store.find_build_of_job(connection, job_id)
        if build is not None:
            self._unread[build.workspace_id] = job_id

    async def _complete_at_last(self, job_id: str, end: JobEnd) -> None:
        """End a job however long the database refuses: a job that nobody runs could not even be canceled."""
        while True:
            try:
                await self.complete(job_id, end)
                return
            except Exception:  # a full disk, or another process that holds the database
                log.exception("the end of job %s can't be stored; tried again in %s s", job_id, RETRY_S)
                await asyncio.sleep(RETRY_S)
