"""Routes by which owners look at the deployment: settings, usage, health (contract, appendices A and B)."""

from __future__ import annotations

from quart import Blueprint, Response, request

from genba_gateway.api.answers import answer, no_content, read_body
from genba_gateway.api.gate import current_user, needs
from genba_gateway.config import Config
from genba_gateway.domain.actors import Action, Permission, Resource, RouteAccess
from genba_gateway.services.deployment_config import describe_config
from genba_gateway.services.deployment_stats import DeploymentUsage
from genba_gateway.services.health import Health
from genba_gateway.services.health_settings import HealthSettings
from genba_wire.api.health import HealthSettingsMessage


def make_blueprint(config: Config, usage: DeploymentUsage, health: Health, settings: HealthSettings) -> Blueprint:
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
        report = await health.get(current_user(), force=request.args.get("force", "") == "true")
        return answer(await settings.mark(current_user(), report))

    @blueprint.get("/api/v2/debug/health/settings")
    @needs(Permission(Resource.DEBUG_INFO, Action.READ))
    async def get_health_settings() -> Response:
        return answer(HealthSettingsMessage(dismissed_healthchecks=await settings.get(current_user())))

    @blueprint.put("/api/v2/debug/health/settings")
    @needs(Permission(Resource.DEPLOYMENT_CONFIG, Action.UPDATE))
    async def change_health_settings() -> Response:
        body = await read_body(HealthSettingsMessage)
        changed = await settings.change(current_user(), body.dismissed_healthchecks)
        return answer(body) if changed else no_content()

    return blueprint
