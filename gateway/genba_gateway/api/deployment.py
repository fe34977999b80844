"""Routes about the deployment, most of them open to everybody (contract 0.2)."""

from __future__ import annotations

from typing import Final

from quart import Blueprint, Response

from genba_gateway.api.answers import answer, say
from genba_gateway.api.gate import needs
from genba_gateway.domain.actors import Action, Permission, Resource, RouteAccess
from genba_gateway.services.deployment import Deployment
from genba_gateway.services.visibility import utc_now
from genba_wire.api.buildinfo import BuildInfo
from genba_wire.api.deployment import RegionsResponse
from genba_wire.version import VERSION

AGENT_API_VERSION: Final = "1.0"
"""Always this string, whatever agents speak (contract 0.2, buildinfo)."""

PROVISIONER_API_VERSION: Final = "1.0"
"""No provisioner daemon can connect: the value is only shown."""


def make_blueprint(deployment: Deployment, *, access_url: str) -> Blueprint:
    """Routes about the deployment."""
    blueprint = Blueprint("deployment", __name__)

    @blueprint.get("/api/v2/")
    @needs(RouteAccess.PUBLIC)
    async def greet() -> Response:
        return say("Genba is here.")

    @blueprint.get("/healthz")
    @needs(RouteAccess.PUBLIC)
    async def health() -> Response:
        return Response("OK", content_type="text/plain; charset=utf-8")

    @blueprint.get("/api/v2/buildinfo")
    @needs(RouteAccess.PUBLIC)
    async def build_info() -> Response:
        return answer(
            BuildInfo(
                external_url=access_url,
                version=VERSION,
                dashboard_url=access_url,
                telemetry=False,
                workspace_proxy=False,
                agent_api_version=AGENT_API_VERSION,
                provisioner_api_version=PROVISIONER_API_VERSION,
                upgrade_message="",
                deployment_id=await deployment.get_id(),
            )
        )

    @blueprint.get("/api/v2/regions")
    @needs(RouteAccess.SIGNED_IN)
    async def list_regions() -> Response:
        return answer(RegionsResponse(regions=[await deployment.get_region(access_url)]))

    @blueprint.get("/api/v2/workspaceproxies")
    @needs(Permission(Resource.WORKSPACE_PROXY, Action.READ))
    async def list_proxies() -> Response:
        return answer(await deployment.list_proxies(access_url, utc_now()))

    @blueprint.get("/api/v2/workspaceproxies/<proxy>")
    @needs(Permission(Resource.WORKSPACE_PROXY, Action.READ))
    async def get_proxy(proxy: str) -> Response:
        return answer(await deployment.get_proxy(access_url, utc_now(), proxy))

    return blueprint
