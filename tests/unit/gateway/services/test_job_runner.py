"""Jobs from the queue to their end, whatever happens on the way."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import timedelta

import pytest

from genba_gateway.domain import channels
from genba_gateway.domain.jobs import JobStatus
from genba_gateway.domain.provisioning import (
    BuildResult,
    ImportResult,
    ResourceSpec,
    TemplateParameter,
    TemplateVariable,
    Transition,
)
from genba_gateway.errors import ConfigError, ProvisionError
from genba_gateway.services.job_recovery import KILLED_REASON
from tests.support.agent_rows import make_agent_spec
from tests.support.fake_provisioner import Breaks
from tests.support.workshop import ARCHIVE, CEILING_S, REPLICA, Workshop

GATEWAYS_FAULT = "The gateway failed to run this job; its log says why."
SECRET = TemplateVariable("token", value="s3cret", sensitive=True)


async def take(workshop: Workshop) -> str:
    job = await workshop.services.job_runner.take()
    assert job is not None
    return job.id


async def test_an_import_stores_what_the_template_contains(workshop: Workshop) -> None:
    start, stop = ResourceSpec("docker_container", "dev"), ResourceSpec("docker_volume", "home")
    workshop.provisioner.imported = ImportResult(
        (TemplateParameter("size"),), (SECRET,), (start, stop), (stop,), "# Hi"
    )
    version = await workshop.add_version(user_variable_values=[{"name": "token", "value": "s3cret"}])

    (request,) = workshop.provisioner.imports
    assert (request.archive, dict(request.variables)) == (ARCHIVE, {"token": "s3cret"})
    assert request.environment["CODER_WORKSPACE_OWNER"] == "olga"
    assert (version["job"]["status"], version["readme"]) == ("succeeded", "# Hi")
    resources = await workshop.services.template_versions.list_resources(workshop.owner.actor, version["id"])
    assert [(each.transition, each.name) for each in resources] == [
        ("start", "dev"),
        ("start", "home"),
        ("stop", "home"),
    ]
    variables = await workshop.services.template_versions.list_variables(workshop.owner.actor, version["id"])
    assert variables == [SECRET]
    assert workshop.provisioner.directories == {}


async def test_a_failed_import_says_why_in_its_row_and_in_its_log(workshop: Workshop) -> None:
    workshop.provisioner.imported = ProvisionError("main.tf has no brace.", code="REQUIRED_TEMPLATE_VARIABLES")
    version = await workshop.add_version()

    job = version["job"]
    assert (job["status"], job["error"]) == ("failed", "main.tf has no brace.")
    assert job["error_code"] == "REQUIRED_TEMPLATE_VARIABLES"
    assert await workshop.read_log(job["id"]) == ["working", "main.tf has no brace."]
    assert workshop.provisioner.directories == {}


async def test_a_build_is_told_who_what_and_with_which_values(workshop: Workshop) -> None:
    template = await workshop.add_template("docker", TemplateParameter("size", default_value="1", mutable=True))
    workspace = await workshop.add_workspace(template)
    build = await workshop.add_build(workspace, "start", rich_parameter_values=[{"name": "size", "value": "2"}])

    told = workshop.provisioner.builds[-1].environment
    key = hashlib.sha256(b"size").hexdigest()
    assert told[f"CODER_PARAMETER_{key}"] == "2"
    assert told[f"CODER_PARAMETER_PREVIOUS_{key}"] == "1"
    assert told["CODER_WORKSPACE_TRANSITION"] == "start"
    assert told["CODER_WORKSPACE_BUILD_ID"] == build["id"]
    assert told["CODER_WORKSPACE_NAME"] == "dev"
    assert told["CODER_WORKSPACE_OWNER_EMAIL"] == "mia@example.com"
    assert told["CODER_WORKSPACE_TEMPLATE_NAME"] == "docker"
    assert told["CODER_WORKSPACE_OWNER_SESSION_TOKEN"]
    assert build["job"]["worker_id"] == REPLICA


async def test_a_build_is_given_the_variables_of_its_version(workshop: Workshop) -> None:
    workshop.provisioner.imported = ImportResult((), (SECRET,), (), ())
    await workshop.add_workspace(await workshop.add_template())
    assert dict(workshop.provisioner.builds[0].variables) == {"token": "s3cret"}


async def test_each_build_goes_on_from_the_state_before_also_after_failures(workshop: Workshop) -> None:
    workshop.provisioner.answers.extend(
        [
            BuildResult(b"one"),
            BuildResult(b"half", error="apply failed"),
            BuildResult(None, error="no plan"),
            BuildResult(b"stopped"),
        ]
    )
    workspace = await workshop.add_workspace(await workshop.add_template())
    failed = await workshop.add_build(workspace, "stop")
    await workshop.add_build(workspace, "stop")
    stopped = await workshop.add_build(workspace, "stop")

    assert [request.state for request in workshop.provisioner.builds] == [None, b"one", b"half", b"half"]
    assert (failed["status"], failed["job"]["error"]) == ("failed", "apply failed")
    assert stopped["status"] == "stopped"
    assert workshop.provisioner.directories == {}


async def test_a_given_state_takes_the_place_of_the_former(workshop: Workshop) -> None:
    workspace = await workshop.add_workspace(await workshop.add_template())
    await workshop.add_build(workspace, "start", who=workshop.owner, state="bmV3")
    assert workshop.provisioner.builds[-1].state == b"new"


async def test_states_are_sealed_in_the_database(workshop: Workshop) -> None:
    workshop.provisioner.answers.append(BuildResult(b"password-in-state"))
    await workshop.add_workspace(await workshop.add_template())
    async with workshop.database.read() as connection:
        rows = await connection.exec_driver_sql("SELECT state_sealed FROM workspace_builds")
        (sealed,) = rows.scalars().all()
    assert b"password" not in sealed
    assert workshop.sealer.open_compressed(sealed) == b"password-in-state"


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


async def test_a_bug_in_an_import_fails_it(workshop: Workshop) -> None:
    workshop.provisioner.imported = ZeroDivisionError()
    job = (await workshop.add_version())["job"]
    assert (job["status"], job["error"]) == ("failed", GATEWAYS_FAULT)


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


async def test_a_host_that_could_not_be_cleared_fails_the_deletion_which_can_be_repeated(workshop: Workshop) -> None:
    workspace = await workshop.add_workspace(await workshop.add_template())
    workshop.clear_error = OSError("busy")
    workshop.provisioner.answers.append(BuildResult(b"empty"))
    failed = await workshop.add_build(workspace, "delete")
    workshop.clear_error = None
    await workshop.add_build(workspace, "delete")

    assert failed["status"] == "failed"
    assert workshop.provisioner.builds[-1].state == b"empty"
    assert workshop.cleared == [workspace["id"]]


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


async def test_a_running_import_is_canceled(workshop: Workshop) -> None:
    version = await workshop.add_version(run=False)
    workshop.provisioner.hold()
    async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(workshop.run_next())
        await workshop.provisioner.started.get()
        await workshop.services.template_versions.cancel(workshop.owner.actor, version["id"])
        assert (await running).status is JobStatus.CANCELED


async def test_a_cancel_between_taking_and_running_counts(workshop: Workshop) -> None:
    workspace = await workshop.add_workspace(await workshop.add_template(), run=False)
    job = await workshop.services.job_runner.take()
    assert job is not None
    await workshop.services.builds.cancel(workshop.member.actor, workspace["latest_build"]["id"])
    workshop.provisioner.hold()
    async with asyncio.timeout(CEILING_S):
        await workshop.services.job_runner.run(job)
    assert (await workshop.find_job(job.id)).status is JobStatus.CANCELED


async def test_agents_are_known_while_their_build_still_runs(workshop: Workshop) -> None:
    template = await workshop.add_template()
    spec = ResourceSpec("host", "dev", agents=(make_agent_spec(),))
    workshop.provisioner.early_resources = (spec,)
    workshop.provisioner.answers.append(BuildResult(b"s", resources=(spec,)))
    workspace = await workshop.add_workspace(template, run=False)
    workshop.provisioner.hold()

    async def agent_ids() -> list[str]:
        build = (await workshop.services.workspaces.get(workshop.member.actor, workspace["id"])).latest_build
        return [agent.id for resource in build.resources for agent in resource.agents]

    with workshop.pubsub.subscribe(channels.of_workspace(workspace["id"])) as subscription:
        async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as tasks:
            tasks.create_task(workshop.run_next())
            while not (early := await agent_ids()):
                await subscription.changed()
            workshop.provisioner.release()
    assert len(early) == 1
    assert await agent_ids() == early


async def test_a_deadline_is_set_when_a_start_has_completed(workshop: Workshop) -> None:
    template = await workshop.add_template(default_ttl_ms=60_000)
    workspace = await workshop.add_workspace(template, run=False)
    assert workspace["latest_build"]["deadline"] is None
    workshop.clock.move(100)
    await workshop.run_next()
    build = (await workshop.services.workspaces.get(workshop.member.actor, workspace["id"])).latest_build
    assert build.deadline == workshop.clock() + timedelta(minutes=1)


@pytest.mark.parametrize("result", [BuildResult(b"s", error="no"), BuildResult(b"s", canceled=True)])
async def test_only_a_deletion_that_succeeded_deletes(workshop: Workshop, result: BuildResult) -> None:
    workspace = await workshop.add_workspace(await workshop.add_template())
    workshop.provisioner.answers.append(result)
    await workshop.add_build(workspace, "delete")
    assert not (await workshop.services.workspaces.get(workshop.member.actor, workspace["id"])).deleted
    assert workshop.cleared == []


async def test_a_deletion_clears_the_host_and_frees_the_name(workshop: Workshop) -> None:
    template = await workshop.add_template()
    workspace = await workshop.add_workspace(template)
    build = await workshop.add_build(workspace, "delete")

    assert build["status"] == "deleted"
    assert workshop.provisioner.builds[-1].transition is Transition.DELETE
    assert workshop.cleared == [workspace["id"]]
    second = await workshop.add_workspace(template)
    assert (second["name"], second["id"] != workspace["id"]) == ("dev", True)
    assert workshop.provisioner.builds[-1].state is None


async def test_an_orphan_is_deleted_without_terraform(workshop: Workshop) -> None:
    workspace = await workshop.add_workspace(await workshop.add_template())
    builds_before = len(workshop.provisioner.builds)
    build = await workshop.add_build(workspace, "delete", who=workshop.owner, orphan=True)

    assert build["status"] == "deleted"
    assert len(workshop.provisioner.builds) == builds_before
    assert await workshop.read_log(build["job"]["id"]) == ["Orphaned: Terraform is not run, what it made stays."]


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
