"""The page where editors and command lines have a person fetch a token (contract 5)."""

from __future__ import annotations

from quart import Blueprint, Response

from genba_gateway.api.gate import current_user, needs
from genba_gateway.domain.actors import Action, Permission, Resource
from genba_gateway.services.api_keys import ApiKeys
from genba_gateway.services.users import Users
from genba_gateway.web.forms import read_form
from genba_gateway.web.pages import Pages


def make_blueprint(pages: Pages, users: Users, keys: ApiKeys) -> Blueprint:
    """/cli-auth."""
    blueprint = pages.blueprint("tokens")

    def show(token: str) -> Response:
        return pages.show("tokens/cli_auth.html", username=current_user().username, token=token)

    # Editors open this page and wait for a pasted token. A GET makes none: any page could cause it.
    @blueprint.get("/cli-auth")
    @needs(Permission(Resource.API_KEY, Action.CREATE))
    async def offer_token() -> Response:
        return show("")

    @blueprint.post("/cli-auth")
    @needs(Permission(Resource.API_KEY, Action.CREATE))
    async def show_token() -> Response:
        await read_form()
        return show(await keys.create_key(current_user(), await users.resolve_user(current_user(), "me")))

    return blueprint
