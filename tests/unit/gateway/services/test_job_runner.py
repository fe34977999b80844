"""Jobs from the queue to their end, whatever happens on the way."""

from __future__ import annotations

import asyncio

import pytest

from genba_gateway.domain import channels
from genba_gateway.domain.jobs import JobStatus
from genba_gateway.errors import ConfigError
from tests.support.fake_provisioner import Breaks
from tests.support.workshop import CEILING_S, Workshop

GATEWAYS_FAULT = "The gateway failed to run this job; its log says why."


async def take(workshop: Workshop) -> str:
    job = await workshop.services.job_runner.take()
    assert job is not None
    return job.id


@pytest.mark.parametrize("error", [RuntimeError("bug"), ConfigError("no such key")])
async def test_a_bug_in_the_provisioner_fails_the_job_and_keeps_state_and_log(
    workshop: Workshop, error: Exception
) -> None:
    workshop.provisioner.answers.append(Breaks(error, left=b"left"))
    workspace = await workshop.add_workspace(await workshop.add_template())

    job = workspace["latest_build"]["job"]
    assert job["status"] == "failed"
    assert job["error"] == (GATEWAYS_FAULT if isinstance(error, RuntimeError) else "no such key")
    assert await workshop.read_log(job["id"]) == ["working"]
    assert workshop.provisioner.directories == {}
    await workshop.add_build(workspace, "delete")
    assert workshop.provisioner.builds[-1].state == b"left"


async def test_a_job_canceled_while_it_waits_never_runs(workshop: Workshop) -> None:
    workspace = await workshop.add_workspace(await workshop.add_template(), run=False)
    await workshop.services.builds.cancel(workshop.member.actor, workspace["latest_build"]["id"])

    job = await workshop.find_job(workspace["latest_build"]["job"]["id"])
    assert job.status is JobStatus.CANCELED
    assert await workshop.services.job_runner.take() is None
    assert workshop.provisioner.builds == []


async def test_a_running_build_is_canceled_and_what_it_made_is_kept(workshop: Workshop) -> None:
    workspace = await workshop.add_workspace(await workshop.add_template())
    build = await workshop.add_build(workspace, "stop", run=False)
    workshop.provisioner.hold()
    before = workshop.provisioner.builds[-1]
    async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as tasks:
        while not workshop.provisioner.started.empty():
            workshop.provisioner.started.get_nowait()
        running = tasks.create_task(workshop.run_next())
        await workshop.provisioner.started.get()
        await workshop.services.builds.cancel(workshop.member.actor, build["id"])
        asked = await workshop.find_job(build["job"]["id"])
        ended = await running

    assert asked.canceled_at is not None
    assert ended.status is JobStatus.CANCELED
    workshop.provisioner.release()
    await workshop.add_build(workspace, "start")
    assert workshop.provisioner.builds[-1].state == before.job_id.encode()


async def test_a_cancel_between_taking_and_running_counts(workshop: Workshop) -> None:
    workspace = await workshop.add_workspace(await workshop.add_template(), run=False)
    job = await workshop.services.job_runner.take()
    assert job is not None
    await workshop.services.builds.cancel(workshop.member.actor, workspace["latest_build"]["id"])
    workshop.provisioner.hold()
    async with asyncio.timeout(CEILING_S):
        await workshop.services.job_runner.run(job)
    assert (await workshop.find_job(job.id)).status is JobStatus.CANCELED


async def test_the_end_of_a_job_is_told_to_those_who_watch_its_workspace(workshop: Workshop) -> None:
    workspace = await workshop.add_workspace(await workshop.add_template(), run=False)
    job_id = await take(workshop)
    job = await workshop.find_job(job_id)
    with (
        workshop.pubsub.subscribe(channels.of_workspace(workspace["id"])) as of_workspace,
        workshop.pubsub.subscribe(channels.of_job(job_id)) as of_job,
    ):
        await workshop.services.job_runner.run(job)
        assert await of_workspace.changed(0)
        assert await of_job.changed(0)


async def test_a_gateway_that_stops_leaves_the_job_to_the_next_start(workshop: Workshop) -> None:
    await workshop.add_workspace(await workshop.add_template(), run=False)
    while not workshop.provisioner.started.empty():
        workshop.provisioner.started.get_nowait()
    workshop.provisioner.hold()
    async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(workshop.run_next())
        job_id = await workshop.provisioner.started.get()
        running.cancel()
    assert (await workshop.find_job(job_id)).status is JobStatus.RUNNING
    await workshop.services.job_runner.recovery.recover()
    assert (await workshop.find_job(job_id)).status is JobStatus.FAILED
