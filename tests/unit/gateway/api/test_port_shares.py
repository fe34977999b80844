"""The routes on shared ports, over HTTP."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from genba_gateway.api import port_shares
from genba_gateway.services.port_shares import PortShares
from genba_gateway.store import tables
from tests.support.app_world import open_app_world
from tests.support.gateway_app import TOKEN_HEADER, make_app, send


async def test_ports_are_shared_listed_and_shared_no_longer(tmp_path: Path) -> None:
    async with open_app_world(tmp_path) as world:
        rows = world.rows
        service = PortShares(rows.database, rows.sealer, rows.pubsub, rows.clock)
        app = await asyncio.to_thread(make_app, rows.database, port_shares.make_blueprint(service))
        token = await rows.add_session(rows.user)
        path = f"/api/v2/workspaces/{world.agent.workspace_id}/port-share"

        async def call(method: str, body: object = None) -> tuple[int, Any]:
            answer = await send(app, method, path, headers={TOKEN_HEADER: token}, body=body)
            return answer.status_code, await answer.get_json() if await answer.get_data() else None

        share = {
            "workspace_id": world.agent.workspace_id,
            "agent_name": "main",
            "port": 8080,
            "share_level": "public",
            "protocol": "http",
        }
        assert await call("GET") == (200, {"shares": []})
        old_client = {"agent_name": "Main", "port": 8080, "share_level": "public"}
        assert await call("POST", old_client) == (200, share)
        assert await call("POST", {**old_client, "protocol": "https"}) == (200, {**share, "protocol": "https"})
        assert await call("GET") == (200, {"shares": [{**share, "protocol": "https"}]})
        status, body = await call("POST", {**old_client, "share_level": "owner"})
        assert (status, body["validations"][0]["field"]) == (400, "share_level")
        await world.execute(tables.templates.update().values(max_port_share_level="authenticated"))
        status, body = await call("POST", old_client)
        assert (status, body["validations"][0]["field"]) == (400, "share_level")
        assert (
            "signed in at most (authenticated): whoever may change the template can raise it in its settings"
            in body["message"]
        )
        assert await call("DELETE", {"agent_name": "main", "port": 8080}) == (200, None)
        assert (await call("DELETE", {"agent_name": "main", "port": 8080}))[0] == 404
        assert (await call("DELETE", {"agent_name": "main"}))[0] == 400
        assert (await send(app, "GET", path)).status_code == 401
