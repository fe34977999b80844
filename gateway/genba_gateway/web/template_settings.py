"""The settings of a template: how far ports of its workspaces may be shared."""

from __future__ import annotations

from typing import Final

from quart import Blueprint, Response

from genba_gateway.api.gate import current_user, needs
from genba_gateway.domain.actors import Action, Permission, Resource
from genba_gateway.errors import GenbaError
from genba_gateway.services.templates import Templates
from genba_gateway.web.error_texts import say_error
from genba_gateway.web.forms import read_form
from genba_gateway.web.languages import mark, translate
from genba_gateway.web.pages import Pages
from genba_gateway.web.template_pages import SETTINGS_TAB, Frame, TemplateFinder, template_address, view_template
from genba_wire.api.templates import UpdateTemplateRequest

SHARED_WITH: Final = {
    "owner": mark("Nobody: their owner alone"),
    "authenticated": mark("Everybody who is signed in"),
    "public": mark("Everybody"),
}


def make_blueprint(pages: Pages, finder: TemplateFinder, templates: Templates) -> Blueprint:
    """/templates/{template}/settings."""
    blueprint = pages.blueprint("template settings")
    update = Permission(Resource.TEMPLATE, Action.UPDATE)
    path = f"/templates/<template>{SETTINGS_TAB}"

    @blueprint.get(path)
    @needs(update)
    async def show(template: str) -> Response:
        found = await finder.find(template)
        return pages.show(
            "templates/settings.html",
            frame=Frame(view_template(found), SETTINGS_TAB),
            levels={level: translate(label) for level, label in SHARED_WITH.items()},
            chosen=found.max_port_share_level,
        )

    @blueprint.post(f"{path}/ports")
    @needs(update)
    async def set_ports(template: str) -> Response:
        form = await read_form()
        found = await finder.find(template)
        back = f"{template_address(found.name)}{SETTINGS_TAB}"
        request = UpdateTemplateRequest(max_port_share_level=form.get("level", ""))
        try:
            await templates.update(current_user(), found.id, request)
        except GenbaError as error:
            return pages.go(back, bad=say_error(error.message))
        return pages.go(back, good=translate("Saved."))

    return blueprint
