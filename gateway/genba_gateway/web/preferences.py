"""How the pages look and in which language they speak, kept in the browser; and what they load."""

from __future__ import annotations

from typing import Final

from quart import Blueprint, Response

from genba_gateway.api.gate import needs
from genba_gateway.domain.actors import RouteAccess
from genba_gateway.web.assets import serve_asset
from genba_gateway.web.forms import HOME, go_to, local_target, read_form
from genba_gateway.web.languages import LANGUAGE_COOKIE, LANGUAGES
from genba_gateway.web.pages import Pages, not_found_page
from genba_gateway.web.shell import THEME_COOKIE, THEMES

KEPT_S: Final = 365 * 24 * 3600


def make_blueprint(pages: Pages) -> Blueprint:
    """/, /preferences and /static."""
    blueprint = pages.blueprint("preferences")

    @blueprint.get("/")
    @needs(RouteAccess.PUBLIC)
    async def home() -> Response:
        return go_to(HOME)

    @blueprint.post("/preferences")
    @needs(RouteAccess.PUBLIC)
    async def set_preferences() -> Response:
        form = await read_form()
        response = go_to(local_target(form.get("back", "")))
        for cookie, field, known in (
            (THEME_COOKIE, "theme", THEMES),
            (LANGUAGE_COOKIE, "language", LANGUAGES),
        ):
            if (chosen := form.get(field, "")) in known:
                response.set_cookie(
                    cookie, chosen, max_age=KEPT_S, path="/", httponly=True, samesite="Lax", secure=pages.secure
                )
        return response

    @blueprint.get("/static/<version>/<path:name>")
    @needs(RouteAccess.PUBLIC)
    async def asset(version: str, name: str) -> Response:
        return serve_asset(version, name) or not_found_page()

    return blueprint
