from __future__ import annotations

import uuid
from pathlib import Path

import sqlalchemy as sa

from genba_gateway.store import agent_stats as stats_store
from genba_gateway.store import tables
from tests.support.agent_rows import open_agent_rows


async def test_a_report_is_kept_under_the_workspaces_owner_and_template(tmp_path: Path) -> None:
    async with open_agent_rows(tmp_path) as rows:
        actor = await rows.add_running_agent()
        async with rows.database.write() as connection:
            for workspace_id in (actor.workspace_id, str(uuid.uuid4())):
                await stats_store.insert_stats(
                    connection,
                    agent_id=actor.agent_id,
                    workspace_id=workspace_id,
                    stats={"rx_bytes": 1},
                    now=rows.clock(),
                )
            [stored] = (await connection.execute(sa.select(tables.workspace_agent_stats))).mappings().all()

    assert (stored["user_id"], stored["template_id"]) == (rows.user.user_id, rows.template_id)
    assert (stored["stats"], stored["created_at"]) == ({"rx_bytes": 1}, rows.clock())
