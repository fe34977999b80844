"""Where apps of workspaces are served (contract 3.5)."""

from __future__ import annotations

from quart import Blueprint, Response

from genba_gateway.api.answers import answer
from genba_gateway.api.gate import needs
from genba_gateway.domain.actors import RouteAccess
from genba_gateway.domain.app_hosts import AppHosts
from genba_wire.api.applications import AppHostResponse


def make_blueprint(hosts: AppHosts) -> Blueprint:
    """The route that tells clients the pattern of apps' host names."""
    blueprint = Blueprint("applications", __name__)

    @blueprint.get("/api/v2/applications/host")
    @needs(RouteAccess.SIGNED_IN)
    async def host() -> Response:
        return answer(AppHostResponse(host=hosts.wildcard_host))

    return blueprint
