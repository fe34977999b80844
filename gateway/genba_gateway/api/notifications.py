"""Routes on notifications (contract, appendix A): none are sent, and clients that ask are told so."""

from __future__ import annotations

from quart import Blueprint, Response

from genba_gateway.api.answers import answer
from genba_gateway.api.gate import current_user, needs
from genba_gateway.domain.actors import Action, Permission, Resource, RouteAccess
from genba_gateway.services.users import Users


def make_blueprint(users: Users) -> Blueprint:
    """The routes that read; there is nothing to change."""
    blueprint = Blueprint("notifications", __name__)

    @blueprint.get("/api/v2/notifications/templates/system")
    @needs(RouteAccess.SIGNED_IN)
    async def list_kinds() -> Response:
        return answer(list[object]())

    @blueprint.get("/api/v2/users/<user>/notifications/preferences")
    @needs(Permission(Resource.USER, Action.READ))
    async def list_preferences(user: str) -> Response:
        await users.resolve_user(current_user(), user)
        return answer(list[object]())

    return blueprint
