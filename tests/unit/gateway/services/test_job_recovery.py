"""Jobs that broke off: the states that they left are found, whatever happens."""

from __future__ import annotations

import pytest

from genba_gateway.domain.jobs import JobStatus
from genba_gateway.services.job_recovery import KILLED_REASON
from tests.support.fake_provisioner import Breaks
from tests.support.workshop import Workshop

GATEWAYS_FAULT = "The gateway failed to run this job; its log says why."


async def take(workshop: Workshop) -> str:
    job = await workshop.services.job_runner.take()
    assert job is not None
    return job.id


async def test_a_state_that_could_not_be_read_is_found_at_the_next_start(workshop: Workshop) -> None:
    workshop.provisioner.answers.append(Breaks(RuntimeError("bug"), left=b"left"))
    workshop.provisioner.recover_error = OSError("disk")
    workspace = await workshop.add_workspace(await workshop.add_template())
    assert workspace["latest_build"]["status"] == "failed"
    workshop.provisioner.recover_error = None

    await workshop.services.job_runner.recovery.recover()
    again = await workshop.add_build(workspace, "start")

    assert workshop.provisioner.builds[-1].state == b"left"
    assert again["status"] == "running"
    assert (await workshop.find_job(workspace["latest_build"]["job"]["id"])).error == GATEWAYS_FAULT


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_state_that_can_not_be_read_keeps_later_builds_back_until_it_can(
    workshop: Workshop, restarted: bool
) -> None:
    workshop.provisioner.answers.append(Breaks(RuntimeError("bug"), left=b"left"))
    workshop.provisioner.recover_error = OSError("disk")
    workspace = await workshop.add_workspace(await workshop.add_template())
    job_id = workspace["latest_build"]["job"]["id"]
    if restarted:
        await workshop.services.job_runner.recovery.recover()
    built = len(workshop.provisioner.builds)

    refused = await workshop.add_build(workspace, "start")
    assert refused["status"] == "failed"
    assert "can't be read (disk)" in refused["job"]["error"]
    assert job_id in refused["job"]["error"]
    assert len(workshop.provisioner.builds) == built, "on the state before, all would be made twice"

    workshop.provisioner.recover_error = None
    assert (await workshop.add_build(workspace, "start"))["status"] == "running"
    assert workshop.provisioner.builds[-1].state == b"left"
    assert job_id not in workshop.provisioner.directories


async def test_after_a_crash_unfinished_jobs_fail_and_their_states_are_kept(workshop: Workshop) -> None:
    template = await workshop.add_template()
    workspace = await workshop.add_workspace(template, run=False)
    waiting = await workshop.add_workspace(template, "later", run=False)
    job_id = await take(workshop)
    workshop.provisioner.directories[job_id] = b"half"

    await workshop.services.job_runner.recovery.recover()

    assert workshop.provisioner.directories == {}
    job = await workshop.find_job(job_id)
    assert (job.status, job.error) == (JobStatus.FAILED, KILLED_REASON)
    await workshop.run_next()
    assert (await workshop.find_job(waiting["latest_build"]["job"]["id"])).status is JobStatus.SUCCEEDED
    await workshop.add_build(workspace, "delete")
    assert workshop.provisioner.builds[-1].state == b"half"


async def test_after_a_crash_in_an_import_its_version_has_failed(workshop: Workshop) -> None:
    version = await workshop.add_version(run=False)
    workshop.provisioner.directories[await take(workshop)] = None
    await workshop.services.job_runner.recovery.recover()
    job = await workshop.find_job(version["job"]["id"])
    assert job.status is JobStatus.FAILED
    assert workshop.provisioner.directories == {}


async def test_directories_of_jobs_that_ended_are_removed_and_ends_are_kept(workshop: Workshop) -> None:
    workspace = await workshop.add_workspace(await workshop.add_template())
    job_id = workspace["latest_build"]["job"]["id"]
    workshop.provisioner.directories.update({job_id: job_id.encode(), "unknown": b"x"})
    await workshop.services.job_runner.recovery.recover()
    assert workshop.provisioner.directories == {"unknown": b"x"}, "it may be another database's only copy of a state"
    assert (await workshop.find_job(job_id)).status is JobStatus.SUCCEEDED
