"""The pages on who looks at them: the account, and how pages look to it."""

from __future__ import annotations

from quart import Blueprint, Response

from genba_gateway.api.gate import current_user, needs
from genba_gateway.domain.actors import Action, Permission, Resource, RouteAccess
from genba_gateway.services.users import Users
from genba_gateway.web.forms import go_to
from genba_gateway.web.pages import Pages
from genba_gateway.web.user_views import view_user


def make_blueprint(pages: Pages, users: Users) -> Blueprint:
    """/settings, /settings/account and /settings/appearance."""
    blueprint = pages.blueprint("account")

    @blueprint.get("/settings")
    @needs(RouteAccess.SIGNED_IN)
    async def begin() -> Response:
        return go_to("/settings/account")

    @blueprint.get("/settings/account")
    @needs(Permission(Resource.USER, Action.READ))
    async def show_account() -> Response:
        return pages.show("account/account.html", user=view_user(await users.resolve_user(current_user(), "me")))

    @blueprint.get("/settings/appearance")
    @needs(RouteAccess.SIGNED_IN)
    async def show_appearance() -> Response:
        return pages.show("account/appearance.html")

    return blueprint
