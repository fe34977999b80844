"""What one statement finds out about a session's key, user and agent."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from genba_gateway.domain.actors import AgentActor
from genba_gateway.domain.session_grants import GrantStanding, SessionGrant
from genba_gateway.store import tables
from genba_gateway.store.session_grants import find_standing
from tests.support.agent_rows import AgentRows, make_agent_spec, open_agent_rows


def grant_of(rows: AgentRows, agent: AgentActor) -> SessionGrant:
    return SessionGrant(rows.user.user_id, rows.user.key_id, agent.workspace_id, agent.agent_id, agent.build_id)


async def standing(rows: AgentRows, grant: SessionGrant) -> GrantStanding | None:
    async with rows.database.glance() as connection:
        return await find_standing(connection, grant)


async def change(rows: AgentRows, table: sa.Table, **values: object) -> None:
    async with rows.database.write() as connection:
        await connection.execute(table.update().values(**values))


async def test_all_that_a_session_hangs_on_is_found(tmp_path: Path) -> None:
    async with open_agent_rows(tmp_path) as rows:
        await rows.add_session(rows.user)
        agent = await rows.add_running_agent()
        found = await standing(rows, grant_of(rows, agent))
        assert found is not None
        assert (found.key_user_id, found.username) == (rows.user.user_id, rows.user.username)
        assert (found.owner_id, found.workspace_id) == (rows.user.user_id, agent.workspace_id)
        assert (found.build_id, found.is_current, found.newest_transition) == (agent.build_id, True, "start")
        assert (found.key_scope, found.user_status) == ("all", "active")
        assert found.key_expires_at is not None


async def test_a_newer_build_is_seen_with_what_it_does(tmp_path: Path) -> None:
    async with open_agent_rows(tmp_path) as rows:
        agent = await rows.add_running_agent()
        await rows.add_build(agent.workspace_id, 2, "stop")
        await rows.add_build(agent.workspace_id, 3, "start")
        await rows.add_build(agent.workspace_id, 4, "delete")
        found = await standing(rows, grant_of(rows, agent))
        assert found is not None
        assert (found.build_id, found.is_current, found.newest_transition) == (agent.build_id, False, "delete")


async def test_a_key_that_is_gone_leaves_the_rest(tmp_path: Path) -> None:
    async with open_agent_rows(tmp_path) as rows:
        agent = await rows.add_running_agent()
        found = await standing(rows, grant_of(rows, agent))
        assert found is not None
        assert (found.key_user_id, found.username, found.roles) == (None, None, ())
        assert found.is_current


async def test_a_user_who_was_deleted_is_no_user_and_a_suspended_one_is_seen_as_that(tmp_path: Path) -> None:
    async with open_agent_rows(tmp_path) as rows:
        await rows.add_session(rows.user)
        agent = await rows.add_running_agent()
        grant = grant_of(rows, agent)
        await change(rows, tables.users, status="suspended")
        suspended = await standing(rows, grant)
        assert suspended is not None
        assert suspended.user_status == "suspended"
        await change(rows, tables.users, deleted=True)
        deleted = await standing(rows, grant)
        assert deleted is not None
        assert (deleted.key_user_id, deleted.username) == (rows.user.user_id, None)


async def test_an_agent_that_is_unknown_or_of_an_import_has_no_standing(tmp_path: Path) -> None:
    async with open_agent_rows(tmp_path) as rows:
        agent = await rows.add_running_agent()
        grant = grant_of(rows, agent)
        unknown = SessionGrant(grant.user_id, grant.key_id, grant.workspace_id, "unknown", grant.build_id)
        assert await standing(rows, unknown) is None
        (imported,) = await rows.add_agents(await rows.add_resource(await rows.add_job()), [make_agent_spec()])
        of_import = SessionGrant(grant.user_id, grant.key_id, grant.workspace_id, imported, grant.build_id)
        assert await standing(rows, of_import) is None
