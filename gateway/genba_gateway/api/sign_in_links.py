"""The route that makes one-time sign-in links; the page `/sign-in` redeems them."""

from __future__ import annotations

from quart import Blueprint, Response

from genba_gateway.api.answers import answer
from genba_gateway.api.gate import current_user, needs
from genba_gateway.domain.actors import RouteAccess
from genba_gateway.services.sign_in_links import SignInLinks
from genba_wire.api.users import SignInLink


def make_blueprint(links: SignInLinks) -> Blueprint:
    """Routes on sign-in links."""
    blueprint = Blueprint("sign_in_links", __name__)

    @blueprint.post("/api/v2/genba/sign-in-links")
    @needs(RouteAccess.SIGNED_IN)
    async def create() -> Response:
        url, expires_at = await links.create(current_user())
        response = answer(SignInLink(url=url, expires_at=expires_at), 201)
        response.headers["Cache-Control"] = "no-store"
        return response

    return blueprint
