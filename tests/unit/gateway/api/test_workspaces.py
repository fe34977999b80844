"""The routes of workspaces (contract 2.3, 2.6, 4.3)."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from quart.testing.connections import WebsocketDisconnectError, WebsocketResponseError

from genba_gateway.domain.deadlines import MAX_TTL_MS, MIN_TTL_MS
from genba_gateway.domain.provisioning import BuildResult, ResourceSpec, TemplateParameter
from tests.support.agent_rows import make_agent_spec
from tests.support.workshop import CEILING_S, UNKNOWN_ID, Workshop

MINE = "/users/me/workspaces"
HIDDEN = {"message": "Resource not found or you do not have access to it."}


async def test_a_workspace_begins_with_a_start_that_waits(workshop: Workshop) -> None:
    template = await workshop.add_template(default_ttl_ms=3_600_000)
    made = await workshop.call(workshop.member, "POST", MINE, {"name": "dev", "template_id": template["id"]})
    body, build = made.body, made.body["latest_build"]
    assert (made.status, body["name"], body["owner_name"], body["template_name"]) == (201, "dev", "mia", "docker")
    assert (body["ttl_ms"], body["outdated"], body["automatic_updates"]) == (3_600_000, False, "never")
    assert (build["build_number"], build["transition"], build["status"]) == (1, "start", "pending")
    assert (build["reason"], build["job"]["status"], build["job"]["queue_position"]) == ("initiator", "pending", 1)
    await workshop.run_next()
    assert (await workshop.get(workshop.member, f"/workspaces/{body['id']}")).body["latest_build"][
        "status"
    ] == "running"


@pytest.mark.parametrize(
    ("change", "status", "fields"),
    [
        ({"name": "a b"}, 400, ["name"]),
        ({"name": "new"}, 400, ["name"]),
        ({"name": "x" * 32}, 201, []),
        ({"name": "x" * 33}, 400, ["name"]),
        ({"name": 5}, 400, ["name"]),
        ({"ttl_ms": 0}, 201, []),
        ({"ttl_ms": MIN_TTL_MS - 1}, 400, ["ttl_ms"]),
        ({"ttl_ms": MIN_TTL_MS}, 201, []),
        ({"ttl_ms": MAX_TTL_MS}, 201, []),
        ({"ttl_ms": MAX_TTL_MS + 1}, 400, ["ttl_ms"]),
        ({"autostart_schedule": "0 9 1 * *"}, 400, ["autostart_schedule"]),
        ({"automatic_updates": "sometimes"}, 400, ["automatic_updates"]),
        ({"automatic_updates": "always"}, 201, []),
        ({"template_id": ""}, 400, ["template_id"]),
        ({"template_version_id": UNKNOWN_ID}, 400, ["template_id"]),
        ({"template_id": UNKNOWN_ID}, 404, []),
        ({"rich_parameter_values": [{"name": "size", "value": "9"}]}, 201, []),
        ({"rich_parameter_values": [{"name": "size", "value": "much"}]}, 400, ["size"]),
        ({"rich_parameter_values": [{"name": "colour", "value": "red"}]}, 400, ["colour"]),
    ],
)
async def test_a_new_workspace_is_checked(
    workshop: Workshop, change: dict[str, Any], status: int, fields: list[str]
) -> None:
    template = await workshop.add_template("docker", TemplateParameter("size", type="number", default_value="1"))
    reply = await workshop.call(workshop.member, "POST", MINE, {"name": "dev", "template_id": template["id"], **change})
    assert (reply.status, reply.fields) == (status, fields)
    listed = (await workshop.get(workshop.member, "/workspaces")).body
    assert listed["count"] == (1 if status == 201 else 0), "what was refused left nothing"


async def test_names_are_taken_by_their_owner_only(workshop: Workshop) -> None:
    template = await workshop.add_template()
    await workshop.add_workspace(template, "dev")
    body = {"name": "DEV", "template_id": template["id"]}
    again = await workshop.call(workshop.member, "POST", MINE, body)
    assert (again.status, again.fields) == (409, ["name"])
    assert (await workshop.call(workshop.stranger, "POST", MINE, body)).status == 201


async def test_workspaces_are_made_for_others_by_owners_only(workshop: Workshop) -> None:
    body = {"name": "dev", "template_id": (await workshop.add_template())["id"]}
    for path in ("/users/mia/workspaces", "/organizations/default/members/mia/workspaces"):
        assert (await workshop.call(workshop.stranger, "POST", path, body)).status == 404
    made = await workshop.call(workshop.owner, "POST", "/users/mia/workspaces", body)
    assert (made.status, made.body["owner_name"]) == (201, "mia")


async def test_versions_that_cannot_be_built_and_templates_that_are_gone(workshop: Workshop) -> None:
    template = await workshop.add_template()
    pending = await workshop.add_version(template_id=template["id"], run=False)
    body = {"name": "dev", "template_version_id": pending["id"]}
    assert (await workshop.call(workshop.member, "POST", MINE, body)).status == 400
    path = f"/templates/{template['id']}"
    body = {"name": "dev", "template_id": template["id"]}
    await workshop.call(workshop.owner, "PATCH", path, {"deprecation_message": "old"})
    assert (await workshop.call(workshop.member, "POST", MINE, body)).status == 400
    await workshop.call(workshop.owner, "DELETE", path)
    assert (await workshop.call(workshop.member, "POST", MINE, body)).status == 404


async def test_others_workspaces_are_hidden_as_if_absent(workshop: Workshop) -> None:
    workspace = await workshop.add_workspace(await workshop.add_template())
    number = "/users/mia/workspace/dev/builds/1"
    for path in (f"/workspaces/{workspace['id']}", "/users/mia/workspace/dev", number,
                 f"/workspaces/{workspace['id']}/builds", f"/workspaces/{workspace['id']}/watch"):  # fmt: skip
        hidden = await workshop.get(workshop.stranger, path)
        assert (hidden.status, hidden.body) == (404, HIDDEN), path
    for method, path, body in (
        ("PATCH", f"/workspaces/{workspace['id']}", {"name": "mine"}),
        ("POST", f"/workspaces/{workspace['id']}/builds", {"transition": "delete"}),
    ):
        hidden = await workshop.call(workshop.stranger, method, path, body)
        assert (hidden.status, hidden.body) == (404, HIDDEN)
    assert (await workshop.get(workshop.stranger, "/workspaces")).body == {"workspaces": [], "count": 0}
    assert (await workshop.get(workshop.owner, f"/workspaces/{workspace['id']}")).status == 200
    assert (await workshop.get(workshop.owner, "/workspaces")).body["count"] == 1


async def test_ids_and_names_that_are_wrong(workshop: Workshop) -> None:
    assert (await workshop.get(workshop.member, f"/workspaces/{UNKNOWN_ID}")).body == HIDDEN
    bad = await workshop.get(workshop.member, "/workspaces/1")
    assert (bad.status, bad.fields) == (400, ["workspace"])
    assert (await workshop.get(workshop.member, "/users/me/workspace/none")).status == 404


async def test_a_deleted_workspace_is_gone_unless_asked_for(workshop: Workshop) -> None:
    workspace = await workshop.add_workspace(await workshop.add_template())
    await workshop.add_build(workspace, "delete")
    path = f"/workspaces/{workspace['id']}"
    assert (await workshop.get(workshop.member, path)).status == 410
    assert (await workshop.get(workshop.stranger, path)).status == 404
    assert (await workshop.get(workshop.member, f"{path}?include_deleted=true")).body["latest_build"][
        "status"
    ] == "deleted"
    assert (await workshop.get(workshop.member, "/users/me/workspace/dev")).status == 404
    assert (await workshop.get(workshop.member, "/users/me/workspace/dev?include_deleted=true")).status == 200
    assert (await workshop.get(workshop.member, "/workspaces")).body["count"] == 0
    assert (await workshop.call(workshop.member, "PATCH", path, {"name": "x"})).status == 405
    assert (await workshop.call(workshop.member, "POST", f"{path}/builds", {"transition": "start"})).status == 404


async def test_a_workspace_is_renamed(workshop: Workshop) -> None:
    template = await workshop.add_template()
    path = f"/workspaces/{(await workshop.add_workspace(template))['id']}"
    await workshop.add_workspace(template, "taken")

    async def rename(name: str) -> int:
        return (await workshop.call(workshop.member, "PATCH", path, {"name": name})).status

    assert [await rename(name) for name in ("dev", "", "Dev", "other", "a_b", "taken")] == [
        204,
        204,
        204,
        204,
        400,
        409,
    ]
    assert (await workshop.get(workshop.member, path)).body["name"] == "other"


async def test_the_list_is_searched_paged_and_ordered(workshop: Workshop) -> None:
    docker, host = await workshop.add_template(), await workshop.add_template("host")
    stopped = await workshop.add_workspace(docker, "alpha")
    await workshop.add_build(stopped, "stop")
    await workshop.add_workspace(docker, "beta")
    await workshop.add_workspace(host, "gamma", who=workshop.stranger)
    await workshop.add_version(template_id=host["id"], name="v9")
    versions = (await workshop.get(workshop.owner, f"/templates/{host['id']}/versions")).body
    await workshop.call(workshop.owner, "PATCH", f"/templates/{host['id']}/versions", {"id": versions[-1]["id"]})
    workshop.provisioner.answers.append(BuildResult(b"", error="no"))
    await workshop.add_workspace(docker, "delta")
    await workshop.add_workspace(docker, "omega", run=False)

    async def names(query: str) -> list[str]:
        found = (await workshop.get(workshop.owner, f"/workspaces?{query}")).body
        return [each["name"] for each in found["workspaces"]]

    assert await names("") == ["beta", "gamma", "alpha", "delta", "omega"]
    assert await names("q=status:running") == ["beta", "gamma"]
    assert await names("q=status:stopped") == ["alpha"]
    assert await names("q=status:failed") == ["delta"]
    assert await names("q=status:pending") == ["omega"]
    assert await names("q=template:host") == ["gamma"]
    assert await names("q=owner:sven") == ["gamma"]
    assert await names("q=owner:me") == []
    assert await names("q=mia/beta") == ["beta"]
    assert await names("q=name:ET") == ["beta"]
    assert await names("q=outdated:true") == ["gamma"]
    assert await names(f"q=id:{stopped['id']}") == ["alpha"]
    assert await names("q=organization:coder%20gamma") == ["gamma"]
    assert await names("limit=2&offset=1") == ["gamma", "alpha"]
    assert (await workshop.get(workshop.owner, "/workspaces?limit=2")).body["count"] == 5


async def test_workspaces_are_found_by_agents_and_parameters(workshop: Workshop) -> None:
    template = await workshop.add_template("docker", TemplateParameter("size", default_value="XL"))
    await workshop.add_workspace(template, "bare")
    spec = ResourceSpec("host", "dev", agents=(make_agent_spec(),))
    workshop.provisioner.answers.append(BuildResult(b"", resources=(spec,)))
    await workshop.add_workspace(template, "agent")

    async def names(query: str) -> list[str]:
        found = (await workshop.get(workshop.member, f"/workspaces?{query}")).body
        assert found["count"] >= len(found["workspaces"])
        return [each["name"] for each in found["workspaces"]]

    assert await names("q=has-agent:connecting") == ["agent"]
    assert await names("q=has-agent:connected") == []
    assert await names("q=param:size") == ["agent", "bare"]
    assert await names("q=param:size=xl&limit=1&offset=1") == ["bare"]
    assert await names("q=param:size=s") == []


@pytest.mark.parametrize(("query", "field"), [("color:red", "color"), ("status:happy", "status"), ("a:b:c", "q")])
async def test_a_search_that_is_not_understood_is_refused(workshop: Workshop, query: str, field: str) -> None:
    reply = await workshop.get(workshop.member, f"/workspaces?q={query}")
    assert (reply.status, reply.fields) == (400, [field])


async def test_a_watch_gives_whole_workspaces_until_the_deletion(workshop: Workshop) -> None:
    workspace = await workshop.add_workspace(await workshop.add_template())
    path = f"/workspaces/{workspace['id']}/watch-ws"
    seen: list[str] = []
    async with asyncio.timeout(CEILING_S), workshop.websocket(path, workshop.member.headers) as socket:
        with pytest.raises(WebsocketDisconnectError) as closed:
            while True:
                event = json.loads(await socket.receive())
                assert event["type"] == "data"
                assert event["data"]["id"] == workspace["id"]
                status = event["data"]["latest_build"]["status"]
                if not seen:
                    await workshop.add_build(workspace, "delete")
                seen.append(status)
    assert (seen[0], seen[-1], closed.value.args) == ("running", "deleted", (1000,))


async def test_an_event_stream_begins_with_a_ping_and_ends_with_the_deletion(workshop: Workshop) -> None:
    workspace = await workshop.add_workspace(await workshop.add_template())
    client: Any = workshop.app.test_client()
    path = f"/api/v2/workspaces/{workspace['id']}/watch"
    async with asyncio.timeout(CEILING_S), client.request(path, headers=workshop.member.headers) as connection:
        await connection.send_complete()
        received = await connection.receive()
        while b"\n\n" not in received.partition(b"\n\n")[2]:
            received += await connection.receive()
        await workshop.add_build(workspace, "delete")
        while b'"status":"deleted"' not in received:
            received += await connection.receive()
    assert received.startswith(b"event: ping\n\nevent: data\ndata: {")
    assert connection.headers["Content-Type"].startswith("text/event-stream")


async def test_a_hidden_workspace_cannot_be_watched(workshop: Workshop) -> None:
    workspace = await workshop.add_workspace(await workshop.add_template())
    async with workshop.websocket(f"/workspaces/{workspace['id']}/watch-ws", workshop.stranger.headers) as socket:
        with pytest.raises(WebsocketResponseError) as refused:
            await socket.receive()
    assert refused.value.response.status_code == 404
