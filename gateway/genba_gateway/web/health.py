"""The page of the deployment's health, for its owners."""

from __future__ import annotations

from quart import Blueprint, Response

from genba_gateway.api.gate import current_user, needs
from genba_gateway.domain.actors import RouteAccess
from genba_gateway.services.health import Health
from genba_gateway.web.forms import read_form
from genba_gateway.web.health_views import view_health
from genba_gateway.web.languages import translate
from genba_gateway.web.pages import Pages


def make_blueprint(pages: Pages, health: Health) -> Blueprint:
    """/health."""
    blueprint = pages.blueprint("health")

    # Others are told that there is no such page: the service decides that.
    @blueprint.get("/health")
    @needs(RouteAccess.SIGNED_IN)
    async def show_health() -> Response:
        return pages.show("health/health.html", health=view_health(await health.get(current_user())))

    @blueprint.post("/health")
    @needs(RouteAccess.SIGNED_IN)
    async def look_again() -> Response:
        await read_form()
        await health.get(current_user(), force=True)
        return pages.go("/health", good=translate("This is how it is now."))

    return blueprint
