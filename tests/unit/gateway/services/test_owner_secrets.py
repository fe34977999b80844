from __future__ import annotations

import pytest

from genba_gateway.errors import Unauthenticated
from genba_gateway.services.sessions import Sessions
from tests.support.workshop import Workshop

TOKEN = "CODER_WORKSPACE_OWNER_SESSION_TOKEN"


async def user_of(workshop: Workshop, token: str) -> str:
    sessions = Sessions(workshop.database, now=workshop.clock)
    return (await sessions.authenticate_user(token, "127.0.0.1", "test")).user_id


async def test_a_workspaces_token_lives_from_its_start_to_its_stop(workshop: Workshop) -> None:
    workspace = await workshop.add_workspace(await workshop.add_template())
    first = workshop.provisioner.builds[-1].environment[TOKEN]
    await workshop.add_build(workspace, "start")
    second = workshop.provisioner.builds[-1].environment[TOKEN]
    with pytest.raises(Unauthenticated, match="not known"):
        await user_of(workshop, first)
    await workshop.add_build(workspace, "stop")
    assert workshop.provisioner.builds[-1].environment[TOKEN] == ""
    with pytest.raises(Unauthenticated, match="not known"):
        await user_of(workshop, second)


async def test_an_orphans_token_ends_with_it(workshop: Workshop) -> None:
    workspace = await workshop.add_workspace(await workshop.add_template())
    token = workshop.provisioner.builds[-1].environment[TOKEN]
    assert await user_of(workshop, token) == workshop.member.user.id
    await workshop.add_build(workspace, "delete", who=workshop.owner, orphan=True)
    with pytest.raises(Unauthenticated, match="not known"):
        await user_of(workshop, token)


async def test_a_token_is_the_owners_whoever_builds(workshop: Workshop) -> None:
    workspace = await workshop.add_workspace(await workshop.add_template())
    await workshop.add_build(workspace, "start", who=workshop.owner)
    rows = await workshop.get(workshop.member, f"/workspaces/{workspace['id']}")
    assert rows.body["latest_build"]["initiator_name"] == "olga"
    async with workshop.database.read() as connection:
        query = "SELECT user_id, token_name FROM api_keys WHERE token_name <> ''"
        found = [tuple(row) for row in (await connection.exec_driver_sql(query)).all()]
    owner_id = workshop.member.user.id
    assert found == [(owner_id, f"{owner_id}_{workspace['id']}_session_token")]


async def test_the_ssh_key_is_the_same_for_all_builds_of_an_owner(workshop: Workshop) -> None:
    template = await workshop.add_template()
    await workshop.add_workspace(template, "a")
    await workshop.add_workspace(template, "b")
    keys = [
        tuple(each.environment[f"CODER_WORKSPACE_OWNER_SSH_{half}_KEY"] for half in ("PUBLIC", "PRIVATE"))
        for each in workshop.provisioner.builds
    ]
    assert keys[0] == keys[1]
    assert keys[0][0].startswith("ssh-")
    assert "PRIVATE KEY" in keys[0][1]
