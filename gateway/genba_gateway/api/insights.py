"""Routes on how much is used (contract, appendix A)."""

from __future__ import annotations

from quart import Blueprint, Response, request

from genba_gateway.api.answers import answer
from genba_gateway.api.gate import current_user, needs
from genba_gateway.domain.actors import Action, Permission, Resource
from genba_gateway.services.daily_users import DailyUsers
from genba_gateway.services.visibility import parse_id


def make_blueprint(daily_users: DailyUsers) -> Blueprint:
    """The routes."""
    blueprint = Blueprint("insights", __name__)

    @blueprint.get("/api/v2/insights/daus")
    @needs(Permission(Resource.DEPLOYMENT_STATS, Action.READ))
    async def count() -> Response:
        return answer(await daily_users.count(current_user(), request.args.get("tz_offset", "")))

    @blueprint.get("/api/v2/templates/<template>/daus")
    @needs(Permission(Resource.TEMPLATE, Action.UPDATE))
    async def count_of_template(template: str) -> Response:
        template_id, offset = parse_id(template, "template"), request.args.get("tz_offset", "")
        return answer(await daily_users.count_of_template(current_user(), template_id, offset))

    return blueprint
