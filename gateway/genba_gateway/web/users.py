"""The pages of all users, for who may see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from quart import Blueprint, Response, request

from genba_gateway.api.gate import current_user, needs
from genba_gateway.domain.actors import Action, Resource, RouteAccess
from genba_gateway.domain.users import LoginType
from genba_gateway.errors import BadRequest, Conflict
from genba_gateway.services.users import Users
from genba_gateway.services.visibility import require
from genba_gateway.web.field_problems import field_problems
from genba_gateway.web.forms import read_form
from genba_gateway.web.languages import translate
from genba_gateway.web.pages import Pages
from genba_gateway.web.user_views import view_user
from genba_wire.api.users import CreateUserRequest

USERS_PER_PAGE: Final = 50
MAX_PAGE: Final = 100_000
MAX_QUERY_CHARS: Final = 1000
"""The page cuts off what is longer; its field takes no more."""

_FIELDS: Final = ("username", "email", "name", "login_type", "password")


@dataclass(frozen=True, slots=True)
class Listing:
    """Which users the page shows: it is all in the address, so that back and reload keep it."""

    query: str
    page: int
    count: int
    """Those on all pages."""

    @property
    def last_page(self) -> int:
        """The number of the last page."""
        return max(1, -(-self.count // USERS_PER_PAGE))

    def address(self, page: int) -> str:
        """The address of another page of the same search."""
        return "/users?" + urlencode({**({"q": self.query} if self.query else {}), "page": page})


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
        query, number = request.args.get("q", "")[:MAX_QUERY_CHARS], _page_number()
        try:
            offset = (number - 1) * USERS_PER_PAGE
            found, count = await users.list_page(actor, query, after_id=None, limit=USERS_PER_PAGE, offset=offset)
        except BadRequest as error:
            problem = "; ".join(f"{each.field} {each.detail}" for each in error.validations) or error.message
            return pages.show("users/list.html", status=400, users=[], listing=Listing(query, 1, 0), problem=problem)
        shown = [view_user(user) for user in found]
        return pages.show("users/list.html", users=shown, listing=Listing(query, number, count), problem="")


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


def _page_number() -> int:
    text = request.args.get("page", "")
    return min(max(int(text), 1), MAX_PAGE) if text.isascii() and text.isdigit() and len(text) <= 9 else 1
