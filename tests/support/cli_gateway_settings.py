"""Routes of the command line's small gateway that change settings of workspaces and users."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from quart import Quart, Response

from tests.support.cli_builders import NOW, make_user
from tests.support.cli_gateway_answers import json_answer, refuse

if TYPE_CHECKING:
    from tests.support.cli_gateway import CliGateway


def add_setting_routes(app: Quart, gateway: CliGateway) -> None:
    """Answer as the contract says; what was asked for is in the gateway's requests."""

    def change(workspace_id: str, **values: object) -> Response:
        gateway.workspaces[workspace_id] = msgspec.structs.replace(gateway.workspaces[workspace_id], **values)
        return Response(status=204)

    @app.put("/api/v2/workspaces/<workspace_id>/autostart")
    async def set_autostart(workspace_id: str) -> Response:
        schedule = gateway.requests[-1].json()["schedule"]
        return change(workspace_id, autostart_schedule=schedule, next_start_at=NOW if schedule else None)

    @app.put("/api/v2/workspaces/<workspace_id>/ttl")
    async def set_ttl(workspace_id: str) -> Response:
        return change(workspace_id, ttl_ms=gateway.requests[-1].json()["ttl_ms"])

    @app.put("/api/v2/workspaces/<workspace_id>/extend")
    async def extend(workspace_id: str) -> Response:
        return json_answer({"message": "later"})

    @app.put("/api/v2/workspaces/<workspace_id>/autoupdates")
    async def set_automatic_updates(workspace_id: str) -> Response:
        return change(workspace_id, automatic_updates=gateway.requests[-1].json()["automatic_updates"])

    @app.put("/api/v2/workspaces/<workspace_id>/favorite")
    async def add_favorite(workspace_id: str) -> Response:
        return change(workspace_id, favorite=True)

    @app.delete("/api/v2/workspaces/<workspace_id>/favorite")
    async def remove_favorite(workspace_id: str) -> Response:
        return change(workspace_id, favorite=False)

    @app.patch("/api/v2/workspaces/<workspace_id>")
    async def rename(workspace_id: str) -> Response:
        return change(workspace_id, name=gateway.requests[-1].json()["name"])

    def find(name: str) -> bool:
        return name in {one.username for one in gateway.other_users}

    @app.put("/api/v2/users/<user>/status/<status>")
    async def set_status(user: str, status: str) -> Response:
        if not find(user):
            return refuse(404, "Not found.")
        return json_answer(make_user(username=user, status="active" if status == "activate" else "suspended"))

    @app.delete("/api/v2/users/<user>")
    async def delete_user(user: str) -> Response:
        return json_answer({"message": "gone"}) if find(user) else refuse(404, "Not found.")
