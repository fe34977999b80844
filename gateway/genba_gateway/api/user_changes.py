"""Routes that change users (contract 5.2, 5.3)."""

from __future__ import annotations

from quart import Blueprint, Response

from genba_gateway.api.answers import answer, no_content, read_body, say
from genba_gateway.api.gate import current_user, needs
from genba_gateway.api.users import role_messages, user_message
from genba_gateway.domain.actors import Action, Permission, Resource, RouteAccess
from genba_gateway.domain.password_rule import explain_weak_password
from genba_gateway.domain.users import User
from genba_gateway.services.user_changes import ASSIGNABLE_ROLES, UserChanges
from genba_gateway.services.users import Users
from genba_wire.api import users as messages

_EVERYTHING = messages.RolePermission(negate=False, resource_type="*", action="*")


def make_blueprint(changes: UserChanges, users: Users) -> Blueprint:
    """Routes on one user."""
    blueprint = Blueprint("user_changes", __name__)
    update = Permission(Resource.USER, Action.UPDATE)
    administer = Permission(Resource.USER, Action.DELETE)
    assign = Permission(Resource.ASSIGN_ROLE, Action.ASSIGN)
    base = "/api/v2/users/<user>"

    async def find(text: str) -> User:
        return await users.resolve_user(current_user(), text)

    @blueprint.get("/api/v2/users/roles")
    @needs(assign)
    async def list_assignable() -> Response:
        return answer(
            [
                messages.AssignableRole(
                    name=role.name,
                    display_name=role.display_name,
                    site_permissions=[_EVERYTHING],
                    organization_permissions=[],
                    user_permissions=[],
                    assignable=True,
                    built_in=True,
                )
                for role in role_messages(ASSIGNABLE_ROLES)
            ]
        )

    @blueprint.post("/api/v2/users/validate-password")
    @needs(RouteAccess.PUBLIC)
    async def validate_password() -> Response:
        wrong = explain_weak_password((await read_body(messages.ValidatePasswordRequest)).password)
        details = f"The password {wrong}." if wrong else ""
        return answer(messages.ValidatePasswordResponse(valid=wrong is None, details=details))

    @blueprint.put(f"{base}/profile")
    @needs(update)
    async def set_profile(user: str) -> Response:
        found, body = await find(user), await read_body(messages.UpdateProfileRequest)
        changed = await changes.set_profile(current_user(), found, username=body.username, name=body.name)
        return answer(user_message(changed))

    @blueprint.put(f"{base}/appearance")
    @needs(update)
    async def set_theme(user: str) -> Response:
        found, body = await find(user), await read_body(messages.UpdateThemeRequest)
        return answer(user_message(await changes.set_theme(current_user(), found, body.theme_preference)))

    @blueprint.put(f"{base}/password")
    @needs(update)
    async def set_password(user: str) -> Response:
        found, body = await find(user), await read_body(messages.UpdatePasswordRequest)
        await changes.set_password(current_user(), found, old=body.old_password, new=body.password)
        return no_content()

    @blueprint.put(f"{base}/status/suspend")
    @needs(administer)
    async def suspend(user: str) -> Response:
        return answer(user_message(await changes.suspend(current_user(), await find(user))))

    @blueprint.put(f"{base}/status/activate")
    @needs(administer)
    async def activate(user: str) -> Response:
        return answer(user_message(await changes.activate(current_user(), await find(user))))

    @blueprint.put(f"{base}/roles")
    @needs(assign)
    async def set_roles(user: str) -> Response:
        found, body = await find(user), await read_body(messages.UpdateRolesRequest)
        return answer(user_message(await changes.set_roles(current_user(), found, body.roles)))

    @blueprint.delete(base)
    @needs(administer)
    async def delete(user: str) -> Response:
        found = await find(user)
        await changes.delete(current_user(), found)
        return say(f"User {found.username} was deleted.")

    return blueprint
