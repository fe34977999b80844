"""The page of the SSH key that a user's workspaces use for git."""

from __future__ import annotations

from quart import Blueprint, Response

from genba_gateway.api.gate import current_user, needs
from genba_gateway.domain.actors import Action, Permission, Resource
from genba_gateway.services.git_ssh_keys import GitSSHKeys
from genba_gateway.services.users import Users
from genba_gateway.web.forms import read_form
from genba_gateway.web.languages import translate
from genba_gateway.web.pages import Pages

_UPDATE = Permission(Resource.GIT_SSH_KEY, Action.UPDATE)


def make_blueprint(pages: Pages, users: Users, keys: GitSSHKeys) -> Blueprint:
    """/settings/ssh-keys."""
    blueprint = pages.blueprint("git SSH keys")

    @blueprint.get("/settings/ssh-keys")
    @needs(Permission(Resource.GIT_SSH_KEY, Action.READ))
    async def show_key() -> Response:
        key = await keys.get(current_user(), await users.resolve_user(current_user(), "me"))
        return pages.show("git_ssh_keys/key.html", public_key=key.public_key.strip(), made_at=key.updated_at)

    @blueprint.get("/settings/ssh-keys/regenerate")
    @needs(_UPDATE)
    async def ask_to_regenerate() -> Response:
        return pages.show("git_ssh_keys/regenerate.html")

    @blueprint.post("/settings/ssh-keys/regenerate")
    @needs(_UPDATE)
    async def regenerate() -> Response:
        await read_form()
        await keys.regenerate(current_user(), await users.resolve_user(current_user(), "me"))
        return pages.go(
            "/settings/ssh-keys",
            good=translate("Here is the new key: give it to your git servers instead of the old one."),
        )

    return blueprint
