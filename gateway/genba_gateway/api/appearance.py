"""Routes of the deployment's appearance, and of announcements for agents (contract appendix B, 3.6)."""

from __future__ import annotations

from quart import Blueprint, Response

from genba_gateway.api.agent_me import ME
from genba_gateway.api.answers import answer, read_body
from genba_gateway.api.gate import current_user, needs
from genba_gateway.domain.actors import Action, Permission, Resource, RouteAccess
from genba_gateway.domain.appearance import Appearance, Banner
from genba_gateway.services.appearance import Appearances
from genba_wire.api import deployment as messages


def make_blueprint(appearances: Appearances) -> Blueprint:
    """The routes."""
    blueprint = Blueprint("appearance", __name__)

    @blueprint.get("/api/v2/appearance")
    @needs(RouteAccess.SIGNED_IN)
    async def get_appearance() -> Response:
        found = await appearances.get()
        return answer(
            messages.AppearanceConfig(
                application_name=found.application_name,
                logo_url=found.logo_url,
                docs_url="",
                service_banner=_message(found.first_banner),
                announcement_banners=[_message(each) for each in found.banners],
            )
        )

    @blueprint.put("/api/v2/appearance")
    @needs(Permission(Resource.DEPLOYMENT_CONFIG, Action.UPDATE))
    async def change_appearance() -> Response:
        chosen = _read(await read_body(messages.UpdateAppearanceRequest))
        await appearances.change(current_user(), chosen)
        return answer(
            messages.UpdateAppearanceConfig(
                application_name=chosen.application_name,
                logo_url=chosen.logo_url,
                service_banner=_message(chosen.first_banner),
                announcement_banners=[_message(each) for each in chosen.banners],
            )
        )

    @blueprint.get(f"{ME}/announcement-banners")
    @needs(RouteAccess.AGENT)
    async def list_banners() -> Response:
        shown = await appearances.list_shown_banners()
        return answer(messages.AnnouncementBanners(announcement_banners=[_message(each) for each in shown]))

    return blueprint


def _read(body: messages.UpdateAppearanceRequest) -> Appearance:
    given = body.announcement_banners or []
    if not given and body.service_banner.message:
        given = [body.service_banner]
    banners = tuple(Banner(each.enabled, each.message, each.background_color) for each in given)
    return Appearance(body.application_name, body.logo_url, banners)


def _message(banner: Banner) -> messages.Banner:
    return messages.Banner(enabled=banner.enabled, message=banner.message, background_color=banner.background_color)
