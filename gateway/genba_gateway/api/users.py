"""Routes of users and of signing in (contract 5.2)."""

from __future__ import annotations

from collections.abc import Sequence

from quart import Blueprint, Response, request

from genba_gateway.api.answers import answer, read_body, say
from genba_gateway.api.cookies import clear_session_cookies, set_session_cookies
from genba_gateway.api.gate import client_address, current_user, needs
from genba_gateway.api.paging import read_page
from genba_gateway.domain.actors import Action, Permission, Resource, RouteAccess
from genba_gateway.domain.users import User, Visitor
from genba_gateway.services.sign_in import SignIn
from genba_gateway.services.users import Users
from genba_wire.api import users as messages


def visitor_of_request() -> Visitor:
    """Who asks, where nobody is signed in yet."""
    return Visitor(client_address(), request.headers.get("User-Agent", "")[:256])


def role_messages(roles: Sequence[str]) -> list[messages.SlimRole]:
    """Roles as JSON."""
    return [messages.SlimRole(name=role, display_name=role.replace("-", " ").capitalize()) for role in roles]


def user_message(user: User) -> messages.User:
    """A user as JSON."""
    return messages.User(
        id=user.id,
        username=user.username,
        avatar_url=user.avatar_url,
        name=user.name,
        email=user.email,
        created_at=user.created_at,
        updated_at=user.updated_at,
        last_seen_at=user.last_seen_at,
        status=user.status,
        login_type=user.login_type,
        theme_preference=user.theme_preference,
        organization_ids=list(user.organization_ids),
        roles=role_messages(user.roles),
    )


def make_blueprint(users: Users, sign_in: SignIn, *, secure_cookies: bool) -> Blueprint:
    """Routes on users.

    Args:
        secure_cookies: browsers reach the gateway by https.
    """
    blueprint = Blueprint("users", __name__)
    read = Permission(Resource.USER, Action.READ)
    _add_sign_in_routes(blueprint, sign_in, secure_cookies=secure_cookies)

    @blueprint.get("/api/v2/users/first")
    @needs(RouteAccess.PUBLIC)
    async def has_first() -> Response:
        if await users.has_first():
            return say("The first user exists.")
        return say("There is no user yet: make the first one.", 404)

    @blueprint.post("/api/v2/users/first")
    @needs(RouteAccess.PUBLIC)
    async def create_first() -> Response:
        user = await users.create_first(visitor_of_request(), await read_body(messages.CreateFirstUserRequest))
        return answer(messages.CreateFirstUserResponse(user_id=user.id, organization_id=user.organization_ids[0]), 201)

    @blueprint.get("/api/v2/users")
    @needs(read)
    async def list_page() -> Response:
        page = read_page()
        found, count = await users.list_page(
            current_user(),
            request.args.get("q", ""),
            after_id=page.after_id,
            limit=page.limit,
            offset=page.offset,
        )
        return answer(messages.UsersResponse(users=[user_message(user) for user in found], count=count))

    @blueprint.post("/api/v2/users")
    @needs(Permission(Resource.USER, Action.CREATE))
    async def create() -> Response:
        return answer(
            user_message(await users.create(current_user(), await read_body(messages.CreateUserRequest))), 201
        )

    @blueprint.get("/api/v2/users/<user>")
    @needs(read)
    async def get(user: str) -> Response:
        return answer(user_message(await users.resolve_user(current_user(), user)))

    @blueprint.get("/api/v2/users/<user>/roles")
    @needs(read)
    async def list_roles(user: str) -> Response:
        roles, by_organization = await users.list_roles(current_user(), user)
        return answer(
            messages.UserRoles(
                roles=list(roles), organization_roles={each: list(names) for each, names in by_organization.items()}
            )
        )

    @blueprint.get("/api/v2/users/<user>/login-type")
    @needs(read)
    async def get_login_type(user: str) -> Response:
        found = await users.resolve_user(current_user(), user)
        return answer(messages.UserLoginType(login_type=found.login_type))

    return blueprint


def _add_sign_in_routes(blueprint: Blueprint, sign_in: SignIn, *, secure_cookies: bool) -> None:
    @blueprint.get("/api/v2/users/authmethods")
    @needs(RouteAccess.PUBLIC)
    async def list_methods() -> Response:
        off = messages.AuthMethod(enabled=False)
        oidc = messages.OIDCAuthMethod(enabled=False, signInText="", iconUrl="")
        return answer(messages.AuthMethods(password=messages.AuthMethod(enabled=True), github=off, oidc=oidc))

    @blueprint.post("/api/v2/users/login")
    @needs(RouteAccess.PUBLIC)
    async def log_in() -> Response:
        body = await read_body(messages.LoginRequest)
        token = await sign_in.sign_in(visitor_of_request(), body.email, body.password)
        response = answer(messages.LoginResponse(session_token=token), 201)
        set_session_cookies(response, token, secure=secure_cookies)
        return response

    @blueprint.post("/api/v2/users/logout")
    @needs(RouteAccess.SIGNED_IN)
    async def log_out() -> Response:
        await sign_in.sign_out(current_user())
        response = say("You are signed out.")
        clear_session_cookies(response, secure=secure_cookies)
        return response
