"""The pages on who looks at them: the account, its password, and how pages look to it."""

from __future__ import annotations

from typing import Final

from quart import Blueprint, Response

from genba_gateway.api.gate import current_user, needs
from genba_gateway.domain.actors import Action, Permission, Resource, RouteAccess
from genba_gateway.domain.users import LoginType, User
from genba_gateway.errors import BadRequest, Conflict
from genba_gateway.services.user_changes import UserChanges
from genba_gateway.services.users import Users
from genba_gateway.web.field_problems import field_problems
from genba_gateway.web.forms import go_to, read_form
from genba_gateway.web.languages import translate
from genba_gateway.web.pages import Pages
from genba_gateway.web.user_views import view_user

_READ: Final = Permission(Resource.USER, Action.READ)
_UPDATE: Final = Permission(Resource.USER, Action.UPDATE)


def make_blueprint(pages: Pages, users: Users, changes: UserChanges) -> Blueprint:
    """/settings, /settings/account, /settings/security and /settings/appearance."""
    blueprint = pages.blueprint("account")
    _add_account(blueprint, pages, users, changes)
    _add_security(blueprint, pages, users, changes)

    @blueprint.get("/settings")
    @needs(RouteAccess.SIGNED_IN)
    async def begin() -> Response:
        return go_to("/settings/account")

    @blueprint.get("/settings/appearance")
    @needs(RouteAccess.SIGNED_IN)
    async def show_appearance() -> Response:
        return pages.show("account/appearance.html")

    return blueprint


def _add_account(blueprint: Blueprint, pages: Pages, users: Users, changes: UserChanges) -> None:
    def show(user: User, username: str, name: str, problems: dict[str, str], status: int = 200) -> Response:
        shown = view_user(user)
        return pages.show(
            "account/account.html", status=status, user=shown, username=username, name=name, problems=problems
        )

    @blueprint.get("/settings/account")
    @needs(_READ)
    async def show_account() -> Response:
        user = await users.resolve_user(current_user(), "me")
        return show(user, user.username, user.name, {})

    @blueprint.post("/settings/account")
    @needs(_UPDATE)
    async def save_account() -> Response:
        form = await read_form()
        user = await users.resolve_user(current_user(), "me")
        username, name = form.get("username", ""), form.get("name", "")
        try:
            await changes.set_profile(current_user(), user, username=username, name=name)
        except (BadRequest, Conflict) as error:
            return show(user, username, name, field_problems(error, ("username", "name")), error.status)
        return pages.go("/settings/account", good=translate("Saved."))


def _add_security(blueprint: Blueprint, pages: Pages, users: Users, changes: UserChanges) -> None:
    def show(user: User, problems: dict[str, str], status: int = 200) -> Response:
        has_password = user.login_type == LoginType.PASSWORD
        return pages.show("account/security.html", status=status, has_password=has_password, problems=problems)

    @blueprint.get("/settings/security")
    @needs(_READ)
    async def show_security() -> Response:
        return show(await users.resolve_user(current_user(), "me"), {})

    @blueprint.post("/settings/security")
    @needs(_UPDATE)
    async def change_password() -> Response:
        form = await read_form()
        user = await users.resolve_user(current_user(), "me")
        old, new = form.get("old_password", ""), form.get("password", "")
        try:
            await changes.set_password(current_user(), user, old=old, new=new)
        except BadRequest as error:
            return show(user, field_problems(error, ("old_password", "password")), error.status)
        return pages.go(
            "/settings/security",
            good=translate("The new password holds. Your other sessions and your tokens have ended."),
        )
