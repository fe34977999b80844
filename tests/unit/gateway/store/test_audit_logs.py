from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from genba_gateway.store import tables
from genba_gateway.store.audit_logs import insert_audit_log
from tests.support.database import make_database

NOW = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)


async def test_a_row_says_who_did_what_to_which_thing(tmp_path: Path) -> None:
    database = await make_database(tmp_path)
    async with database.write() as connection:
        for fields in (None, {"why": "because"}):
            await insert_audit_log(
                connection,
                now=NOW,
                user_id=None,
                organization_id=None,
                action="login",
                resource_type="api_key",
                resource_id="1",
                resource_target="alice",
                ip_address="10.0.0.1",
                user_agent="curl",
                status_code=401,
                additional_fields=fields,
            )
        rows = (await connection.execute(sa.select(tables.audit_logs))).mappings().all()
    assert len({row["id"] for row in rows}) == 2
    assert [row["additional_fields"] for row in rows] == [{}, {"why": "because"}]
    for row in rows:
        assert (row["time"], row["action"], row["status_code"]) == (NOW, "login", 401)
        assert (row["resource_type"], row["resource_id"], row["resource_target"]) == ("api_key", "1", "alice")
        assert (row["user_id"], row["ip_address"], row["user_agent"]) == (None, "10.0.0.1", "curl")
    await database.close()
