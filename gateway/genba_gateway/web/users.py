"""The pages of all users, for who may see them."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from quart import Blueprint, Response

from genba_gateway.api.gate import current_user, needs
from genba_gateway.domain.actors import Action, Resource, RouteAccess
from genba_gateway.domain.users import LoginType
from genba_gateway.errors import BadRequest, Conflict
from genba_gateway.services.users import Users
from genba_gateway.services.visibility import require
from genba_gateway.web.field_problems import field_problems
from genba_gateway.web.forms import read_form
from genba_gateway.web.languages import translate
from genba_gateway.web.listings import read_listing, search_problem
from genba_gateway.web.pages import Pages
from genba_gateway.web.user_views import view_user
from genba_wire.api.users import CreateUserRequest

USERS_PER_PAGE: Final = 50
_FIELDS: Final = ("username", "email", "name", "login_type", "password")


def make_blueprint(pages: Pages, users: Users) -> Blueprint:
    """/users and /users/create. Who may see no others is told that there is no such page."""
    blueprint = pages.blueprint("users")
    _add_list(blueprint, pages, users)
    _add_create(blueprint, pages, users)
    return blueprint


def _add_list(blueprint: Blueprint, pages: Pages, users: Users) -> None:
    @blueprint.get("/users")
    @needs(RouteAccess.SIGNED_IN)
    async def list_users() -> Response:
        actor = current_user()
        require(actor, Resource.USER, Action.READ)
        listing = read_listing("/users", USERS_PER_PAGE)
        try:
            found, count = await users.list_page(
                actor, listing.query, after_id=None, limit=USERS_PER_PAGE, offset=listing.offset
            )
        except BadRequest as error:
            problem = search_problem(error)
            return pages.show("users/list.html", status=400, users=[], listing=listing, problem=problem)
        shown = [view_user(user) for user in found]
        return pages.show("users/list.html", users=shown, listing=replace(listing, count=count), problem="")


def _add_create(blueprint: Blueprint, pages: Pages, users: Users) -> None:
    def show(typed: CreateUserRequest, problems: dict[str, str], status: int = 200) -> Response:
        return pages.show("users/create.html", status=status, typed=typed, problems=problems)

    @blueprint.get("/users/create")
    @needs(RouteAccess.SIGNED_IN)
    async def offer_to_create() -> Response:
        require(current_user(), Resource.USER, Action.CREATE)
        return show(CreateUserRequest(username="", email="", login_type=LoginType.PASSWORD.value), {})

    @blueprint.post("/users/create")
    @needs(RouteAccess.SIGNED_IN)
    async def create() -> Response:
        form = await read_form()
        require(current_user(), Resource.USER, Action.CREATE)
        typed = CreateUserRequest(
            username=form.get("username", ""),
            email=form.get("email", ""),
            name=form.get("name", ""),
            login_type=form.get("login_type", ""),
            password=form.get("password", ""),
        )
        try:
            user = await users.create(current_user(), typed)
        except (BadRequest, Conflict) as error:
            return show(typed, field_problems(error, _FIELDS), error.status)
        made = translate("%(name)s is a user now.") % {"name": user.username}
        if user.login_type == LoginType.PASSWORD:
            made += " " + translate("Tell them this address and their password.")
        return pages.go("/users", good=made)
