"""The page of one user, where who may changes, suspends and deletes them."""

from __future__ import annotations

from typing import Final

from quart import Blueprint, Response
from werkzeug.datastructures import MultiDict

from genba_gateway.api.gate import current_user, needs
from genba_gateway.domain.actors import OWNER, Action, Resource, RouteAccess
from genba_gateway.domain.users import LoginType, User, UserStatus
from genba_gateway.errors import BadRequest, Conflict, Forbidden, PreconditionFailed
from genba_gateway.services.user_changes import UserChanges
from genba_gateway.services.users import Users
from genba_gateway.services.visibility import not_found, require
from genba_gateway.web.field_problems import WHOLE_FORM, field_problems
from genba_gateway.web.forms import read_form
from genba_gateway.web.languages import mark, translate
from genba_gateway.web.pages import Pages
from genba_gateway.web.user_views import view_user

CONFIRMED: Final = ("suspend", "delete")
"""What ends somebody's work is asked for on a page of its own."""

_FIELDS: Final = {"profile": ("username", "name"), "password": ("password",), "roles": ("roles",)}
_DONE: Final = {
    "profile": mark("The profile of %(name)s is saved."),
    "password": mark("%(name)s has the new password; what they had open has ended."),
    "roles": mark("The roles of %(name)s are saved."),
    "activate": mark("%(name)s may come in again."),
    "suspend": mark("%(name)s is suspended; what they had open has ended."),
    "delete": mark("%(name)s is deleted."),
}


class _Changes:
    """What the forms of the page do; each returns the username to go on with."""

    def __init__(self, changes: UserChanges) -> None:
        self._changes = changes

    async def apply(self, change: str, user: User, form: MultiDict[str, str]) -> str:
        """Do it as the user who asks."""
        actor, changes = current_user(), self._changes
        match change:
            case "profile":
                username, name = form.get("username", ""), form.get("name", "")
                return (await changes.set_profile(actor, user, username=username, name=name)).username
            case "password":
                await changes.set_password(actor, user, old="", new=form.get("password", ""))
            case "roles":
                await changes.set_roles(actor, user, [OWNER] if form.get("roles") == OWNER else [])
            case "activate":
                await changes.activate(actor, user)
            case "suspend":
                await changes.suspend(actor, user)
            case "delete":
                await changes.delete(actor, user)
            case _:
                raise not_found()
        return user.username


def make_blueprint(pages: Pages, users: Users, changes: UserChanges) -> Blueprint:
    """/users/<user> and what is done there. Who may see no others is told that there is no such page."""
    blueprint = pages.blueprint("user changes")
    _add_user(blueprint, pages, users, _Changes(changes))
    return blueprint


def _add_user(blueprint: Blueprint, pages: Pages, users: Users, changes: _Changes) -> None:
    def show(
        user: User,
        problems: dict[str, str],
        change: str = "",
        *,
        typed: MultiDict[str, str] | None = None,
        status: int = 200,
    ) -> Response:
        return pages.show(
            "users/user.html",
            status=status,
            user=view_user(user),
            is_self=user.id == current_user().user_id,
            is_owner=OWNER in user.roles,
            is_suspended=user.status == UserStatus.SUSPENDED,
            has_password=user.login_type == LoginType.PASSWORD,
            problems=problems,
            change=change,
            typed=typed or {},
        )

    @blueprint.get("/users/<username>")
    @needs(RouteAccess.SIGNED_IN)
    async def show_user(username: str) -> Response:
        return show(await _find(users, username), {})

    @blueprint.get("/users/<username>/<change>")
    @needs(RouteAccess.SIGNED_IN)
    async def ask(username: str, change: str) -> Response:
        user = await _find(users, username)
        if change not in CONFIRMED:
            raise not_found()
        return pages.show("users/confirm.html", user=view_user(user), change=change)

    @blueprint.post("/users/<username>/<change>")
    @needs(RouteAccess.SIGNED_IN)
    async def apply(username: str, change: str) -> Response:
        form = await read_form()
        user = await _find(users, username)
        try:
            name = await changes.apply(change, user, form)
        except (BadRequest, Conflict, Forbidden) as error:
            return show(user, field_problems(error, _FIELDS.get(change, ())), change, typed=form, status=error.status)
        except PreconditionFailed as error:
            said = translate("%(name)s has workspaces: delete them first.") % {"name": user.username}
            return show(user, {WHOLE_FORM: said}, change, status=error.status)
        good = translate(_DONE[change]) % {"name": name}
        return pages.go("/users" if change == "delete" else f"/users/{name}", good=good)


async def _find(users: Users, username: str) -> User:
    require(current_user(), Resource.USER, Action.READ)
    return await users.resolve_user(current_user(), username)
