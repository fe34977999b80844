"""The route that tells what its caller may do (contract 5.2)."""

from __future__ import annotations

from quart import Blueprint, Response

from genba_gateway.api.answers import answer, read_body
from genba_gateway.api.gate import current_user, needs
from genba_gateway.domain.actors import RouteAccess
from genba_gateway.services.authorization import Authorization
from genba_wire.api.authorization import AuthorizationRequest


def make_blueprint(authorization: Authorization) -> Blueprint:
    """The route of authcheck."""
    blueprint = Blueprint("authorization", __name__)

    @blueprint.post("/api/v2/authcheck")
    @needs(RouteAccess.SIGNED_IN)
    async def check() -> Response:
        body = await read_body(AuthorizationRequest)
        return answer(await authorization.check(current_user(), body.checks))

    return blueprint
