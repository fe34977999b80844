"""The route by which init scripts report what failed. The key in the body is all that is needed and all that counts."""

from __future__ import annotations

from quart import Blueprint, Response, request

from genba_gateway.api.answers import no_content
from genba_gateway.api.gate import needs
from genba_gateway.domain.actors import RouteAccess
from genba_gateway.errors import BadRequest
from genba_gateway.services.init_reports import MAX_REPORT_BYTES, InitReports


def make_blueprint(init_reports: InitReports) -> Blueprint:
    """The one route."""
    blueprint = Blueprint("init_reports", __name__)

    @blueprint.post("/api/v2/agent-reports")
    @needs(RouteAccess.PUBLIC)
    async def report() -> Response:
        if (request.content_length or 0) > MAX_REPORT_BYTES:
            raise BadRequest(f"A report has at most {MAX_REPORT_BYTES} bytes.")
        await init_reports.add(await request.body)
        return no_content()

    return blueprint
