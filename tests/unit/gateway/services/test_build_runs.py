"""Builds: what the provisioner is told, and what becomes of what it leaves."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import timedelta

import pytest

from genba_gateway.domain import channels
from genba_gateway.domain.provisioning import (
    BuildResult,
    ImportResult,
    ResourceSpec,
    TemplateParameter,
    TemplateVariable,
    Transition,
)
from tests.support.agent_rows import make_agent_spec
from tests.support.workshop import CEILING_S, REPLICA, Workshop

SECRET = TemplateVariable("token", value="s3cret", sensitive=True)


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
