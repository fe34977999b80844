"""Organizations: finding them, and who belongs to them."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.domain.actors import Action, Resource, UserActor
from genba_gateway.domain.users import DEFAULT_ORGANIZATION_NAME, Member, Organization, User
from genba_gateway.services.visibility import not_found, require
from genba_gateway.store import organizations as organization_store
from genba_gateway.store.engine import Database
from genba_wire.api.message import NIL_UUID

_DEFAULT_NAMES = frozenset({"default", NIL_UUID})


async def ensure_default_organization(connection: AsyncConnection, now: datetime) -> Organization:
    """The default organization, made if there is none."""
    found = await organization_store.find_default_organization(connection)
    if found is not None:
        return found
    made = Organization(
        id=str(uuid.uuid4()),
        name=DEFAULT_ORGANIZATION_NAME,
        display_name="Default",
        icon="",
        description="",
        is_default=True,
        created_at=now,
        updated_at=now,
    )
    await organization_store.insert_organization(connection, made)
    return made


class Organizations:
    """Use cases on organizations."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def resolve_organization(self, text: str) -> Organization:
        """The organization that a path's `{organization}` means: an id, a name, `default`, or the nil UUID.

        Raises:
            NotFound: there is none.
        """
        async with self._database.read() as connection:
            if text in _DEFAULT_NAMES:
                found = await organization_store.find_default_organization(connection)
            else:
                found = await organization_store.find_organization(connection, text.lower())
                found = found or await organization_store.find_organization_by_name(connection, text)
        if found is None:
            raise not_found()
        return found

    async def list_all(self, actor: UserActor) -> list[Organization]:
        """All organizations."""
        require(actor, Resource.ORGANIZATION, Action.READ)
        async with self._database.read() as connection:
            return await organization_store.list_organizations(connection)

    async def list_of_user(self, actor: UserActor, owner: User) -> list[Organization]:
        """The organizations that a user belongs to."""
        require(actor, Resource.ORGANIZATION, Action.READ)
        async with self._database.read() as connection:
            return await organization_store.list_organizations(connection, member_id=owner.id)

    async def get_of_user(self, actor: UserActor, owner: User, name: str) -> Organization:
        """One of a user's organizations, by name or any other way to say it."""
        wanted = await self.resolve_organization(name)
        for organization in await self.list_of_user(actor, owner):
            if organization.id == wanted.id:
                return organization
        raise not_found()

    async def list_members(self, actor: UserActor, organization: Organization) -> list[Member]:
        """The members of an organization."""
        require(actor, Resource.ORGANIZATION_MEMBER, Action.READ)
        async with self._database.read() as connection:
            return await organization_store.list_members(connection, organization.id)
