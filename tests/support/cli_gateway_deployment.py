"""What the command line's small gateway says of the deployment as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quart import Quart, Response

from tests.support.cli_gateway_answers import json_answer, refuse

if TYPE_CHECKING:
    from tests.support.cli_gateway import CliGateway


def add_deployment_routes(app: Quart, gateway: CliGateway) -> None:
    @app.get("/api/v2/buildinfo")
    async def build_info() -> Response:
        return json_answer({"version": gateway.version, "external_url": gateway.url})

    @app.get("/api/v2/deployment/ssh")
    async def ssh_config() -> Response:
        return json_answer(gateway.ssh_config) if gateway.ssh_config else refuse(404, "Not found.")
