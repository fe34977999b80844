"""Queries on organizations and their members."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.domain.users import Member, Organization
from genba_gateway.store import tables
from genba_gateway.store.rows import read_record
from genba_gateway.store.users import read_user, user_columns

_organizations = tables.organizations
_members = tables.organization_members
_users = tables.users


async def insert_organization(connection: AsyncConnection, organization: Organization) -> None:
    """Store a new organization."""
    values = {name: getattr(organization, name) for name in organization.__slots__}
    await connection.execute(_organizations.insert().values(**values))


async def find_organization(connection: AsyncConnection, organization_id: str) -> Organization | None:
    """One organization by id."""
    return await _find(connection, _organizations.c.id == organization_id)


async def find_organization_by_name(connection: AsyncConnection, name: str) -> Organization | None:
    """One organization by name."""
    return await _find(connection, _organizations.c.name == name)


async def find_default_organization(connection: AsyncConnection) -> Organization | None:
    """The default organization; None before the first user was made."""
    return await _find(connection, _organizations.c.is_default.is_(True))


async def _find(connection: AsyncConnection, condition: sa.ColumnElement[bool]) -> Organization | None:
    query = sa.select(_organizations).where(condition, _organizations.c.deleted.is_(False))
    row = (await connection.execute(query)).mappings().one_or_none()
    return read_record(Organization, row) if row else None


async def list_organizations(connection: AsyncConnection, *, member_id: str | None = None) -> list[Organization]:
    """Organizations by name; only those of a member when one is given."""
    query = sa.select(_organizations).where(_organizations.c.deleted.is_(False)).order_by(_organizations.c.name)
    if member_id is not None:
        query = query.join(_members, _members.c.organization_id == _organizations.c.id)
        query = query.where(_members.c.user_id == member_id)
    rows = (await connection.execute(query)).mappings().all()
    return [read_record(Organization, row) for row in rows]


async def insert_member(connection: AsyncConnection, member: Member) -> None:
    """Make a user a member."""
    await connection.execute(
        _members.insert().values(
            organization_id=member.organization_id,
            user_id=member.user.id,
            roles=list(member.roles),
            created_at=member.created_at,
            updated_at=member.updated_at,
        )
    )


async def list_members(connection: AsyncConnection, organization_id: str) -> list[Member]:
    """Members by username."""
    query = (
        sa.select(*user_columns("u_"), _members)
        .join(_users, _users.c.id == _members.c.user_id)
        .where(_members.c.organization_id == organization_id, _users.c.deleted.is_(False))
        .order_by(_users.c.username)
    )
    rows = (await connection.execute(query)).mappings().all()
    return [read_record(Member, row, user=read_user(row, "u_"), roles=tuple(row["roles"])) for row in rows]


async def list_memberships(connection: AsyncConnection, user_id: str) -> dict[str, tuple[str, ...]]:
    """A user's roles within each organization that they belong to, by its id."""
    query = sa.select(_members.c.organization_id, _members.c.roles).where(_members.c.user_id == user_id)
    return {row.organization_id: tuple(row.roles) for row in (await connection.execute(query)).all()}
