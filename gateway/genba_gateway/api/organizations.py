"""Routes of organizations (contract appendix A, "Organizations")."""

from __future__ import annotations

from quart import Blueprint, Response

from genba_gateway.api.answers import answer
from genba_gateway.api.gate import current_user, needs
from genba_gateway.api.users import role_messages
from genba_gateway.domain.actors import Action, Permission, Resource
from genba_gateway.domain.users import Member, Organization
from genba_gateway.services.organizations import Organizations
from genba_gateway.services.users import Users
from genba_wire.api import users as messages


def organization_message(organization: Organization) -> messages.Organization:
    """An organization as JSON."""
    return messages.Organization(
        id=organization.id,
        name=organization.name,
        display_name=organization.display_name,
        icon=organization.icon,
        description=organization.description,
        created_at=organization.created_at,
        updated_at=organization.updated_at,
        is_default=organization.is_default,
    )


def _member_message(member: Member) -> messages.OrganizationMember:
    return messages.OrganizationMember(
        username=member.user.username,
        name=member.user.name,
        avatar_url=member.user.avatar_url,
        email=member.user.email,
        global_roles=role_messages(member.user.roles),
        user_id=member.user.id,
        organization_id=member.organization_id,
        created_at=member.created_at,
        updated_at=member.updated_at,
        roles=role_messages(member.roles),
    )


def make_blueprint(organizations: Organizations, users: Users) -> Blueprint:
    """Routes on organizations."""
    blueprint = Blueprint("organizations", __name__)
    read = Permission(Resource.ORGANIZATION, Action.READ)

    @blueprint.get("/api/v2/organizations")
    @needs(read)
    async def list_all() -> Response:
        return answer([organization_message(each) for each in await organizations.list_all(current_user())])

    @blueprint.get("/api/v2/organizations/<organization>")
    @needs(read)
    async def get(organization: str) -> Response:
        return answer(organization_message(await organizations.resolve_organization(organization)))

    @blueprint.get("/api/v2/organizations/<organization>/members")
    @needs(Permission(Resource.ORGANIZATION_MEMBER, Action.READ))
    async def list_members(organization: str) -> Response:
        found = await organizations.resolve_organization(organization)
        return answer([_member_message(each) for each in await organizations.list_members(current_user(), found)])

    @blueprint.get("/api/v2/users/<user>/organizations")
    @needs(read)
    async def list_of_user(user: str) -> Response:
        owner = await users.resolve_user(current_user(), user)
        return answer([organization_message(each) for each in await organizations.list_of_user(current_user(), owner)])

    @blueprint.get("/api/v2/users/<user>/organizations/<organization>")
    @needs(read)
    async def get_of_user(user: str, organization: str) -> Response:
        owner = await users.resolve_user(current_user(), user)
        return answer(organization_message(await organizations.get_of_user(current_user(), owner, organization)))

    return blueprint
