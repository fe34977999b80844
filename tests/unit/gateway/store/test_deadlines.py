from __future__ import annotations

from datetime import timedelta

from genba_gateway.domain.deadlines import RunningDeadline
from genba_gateway.domain.provisioning import BuildResult
from genba_gateway.store import builds as build_store
from genba_gateway.store import deadlines as deadline_store
from tests.support.workshop import Workshop

MINUTE = timedelta(minutes=1)


async def test_only_a_running_workspace_has_a_deadline_to_pass(workshop: Workshop) -> None:
    template = await workshop.add_template(default_ttl_ms=60_000, activity_bump_ms=120_000)
    workspace = await workshop.add_workspace(template)
    started = workshop.clock()
    async with workshop.database.read() as connection:
        found = await deadline_store.find_running_deadline(connection, workspace["id"])
        assert found == RunningDeadline(workspace["latest_build"]["id"], started + MINUTE, None, 120_000)
        assert await deadline_store.list_overdue_workspaces(connection, started + MINUTE / 2) == []
        assert await deadline_store.list_overdue_workspaces(connection, started + MINUTE) == [workspace["id"]]
    await workshop.add_build(workspace, "stop", run=False)
    async with workshop.database.read() as connection:
        assert await deadline_store.find_running_deadline(connection, workspace["id"]) is None
        assert await deadline_store.list_overdue_workspaces(connection, started + MINUTE) == []


async def test_the_longest_overdue_comes_first(workshop: Workshop) -> None:
    template = await workshop.add_template(default_ttl_ms=60_000)
    first, second = [await workshop.add_workspace(template, name) for name in ("one", "two")]
    async with workshop.database.write() as connection:
        values = {"deadline": workshop.clock() + 10 * MINUTE}
        await build_store.update_build(connection, first["latest_build"]["id"], values)
        overdue = await deadline_store.list_overdue_workspaces(connection, workshop.clock() + 20 * MINUTE)
    assert overdue == [second["id"], first["id"]]


async def test_failed_stops_in_a_row_are_counted_from_the_latest_build_back(workshop: Workshop) -> None:
    template = await workshop.add_template(default_ttl_ms=60_000)
    first, second = [await workshop.add_workspace(template, name) for name in ("one", "two")]
    failures = {first["id"]: 0, second["id"]: 0}
    for workspace in (first, second, second):
        workshop.clock.move(3600)
        workshop.provisioner.answers.append(BuildResult(state=b"kept", error="away"))
        assert await workshop.services.deadlines.stop_overdue(workspace["id"])
        await workshop.run_next()
        failures[workspace["id"]] += 1
    async with workshop.database.read() as connection:
        found = await deadline_store.list_failed_autostops(connection)
        (one,) = await deadline_store.list_failed_autostops(connection, second["id"])
    assert [(each.workspace_id, each.failures) for each in found] == list(failures.items())
    assert one == found[1]
    assert one.failed_at == workshop.clock()
