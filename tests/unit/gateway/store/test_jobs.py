from __future__ import annotations

import asyncio

from genba_gateway.domain.jobs import Job, JobStatus
from genba_gateway.store import jobs as job_store
from tests.support.workshop import CEILING_S, UNKNOWN_ID, Workshop


async def take(workshop: Workshop, worker_id: str = "w") -> Job | None:
    async with workshop.database.write() as connection:
        return await job_store.take_next_job(connection, worker_id=worker_id, now=workshop.clock())


async def add(workshop: Workshop, count: int) -> list[str]:
    return [(await workshop.add_version(run=False))["job"]["id"] for _ in range(count)]


async def test_jobs_are_taken_once_each_oldest_first(workshop: Workshop) -> None:
    made = await add(workshop, 3)
    async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as tasks:
        taken = [tasks.create_task(take(workshop, f"w{number}")) for number in range(4)]
    jobs = [task.result() for task in taken]
    assert [job.id for job in jobs if job is not None] == made
    assert jobs[0] is not None
    assert (jobs[0].status, jobs[0].started_at, jobs[0].worker_id) == (JobStatus.RUNNING, workshop.clock(), "w0")


async def test_a_cancel_is_asked_once_and_not_of_what_has_ended(workshop: Workshop) -> None:
    (job_id,) = await add(workshop, 1)
    async with workshop.database.write() as connection:
        asked = [await job_store.request_cancel(connection, job_id, now=workshop.clock()) for _ in range(2)]
        ended = [await job_store.complete_job(connection, job_id, now=workshop.clock(), error=e) for e in ("a", "b")]
        asked.append(await job_store.request_cancel(connection, job_id, now=workshop.clock()))
    assert (asked, ended) == ([True, False, False], [True, False])
    job = await workshop.find_job(job_id)
    assert (job.status, job.error) == (JobStatus.CANCELED, "a")


async def test_unfinished_jobs_are_those_that_run(workshop: Workshop) -> None:
    made = await add(workshop, 3)
    await workshop.run_next()
    await take(workshop)
    async with workshop.database.read() as connection:
        unfinished = await job_store.list_unfinished_jobs(connection)
        places = await job_store.list_queue_places(connection)
        assert await job_store.find_job(connection, UNKNOWN_ID) is None
    assert [job.id for job in unfinished] == [made[1]]
    assert places == ({made[2]: 1}, 1)


async def test_variables_are_kept_sealed(workshop: Workshop) -> None:
    version = await workshop.add_version(run=False, user_variable_values=[{"name": "pw", "value": "s3cret"}])
    async with workshop.database.read() as connection:
        sealed = await job_store.get_variables(connection, version["job"]["id"])
    assert sealed is not None
    assert b"s3cret" not in sealed
    assert b"s3cret" in workshop.sealer.open(sealed)
