from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from genba_gateway.domain.provisioning import BuildResult
from genba_gateway.store import builds as build_store
from tests.support.workshop import UNKNOWN_ID, Workshop


async def test_the_latest_state_is_that_of_the_builds_before(workshop: Workshop) -> None:
    workshop.provisioner.answers.extend([BuildResult(b"one"), BuildResult(None), BuildResult(b"three")])
    workspace = await workshop.add_workspace(await workshop.add_template())
    for transition in ("stop", "start"):
        await workshop.add_build(workspace, transition)
    states: list[bytes | None] = []
    async with workshop.database.read() as connection:
        for number in (1, 2, 3, 4):
            sealed = await build_store.find_latest_state(connection, workspace["id"], before_number=number)
            states.append(workshop.sealer.open_compressed(sealed) if sealed else None)
    assert states == [None, b"one", b"one", b"three"]


async def test_a_build_number_is_used_once(workshop: Workshop) -> None:
    workspace = await workshop.add_workspace(await workshop.add_template())
    build = await workshop.services.builds.get(workshop.member.actor, workspace["latest_build"]["id"])
    with pytest.raises(IntegrityError):
        async with workshop.database.write() as connection:
            await build_store.insert_build(connection, replace(build, id=UNKNOWN_ID), state_sealed=None)


async def test_parameters_are_sealed_and_come_back_by_name(workshop: Workshop) -> None:
    workspace = await workshop.add_workspace(await workshop.add_template())
    build_id, values = workspace["latest_build"]["id"], {"b": "s3cret", "a": ""}
    async with workshop.database.write() as connection:
        await build_store.insert_build_parameters(connection, workshop.sealer, build_id, values)
        await build_store.insert_build_parameters(connection, workshop.sealer, build_id, {})
        query = "SELECT value_sealed FROM workspace_build_parameters"
        stored = (await connection.exec_driver_sql(query)).scalars().all()
    async with workshop.database.read() as connection:
        found = await build_store.list_build_parameters(connection, workshop.sealer, build_id)
    assert list(found.items()) == [("a", ""), ("b", "s3cret")]
    assert not any(b"s3cret" in each for each in stored)


async def test_waiting_workspaces_are_those_whose_build_waits(workshop: Workshop) -> None:
    template = await workshop.add_template()
    await workshop.add_workspace(template, "a")
    waiting = await workshop.add_workspace(template, "b", run=False)
    async with workshop.database.read() as connection:
        assert await build_store.list_waiting_workspaces(connection) == [waiting["id"]]
        assert await build_store.find_build(connection, UNKNOWN_ID) is None
        assert await build_store.find_build_of_job(connection, UNKNOWN_ID) is None
