from __future__ import annotations

import asyncio

from genba_gateway.loops.job_queue import JobQueue
from tests.support.workshop import CEILING_S, Workshop


async def drain(workshop: Workshop) -> None:
    while not workshop.provisioner.started.empty():
        workshop.provisioner.started.get_nowait()


async def test_jobs_run_in_the_order_of_their_making_and_never_more_than_allowed_at_once(workshop: Workshop) -> None:
    template = await workshop.add_template()
    await drain(workshop)
    made = [
        (await workshop.add_workspace(template, f"w{number}", run=False))["latest_build"]["job"]["id"]
        for number in range(5)
    ]
    workshop.provisioner.hold()
    started: list[str] = []
    async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as tasks:
        queue = tasks.create_task(JobQueue(workshop.services.job_runner, workshop.pubsub, 2).run())
        started += [await workshop.provisioner.started.get() for _ in range(2)]
        places = [(await workshop.find_job(job_id)).queue_position for job_id in made]
        workshop.provisioner.release()
        started += [await workshop.provisioner.started.get() for _ in range(3)]
        queue.cancel()

    assert set(started[:2]) == set(made[:2])
    assert set(started) == set(made)
    assert places == [0, 0, 1, 2, 3]
    assert workshop.provisioner.most_running == 2


async def test_a_job_that_is_added_wakes_the_queue(workshop: Workshop) -> None:
    template = await workshop.add_template()
    await drain(workshop)
    async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as tasks:
        queue = tasks.create_task(JobQueue(workshop.services.job_runner, workshop.pubsub, 1).run())
        workspace = await workshop.add_workspace(template, run=False)
        assert await workshop.provisioner.started.get() == workspace["latest_build"]["job"]["id"]
        queue.cancel()


async def test_a_job_that_fails_gives_its_place_back(workshop: Workshop) -> None:
    workshop.provisioner.imported = RuntimeError("bug")
    first = await workshop.add_version(run=False)
    second = await workshop.add_version(run=False)
    async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as tasks:
        queue = tasks.create_task(JobQueue(workshop.services.job_runner, workshop.pubsub, 1).run())
        ids = [await workshop.provisioner.started.get() for _ in range(2)]
        queue.cancel()
    assert ids == [first["job"]["id"], second["job"]["id"]]


async def test_a_step_says_whether_there_was_a_job(workshop: Workshop) -> None:
    queue = JobQueue(workshop.services.job_runner, workshop.pubsub, 1)
    await workshop.add_version(run=False)
    async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as running:
        assert await queue.step(running)
        assert not await queue.step(running)
        assert not await queue.step(running), "an empty queue keeps no place"
