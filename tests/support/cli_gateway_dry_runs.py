"""Dry runs at the command line's small gateway; their logs are among its streams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quart import Quart, Response

from tests.support.cli_gateway_answers import json_answer as _json
from tests.support.cli_gateway_answers import refuse as _refuse
from tests.support.cli_gateway_answers import with_unknown_key as _odd

if TYPE_CHECKING:
    from tests.support.cli_gateway import CliGateway


def add_dry_run_routes(app: Quart, gateway: CliGateway) -> None:
    @app.post("/api/v2/templateversions/<version_id>/dry-run")
    async def dry_run(version_id: str) -> Response:
        if gateway.dry_run is None:
            return _refuse(404, "Route not found.")
        gateway.say(gateway.dry_run.job.id, "Plan: 2 to add", stage="Planning infrastructure")
        return _json(gateway.dry_run.job, 201)

    @app.get("/api/v2/templateversions/<version_id>/dry-run/<job_id>")
    async def get_dry_run(version_id: str, job_id: str) -> Response:
        return _json(_odd(gateway.dry_run.job)) if gateway.dry_run else _refuse(404, "Not found.")

    @app.get("/api/v2/templateversions/<version_id>/dry-run/<job_id>/resources")
    async def dry_run_resources(version_id: str, job_id: str) -> Response:
        return _json(_odd(gateway.dry_run.resources)) if gateway.dry_run else _refuse(404, "Not found.")
