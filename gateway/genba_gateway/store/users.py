"""Queries on users."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.domain.actors import OWNER
from genba_gateway.domain.users import LoginType, User, UserStatus
from genba_gateway.store import tables
from genba_gateway.store.rows import Row, columns_of, read_record

_users = tables.users
_members = tables.organization_members
_workspaces = tables.workspaces
_git_keys = tables.git_ssh_keys


def user_columns(prefix: str = "") -> list[sa.Label[Any]]:
    """What `read_user` reads; the organizations are a list of JSON, so that one statement gives a user whole."""
    theirs = _members.alias()  # a query may ask the members themselves, too
    organizations = sa.select(sa.func.json_group_array(theirs.c.organization_id)).where(theirs.c.user_id == _users.c.id)
    return [*columns_of(_users, prefix), organizations.scalar_subquery().label(prefix + "organizations")]


def read_user(row: Row, prefix: str = "") -> User:
    """A user from a row of `user_columns`."""
    return read_record(
        User,
        row,
        prefix,
        roles=tuple(row[prefix + "roles"]),
        organization_ids=tuple(json.loads(row[prefix + "organizations"])),
    )


_SELECT: Final = sa.select(*user_columns()).where(_users.c.deleted.is_(False))


async def insert_user(connection: AsyncConnection, user: User) -> None:
    """Store a new user.

    Raises:
        sqlalchemy.exc.IntegrityError: the username or e-mail address is taken.
    """
    values = {name: getattr(user, name) for name in user.__slots__ if name not in {"organization_ids", "roles"}}
    await connection.execute(_users.insert().values(**values, roles=list(user.roles)))


async def find_user(connection: AsyncConnection, user_id: str) -> User | None:
    """One user by id, unless deleted."""
    return await _find(connection, _users.c.id == user_id)


async def find_user_by_name(connection: AsyncConnection, username: str) -> User | None:
    """One user by name, unless deleted."""
    return await _find(connection, sa.func.lower(_users.c.username) == username.lower())


async def find_user_by_email(connection: AsyncConnection, email: str) -> User | None:
    """One user by e-mail address, unless deleted."""
    return await _find(connection, sa.func.lower(_users.c.email) == email.lower())


async def _find(connection: AsyncConnection, condition: sa.ColumnElement[bool]) -> User | None:
    row = (await connection.execute(_SELECT.where(condition))).mappings().one_or_none()
    return None if row is None else read_user(row)


async def has_users(connection: AsyncConnection) -> bool:
    """Whether anybody was ever made: deleting the first user does not open the deployment to the next comer."""
    return (await connection.execute(sa.select(sa.literal(1)).select_from(_users).limit(1))).first() is not None


async def count_users(connection: AsyncConnection) -> int:
    """Users that are not deleted."""
    query = sa.select(sa.func.count()).select_from(_users).where(_users.c.deleted.is_(False))
    return (await connection.execute(query)).scalar_one()


async def list_users(
    connection: AsyncConnection,
    *,
    search: str = "",
    status: str = "",
    role: str = "",
    login_type: str = "",
    last_seen_before: datetime | None = None,
    last_seen_after: datetime | None = None,
    created_before: datetime | None = None,
    created_after: datetime | None = None,
    user_id: str | None = None,
    after_id: str | None = None,
    limit: int | None = None,
    offset: int = 0,
) -> tuple[list[User], int]:
    """Users that match by username, and how many match in all; `user_id` leaves that user at most."""
    query = _SELECT
    if search:
        text = search.lower()
        query = query.where(
            sa.or_(
                sa.func.lower(_users.c.username).contains(text, autoescape=True),
                sa.func.lower(_users.c.email).contains(text, autoescape=True),
            )
        )
    if status:
        query = query.where(_users.c.status == status)
    if login_type:
        query = query.where(_users.c.login_type == login_type)
    if last_seen_before is not None:
        query = query.where(_users.c.last_seen_at <= last_seen_before)
    if last_seen_after is not None:
        query = query.where(_users.c.last_seen_at >= last_seen_after)
    if created_before is not None:
        query = query.where(_users.c.created_at <= created_before)
    if created_after is not None:
        query = query.where(_users.c.created_at >= created_after)
    if user_id is not None:
        query = query.where(_users.c.id == user_id)
    if role and role != "member":
        query = query.where(sa.cast(_users.c.roles, sa.Text).contains(f'"{role}"', autoescape=True))
    count = (await connection.execute(sa.select(sa.func.count()).select_from(query.subquery()))).scalar_one()
    if after_id is not None:
        after = sa.select(sa.func.lower(_users.c.username)).where(_users.c.id == after_id).scalar_subquery()
        query = query.where(sa.func.lower(_users.c.username) > after)
    query = query.order_by(sa.func.lower(_users.c.username)).offset(offset).limit(limit)
    return [read_user(row) for row in (await connection.execute(query)).mappings().all()], count


async def touch_user(connection: AsyncConnection, user_id: str, *, now: datetime) -> None:
    """The user was seen; who was dormant is active by that (contract 5.1)."""
    revived = sa.case((_users.c.status == UserStatus.DORMANT.value, UserStatus.ACTIVE.value), else_=_users.c.status)
    await connection.execute(_users.update().where(_users.c.id == user_id).values(last_seen_at=now, status=revived))


async def update_user(connection: AsyncConnection, user_id: str, values: Mapping[str, object]) -> None:
    """Change columns of a user."""
    await connection.execute(_users.update().where(_users.c.id == user_id).values(**values))


async def count_workspaces(connection: AsyncConnection, user_id: str) -> int:
    """How many workspaces a user has."""
    query = sa.select(sa.func.count()).select_from(_workspaces)
    query = query.where(_workspaces.c.owner_id == user_id, _workspaces.c.deleted.is_(False))
    return (await connection.execute(query)).scalar_one()


async def has_other_owner(connection: AsyncConnection, user_id: str) -> bool:
    """Whether somebody else than this user is an owner who can sign in."""
    query = _SELECT.where(
        _users.c.id != user_id,
        _users.c.status != UserStatus.SUSPENDED.value,
        _users.c.login_type != LoginType.NONE.value,
    )
    rows = (await connection.execute(query)).mappings().all()
    return any(OWNER in read_user(row).roles for row in rows)


async def delete_user(connection: AsyncConnection, user_id: str, now: datetime) -> None:
    """Mark a user as deleted, and forget their password and git key."""
    await connection.execute(_git_keys.delete().where(_git_keys.c.user_id == user_id))
    values = {"deleted": True, "password_hash": "", "updated_at": now}
    await connection.execute(_users.update().where(_users.c.id == user_id).values(**values))
