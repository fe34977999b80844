"""The routes of builds (contract 2.4, 2.6, 4.3)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from genba_gateway.domain.provisioning import (
    BuildResult,
    ImportResult,
    ResourceMetadataItem,
    ResourceSpec,
    TemplateParameter,
)
from tests.support.workshop import UNKNOWN_ID, Reply, Workshop

SIZE = TemplateParameter("size", type="number", default_value="1", mutable=True, validation_monotonic="increasing")
REGION = TemplateParameter("region", default_value="eu")
ONCE = TemplateParameter("once", default_value="no", mutable=True, ephemeral=True)


async def make(workshop: Workshop, *parameters: TemplateParameter) -> dict[str, Any]:
    return await workshop.add_workspace(await workshop.add_template("docker", *parameters))


async def build(workshop: Workshop, workspace: dict[str, Any], **fields: object) -> Reply:
    return await workshop.call(workshop.member, "POST", f"/workspaces/{workspace['id']}/builds", fields)


def given(**values: str) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in values.items()]


async def values_of(workshop: Workshop, build_id: str) -> dict[str, str]:
    reply = await workshop.get(workshop.member, f"/workspacebuilds/{build_id}/parameters")
    return {each["name"]: each["value"] for each in reply.body}


async def test_a_build_is_queued_and_its_status_told_with_the_reason(workshop: Workshop) -> None:
    workspace = await make(workshop)
    made = await build(workshop, workspace, transition="stop", reason="cli")
    assert (made.status, made.body["build_number"], made.body["status"]) == (201, 2, "pending")
    assert (made.body["reason"], made.body["initiator_name"]) == ("cli", "mia")
    assert made.body["status_reason"]
    await workshop.run_next()
    assert (await workshop.get(workshop.member, f"/workspacebuilds/{made.body['id']}")).body["status"] == "stopped"


async def test_one_build_at_a_time(workshop: Workshop) -> None:
    workspace = await make(workshop)
    assert (await build(workshop, workspace, transition="stop")).status == 201
    second = await build(workshop, workspace, transition="start")
    assert (second.status, "number 2" in second.body["message"]) == (409, True)
    await workshop.run_next()
    assert (await build(workshop, workspace, transition="start")).status == 201


async def test_of_two_builds_at_the_same_moment_one_is_made(workshop: Workshop) -> None:
    workspace = await make(workshop)
    async with asyncio.TaskGroup() as tasks:
        both = [tasks.create_task(build(workshop, workspace, transition="stop")) for _ in range(2)]
    assert sorted(each.result().status for each in both) == [201, 409]


@pytest.mark.parametrize(
    ("fields", "status", "named"),
    [
        ({"transition": "restart"}, 400, ["transition"]),
        ({}, 400, ["transition"]),
        ({"transition": "start", "reason": "whim"}, 400, ["reason"]),
        ({"transition": "start", "template_version_id": UNKNOWN_ID}, 400, ["template_version_id"]),
        ({"transition": "start", "state": "bmV3"}, 403, []),
        ({"transition": "start", "log_level": "debug"}, 403, []),
        ({"transition": "delete", "orphan": True}, 403, []),
        ({"transition": "start", "state": "not base64!"}, 400, ["state"]),
        ({"transition": "start", "state": "é"}, 400, ["state"]),
        ({"transition": "start", "rich_parameter_values": given(size="x")}, 400, ["size"]),
        ({"transition": "start", "rich_parameter_values": given(size="0")}, 400, ["size"]),
        ({"transition": "start", "rich_parameter_values": given(region="us")}, 400, ["region"]),
        ({"transition": "start", "rich_parameter_values": given(other="1")}, 400, ["other"]),
    ],
)
async def test_a_wrong_build_is_refused_and_leaves_nothing(
    workshop: Workshop, fields: dict[str, Any], status: int, named: list[str]
) -> None:
    workspace = await make(workshop, SIZE, REGION)
    reply = await build(workshop, workspace, **fields)
    assert (reply.status, reply.fields) == (status, named)
    assert len((await workshop.get(workshop.member, f"/workspaces/{workspace['id']}/builds")).body) == 1
    assert await workshop.services.job_runner.take() is None


async def test_an_orphan_is_a_deletion(workshop: Workshop) -> None:
    workspace = await make(workshop)
    body = {"transition": "stop", "orphan": True}
    assert (await workshop.call(workshop.owner, "POST", f"/workspaces/{workspace['id']}/builds", body)).status == 400


async def test_parameters_are_kept_between_builds_but_for_ephemeral_ones(workshop: Workshop) -> None:
    workspace = await make(workshop, SIZE, REGION, ONCE)
    second = await workshop.add_build(workspace, "start", rich_parameter_values=given(size="2", once="yes"))
    third = await workshop.add_build(workspace, "stop")
    assert await values_of(workshop, second["id"]) == {"size": "2", "region": "eu", "once": "yes"}
    assert await values_of(workshop, third["id"]) == {"size": "2", "region": "eu", "once": "no"}


async def test_a_deletion_is_not_held_up_by_parameters_of_a_newer_version(workshop: Workshop) -> None:
    workspace = await make(workshop, REGION)
    workshop.provisioner.imported = ImportResult((TemplateParameter("token", required=True),), (), (), ())
    version = await workshop.add_version(template_id=workspace["template_id"])
    start = await build(workshop, workspace, transition="start", template_version_id=version["id"])
    assert (start.status, start.fields) == (400, ["token"])
    assert (await build(workshop, workspace, transition="delete", template_version_id=version["id"])).status == 201


async def test_builds_are_listed_newest_first_in_pages(workshop: Workshop) -> None:
    workspace = await make(workshop)
    middle = await workshop.add_build(workspace, "stop")
    await workshop.add_build(workspace, "start")
    path = f"/workspaces/{workspace['id']}/builds"

    async def numbers(query: str) -> list[int]:
        return [each["build_number"] for each in (await workshop.get(workshop.member, path + query)).body]

    assert await numbers("") == [3, 2, 1]
    assert await numbers("?limit=1&offset=1") == [2]
    assert await numbers(f"?after_id={middle['id']}") == [1]
    assert await numbers(f"?since={middle['created_at']}") == [3]
    for query, field in (
        ("since=today", "since"),
        ("since=9999-12-31T23:59:59-14:00", "since"),
        ("since=2026-01-01T00:00:00", "since"),
        ("limit=x", "limit"),
    ):
        refused = await workshop.get(workshop.member, f"{path}?{query}")
        assert (refused.status, refused.fields) == (400, [field])
    by_number = "/users/me/workspace/dev/builds"
    assert (await workshop.get(workshop.member, f"{by_number}/2")).body["id"] == middle["id"]
    statuses = [(await workshop.get(workshop.member, f"{by_number}/{each}")).status for each in ("9", "x", "1" * 10)]
    assert statuses == [404, 400, 400]


async def test_resources_are_shown_without_sensitive_values(workshop: Workshop) -> None:
    template = await workshop.add_template()
    items = (ResourceMetadataItem("cpu", "2"), ResourceMetadataItem("pw", "s3cret", sensitive=True))
    spec = ResourceSpec("docker_container", "dev", daily_cost=3, metadata=items)
    workshop.provisioner.answers.append(BuildResult(b"", resources=(spec,)))
    latest = (await workshop.add_workspace(template))["latest_build"]
    (resource,) = (await workshop.get(workshop.member, f"/workspacebuilds/{latest['id']}/resources")).body
    assert latest["resources"] == [resource]
    assert latest["daily_cost"] == 3
    assert [(each["key"], each["value"], each["sensitive"]) for each in resource["metadata"]] == [
        ("cpu", "2", False),
        ("pw", "", True),
    ]


async def test_states_are_for_owners(workshop: Workshop) -> None:
    workshop.provisioner.answers.append(BuildResult(b"the state"))
    path = f"/workspacebuilds/{(await make(workshop))['latest_build']['id']}/state"
    assert (await workshop.get(workshop.owner, path)).body == b"the state"
    assert (await workshop.get(workshop.member, path)).status == 403
    assert (await workshop.get(workshop.stranger, path)).status == 404


async def test_a_build_is_canceled_once(workshop: Workshop) -> None:
    workspace = await make(workshop)
    waiting = (await build(workshop, workspace, transition="stop")).body
    path = f"/workspacebuilds/{waiting['id']}/cancel"
    assert (await workshop.call(workshop.stranger, "PATCH", path)).status == 404
    assert (await workshop.call(workshop.member, "PATCH", path)).status == 200
    assert (await workshop.get(workshop.member, f"/workspacebuilds/{waiting['id']}")).body["status"] == "canceled"
    assert (await workshop.call(workshop.member, "PATCH", path)).status == 400
    done = f"/workspacebuilds/{workspace['latest_build']['id']}/cancel"
    assert (await workshop.call(workshop.member, "PATCH", done)).status == 400


async def test_a_template_may_keep_users_from_canceling(workshop: Workshop) -> None:
    template = await workshop.add_template(allow_user_cancel_workspace_jobs=False)
    latest = (await workshop.add_workspace(template, run=False))["latest_build"]
    path = f"/workspacebuilds/{latest['id']}/cancel"
    assert (await workshop.call(workshop.member, "PATCH", path)).status == 403
    assert (await workshop.call(workshop.owner, "PATCH", path)).status == 200


@pytest.mark.parametrize("end", ["", "/parameters", "/resources", "/state", "/logs"])
async def test_builds_that_are_absent_hidden_or_misnamed(workshop: Workshop, end: str) -> None:
    build_id = (await make(workshop))["latest_build"]["id"]
    assert (await workshop.get(workshop.stranger, f"/workspacebuilds/{build_id}{end}")).status == 404
    assert (await workshop.get(workshop.member, f"/workspacebuilds/{UNKNOWN_ID}{end}")).status == 404
    assert (await workshop.get(workshop.member, f"/workspacebuilds/1{end}")).status == 400
    assert (await workshop.get(None, f"/workspacebuilds/{build_id}{end}")).status == 401
