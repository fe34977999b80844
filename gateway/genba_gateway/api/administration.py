"""Routes by which owners look at the deployment: settings, usage, health (contract, appendices A and B)."""

from __future__ import annotations

from quart import Blueprint, Response, request

from genba_gateway.api.answers import answer
from genba_gateway.api.gate import current_user, needs
from genba_gateway.config import Config
from genba_gateway.domain.actors import Action, Permission, Resource, RouteAccess
from genba_gateway.services.deployment_config import describe_config
from genba_gateway.services.deployment_stats import DeploymentUsage
from genba_gateway.services.health import Health


def make_blueprint(config: Config, usage: DeploymentUsage, health: Health) -> Blueprint:
    """The routes."""
    blueprint = Blueprint("administration", __name__)

    @blueprint.get("/api/v2/deployment/config")
    @needs(Permission(Resource.DEPLOYMENT_CONFIG, Action.READ))
    async def get_config() -> Response:
        return answer(describe_config(config))

    @blueprint.get("/api/v2/deployment/stats")
    @needs(Permission(Resource.DEPLOYMENT_STATS, Action.READ))
    async def get_stats() -> Response:
        return answer(await usage.get())

    @blueprint.get("/api/v2/debug/health")
    @needs(RouteAccess.SIGNED_IN)
    async def get_health() -> Response:
        """Others are told that there is nothing (contract, appendix A): the service decides that."""
        return answer(await health.get(current_user(), force=request.args.get("force", "") == "true"))

    return blueprint
