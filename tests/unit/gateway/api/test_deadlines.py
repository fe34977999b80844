"""The routes of when workspaces stop (contract 2.6)."""

from __future__ import annotations

from datetime import timedelta

from tests.support.workshop import UNKNOWN_ID, Workshop


async def test_the_deadline_of_a_workspace_is_set_and_put_off(workshop: Workshop) -> None:
    template = await workshop.add_template(default_ttl_ms=3_600_000)
    path = f"/workspaces/{(await workshop.add_workspace(template))['id']}"
    later = (workshop.clock() + timedelta(hours=5)).isoformat()
    assert (await workshop.call(workshop.member, "PUT", f"{path}/extend", {"deadline": later})).status == 200
    body = (await workshop.get(workshop.member, path)).body
    assert body["latest_build"]["deadline"].replace("Z", "+00:00") == later
    assert (await workshop.call(workshop.member, "PUT", f"{path}/ttl", {"ttl_ms": 7_200_000})).status == 204
    assert (await workshop.get(workshop.member, path)).body["ttl_ms"] == 7_200_000
    assert (await workshop.call(workshop.member, "PUT", f"{path}/ttl", {"ttl_ms": None})).status == 204
    assert "ttl_ms" not in (await workshop.get(workshop.member, path)).body


async def test_what_can_not_be_set(workshop: Workshop) -> None:
    path = f"/workspaces/{(await workshop.add_workspace(await workshop.add_template()))['id']}"

    async def put(what: str, **fields: object) -> tuple[int, list[str]]:
        reply = await workshop.call(workshop.member, "PUT", f"{path}/{what}", fields)
        return reply.status, reply.fields

    assert await put("ttl", ttl_ms=1) == (400, ["ttl_ms"])
    assert await put("ttl", ttl_ms=-60_000) == (400, ["ttl_ms"])
    assert await put("extend", deadline="9999-12-31T23:59:59-14:00") == (400, ["deadline"])
    assert await put("extend") == (400, ["deadline"])
    assert await put("extend", deadline="2999-12-31T23:59:59Z") == (409, [])
    unknown = await workshop.call(workshop.member, "PUT", f"/workspaces/{UNKNOWN_ID}/ttl", {"ttl_ms": 0})
    assert unknown.status == 404
