"""The routes of when workspaces start by themselves (contract 2.6)."""

from __future__ import annotations

import sqlalchemy as sa

from genba_gateway.store import tables
from tests.support.workshop import UNKNOWN_ID, Workshop

SCHEDULE = "CRON_TZ=Europe/Vienna 30 9 * * 1-5"


async def test_a_schedule_is_kept_as_it_was_written_and_taken_back(workshop: Workshop) -> None:
    path = f"/workspaces/{(await workshop.add_workspace(await workshop.add_template()))['id']}"
    assert "next_start_at" not in (await workshop.get(workshop.member, path)).body
    assert (await workshop.call(workshop.member, "PUT", f"{path}/autostart", {"schedule": SCHEDULE})).status == 204
    body = (await workshop.get(workshop.member, path)).body
    assert body["autostart_schedule"] == SCHEDULE
    assert "next_start_at" in body
    assert (await workshop.get(workshop.member, f"{path}/resolve-autostart")).body == {"parameter_mismatch": False}
    for nothing in ({}, {"schedule": None}, {"schedule": ""}):
        assert (await workshop.call(workshop.member, "PUT", f"{path}/autostart", nothing)).status == 204
        assert "autostart_schedule" not in (await workshop.get(workshop.member, path)).body
    async with workshop.database.read() as connection:
        logs = tables.audit_logs
        query = sa.select(logs.c.additional_fields).where(logs.c.action == "write").order_by(logs.c.time)
        assert {"autostart_schedule": SCHEDULE} in (await connection.execute(query)).scalars().all()


async def test_what_is_refused(workshop: Workshop) -> None:
    path = f"/workspaces/{(await workshop.add_workspace(await workshop.add_template()))['id']}"
    bad = await workshop.call(workshop.member, "PUT", f"{path}/autostart", {"schedule": "at nine"})
    assert (bad.status, bad.fields) == (400, ["schedule"])
    bad = await workshop.call(workshop.member, "PUT", f"{path}/autostart", {"schedule": 9})
    assert (bad.status, bad.fields) == (400, ["schedule"])
    for method, part, body in (("PUT", "autostart", {"schedule": SCHEDULE}), ("GET", "resolve-autostart", None)):
        assert (await workshop.call(workshop.stranger, method, f"{path}/{part}", body)).status == 404
        assert (await workshop.call(None, method, f"{path}/{part}", body)).status == 401
        assert (await workshop.call(workshop.member, method, f"/workspaces/{UNKNOWN_ID}/{part}", body)).status == 404


async def test_a_workspace_is_made_with_a_schedule(workshop: Workshop) -> None:
    template, closed = await workshop.add_template(), await workshop.add_template("closed", allow_user_autostart=False)

    async def create(name: str, template_id: str, schedule: str) -> tuple[int, list[str]]:
        body = {"name": name, "template_id": template_id, "autostart_schedule": schedule}
        reply = await workshop.call(workshop.member, "POST", "/users/me/workspaces", body)
        if reply.status == 201:
            assert reply.body["autostart_schedule"] == schedule
            assert reply.body["next_start_at"] > reply.body["created_at"]
        return reply.status, reply.fields if reply.status != 201 else []

    assert await create("one", template["id"], SCHEDULE) == (201, [])
    assert await create("two", template["id"], "@hourly") == (400, ["autostart_schedule"])
    assert await create("three", closed["id"], SCHEDULE) == (400, ["autostart_schedule"])
