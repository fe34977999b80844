"""The route by which clients say that a workspace is used (contract 2.6)."""

from __future__ import annotations

from tests.support.workshop import UNKNOWN_ID, Workshop


async def test_a_client_says_that_a_workspace_is_used(workshop: Workshop) -> None:
    path = f"/workspaces/{(await workshop.add_workspace(await workshop.add_template()))['id']}"
    used = (await workshop.get(workshop.member, path)).body["last_used_at"]
    workshop.clock.move(60)

    assert (await workshop.call(workshop.member, "POST", f"{path}/usage")).status == 204
    assert (await workshop.get(workshop.member, path)).body["last_used_at"] > used
    nothing = {"agent_id": "00000000-0000-0000-0000-000000000000", "app_name": ""}
    assert (await workshop.call(workshop.member, "POST", f"{path}/usage", nothing)).status == 204


async def test_what_is_refused(workshop: Workshop) -> None:
    path = f"/workspaces/{(await workshop.add_workspace(await workshop.add_template()))['id']}/usage"

    async def post(body: object) -> tuple[int, list[str]]:
        reply = await workshop.call(workshop.member, "POST", path, body)
        return reply.status, reply.fields

    assert await post({"agent_id": "x", "app_name": "ssh"}) == (400, ["agent_id"])
    assert await post({"agent_id": UNKNOWN_ID, "app_name": "emacs"}) == (400, ["app_name"])
    assert await post({"app_name": "ssh"}) == (400, ["agent_id"])
    assert await post({"agent_id": UNKNOWN_ID, "app_name": "ssh"}) == (404, [])
    assert (await workshop.call(workshop.stranger, "POST", path)).status == 404
