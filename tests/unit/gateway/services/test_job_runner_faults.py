"""Jobs while something around them is broken: the gateway starts, serves and ends them all the same."""

from __future__ import annotations

import asyncio
import logging

import pytest

from genba_gateway.domain import channels
from genba_gateway.domain.jobs import JobStatus
from genba_gateway.errors import ProvisionError
from genba_gateway.loops.job_queue import JobQueue
from genba_gateway.services import job_recovery
from genba_gateway.services.job_recovery import KILLED_REASON
from tests.support.workshop import CEILING_S, Workshop


class Heard(logging.Handler):
    """Tells of the first record that has a text in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text
        self.event = asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        if self._text in record.getMessage():
            self.event.set()


async def refuse(workshop: Workshop, column: str) -> None:
    """Let the database refuse changes of one column of jobs, as a full disk would."""
    async with workshop.database.write() as connection:
        await connection.exec_driver_sql(
            f"CREATE TRIGGER refused BEFORE UPDATE OF {column} ON provisioner_jobs "
            "BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
        )


async def accept(workshop: Workshop) -> None:
    async with workshop.database.write() as connection:
        await connection.exec_driver_sql("DROP TRIGGER refused")


async def test_one_job_that_can_not_be_recovered_keeps_no_other_and_no_start_back(workshop: Workshop) -> None:
    template = await workshop.add_template()
    jobs: list[str] = []
    for name in ("one", "two"):
        await workshop.add_workspace(template, name, run=False)
        job = await workshop.services.job_runner.take()
        assert job is not None
        jobs.append(job.id)
    workshop.provisioner.directories.update({jobs[0]: b"one", jobs[1]: b"two", "lost+found": None})
    recover = workshop.provisioner.recover

    async def recover_or_fail(job_id: str, *, keep: bool = False) -> bytes | None:
        if job_id == jobs[0]:
            raise PermissionError("its process is another user's")
        if job_id == "lost+found":
            raise ProvisionError("no job's name")
        return await recover(job_id, keep=keep)

    runner = workshop.services.job_runner
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(workshop.provisioner), "recover", staticmethod(recover_or_fail))
        await runner.recovery.recover()

    ended = [await workshop.find_job(job_id) for job_id in jobs]
    assert [(job.status, job.error) for job in ended] == [(JobStatus.FAILED, KILLED_REASON)] * 2
    assert workshop.provisioner.directories == {jobs[0]: b"one", "lost+found": None}, "kept for the next start"


async def test_the_end_of_a_job_is_stored_once_the_database_takes_it(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_recovery, "RETRY_S", 0.001)
    version = await workshop.add_version(run=False)
    heard = Heard("can't be stored")
    logging.getLogger(job_recovery.__name__).addHandler(heard)
    try:
        await refuse(workshop, "completed_at")
        async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as tasks:
            running = tasks.create_task(workshop.run_next())
            await heard.event.wait()
            await accept(workshop)
            assert (await running).status is JobStatus.FAILED
    finally:
        logging.getLogger(job_recovery.__name__).removeHandler(heard)
    assert (await workshop.find_job(version["job"]["id"])).error


async def test_the_queue_outlives_a_database_that_refuses(workshop: Workshop) -> None:
    version = await workshop.add_version(run=False)
    heard = Heard("the queue can't be read")
    logging.getLogger(JobQueue.__module__).addHandler(heard)
    try:
        await refuse(workshop, "started_at")
        async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as tasks:
            queue = tasks.create_task(JobQueue(workshop.services.job_runner, workshop.pubsub, 1).run())
            await heard.event.wait()
            await accept(workshop)
            workshop.pubsub.publish(channels.JOBS)
            assert await workshop.provisioner.started.get() == version["job"]["id"]
            queue.cancel()
    finally:
        logging.getLogger(JobQueue.__module__).removeHandler(heard)


async def test_a_deletion_says_which_file_could_not_be_removed(workshop: Workshop) -> None:
    workspace = await workshop.add_workspace(await workshop.add_template())
    workshop.clear_error = PermissionError(13, "Permission denied", "/hosts/x/home/root.txt")
    failed = await workshop.add_build(workspace, "delete")
    assert "/hosts/x/home/root.txt" in failed["job"]["error"]
    assert failed["job"]["error"] in await workshop.read_log(failed["job"]["id"])


async def test_an_orphan_is_deleted_although_its_state_can_not_be_read(workshop: Workshop) -> None:
    workspace = await workshop.add_workspace(await workshop.add_template())
    async with workshop.database.write() as connection:
        await connection.exec_driver_sql("UPDATE workspace_builds SET state_sealed = x'00'")
    build = await workshop.add_build(workspace, "delete", who=workshop.owner, orphan=True)
    assert build["status"] == "deleted"
