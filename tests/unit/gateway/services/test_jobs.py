from __future__ import annotations

import asyncio

import pytest

from genba_gateway.domain.jobs import JobStatus
from genba_gateway.errors import BadRequest
from genba_gateway.services import jobs as jobs_module
from tests.support.workshop import CEILING_S, Workshop


async def follow(workshop: Workshop, job_id: str, after: int = 0) -> list[str]:
    return [line.output async for line in workshop.services.jobs.follow_logs(job_id, after=after)]


@pytest.mark.parametrize("lines", [0, 1, 50])
async def test_a_follower_gets_every_line_until_the_job_has_ended(workshop: Workshop, lines: int) -> None:
    version = await workshop.add_version(run=False)
    expected = tuple(f"line {number}" for number in range(lines))
    workshop.provisioner.lines = expected
    async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as tasks:
        follower = tasks.create_task(follow(workshop, version["job"]["id"]))
        tasks.create_task(workshop.run_next())
    assert tuple(follower.result()) == expected


async def test_all_lines_are_there_when_the_job_is_marked_as_ended(workshop: Workshop) -> None:
    """A client that saw the end reads the log once, so a line that comes later would be lost for it."""
    for _ in range(10):
        version = await workshop.add_version(run=False)
        job = await workshop.services.job_runner.take()
        assert job is not None
        seen: list[list[str]] = []

        async def watch(job_id: str = version["job"]["id"], seen: list[list[str]] = seen) -> None:
            while (await workshop.find_job(job_id)).completed_at is None:  # noqa: ASYNC110  # the row alone is the event
                await asyncio.sleep(0)
            seen.append(await workshop.read_log(job_id))

        async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as tasks:
            tasks.create_task(watch())
            await workshop.services.job_runner.run(job)
        assert seen == [["working"]]


async def test_a_follower_reads_in_pages_and_from_where_it_was(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs_module, "PAGE_LINES", 3)
    workshop.provisioner.lines = tuple("abcdefg")
    job_id = (await workshop.add_version())["job"]["id"]
    assert await follow(workshop, job_id) == list("abcdefg")
    assert await follow(workshop, job_id, after=6) == ["g"]
    assert await follow(workshop, job_id, after=7) == []
    lines = await workshop.services.jobs.list_logs(job_id, after=2, before=5)
    assert [(line.id, line.output) for line in lines] == [(3, "c"), (4, "d")]


async def test_a_log_is_read_in_pages_too(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs_module, "PAGE_LINES", 3)
    workshop.provisioner.lines = tuple("abcdef")
    job_id = (await workshop.add_version())["job"]["id"]
    jobs = workshop.services.jobs
    assert [len(page) async for page in jobs.read_logs(job_id)] == [3, 3]
    assert [len(page) async for page in jobs.read_logs(job_id, before=6)] == [3, 2]
    assert [len(page) async for page in jobs.read_logs(job_id, after=6)] == []


async def test_a_job_is_canceled_once(workshop: Workshop) -> None:
    jobs, job_id = workshop.services.jobs, (await workshop.add_version(run=False))["job"]["id"]
    job = await workshop.services.job_runner.take()
    assert job is not None
    await jobs.cancel(job, workshop.owner.actor, ("template_version", "", ""))
    canceling = await workshop.find_job(job_id)
    assert canceling.status is JobStatus.CANCELING
    with pytest.raises(BadRequest, match="already"):
        await jobs.cancel(canceling, workshop.owner.actor, ("template_version", "", ""))
    with pytest.raises(BadRequest, match="already"):
        await jobs.cancel(job, workshop.owner.actor, ("template_version", "", ""))


async def test_a_job_that_ended_meanwhile_is_not_canceled(workshop: Workshop) -> None:
    version = await workshop.add_version(run=False)
    waiting = await workshop.find_job(version["job"]["id"])
    ended = await workshop.run_next()
    for stale in (waiting, ended):
        with pytest.raises(BadRequest, match="already"):
            await workshop.services.jobs.cancel(stale, workshop.owner.actor, ("template_version", "", ""))
    assert (await workshop.find_job(ended.id)).status is JobStatus.SUCCEEDED


async def test_places_in_the_queue_count_from_one(workshop: Workshop) -> None:
    ids = [(await workshop.add_version(run=False))["job"]["id"] for _ in range(3)]
    jobs = [await workshop.find_job(job_id) for job_id in ids]
    assert [(job.queue_position, job.queue_size) for job in jobs] == [(1, 3), (2, 3), (3, 3)]
    await workshop.services.jobs.cancel(jobs[0], workshop.owner.actor, ("template_version", "", ""))
    left = [await workshop.find_job(job_id) for job_id in ids]
    assert [(job.queue_position, job.queue_size) for job in left] == [(0, 2), (1, 2), (2, 2)]
