"""Queries on API keys and sign-in links."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.domain.users import ApiKey, KeyScope, User
from genba_gateway.store import tables
from genba_gateway.store.rows import columns_of, read_record
from genba_gateway.store.users import read_user, user_columns

_keys = tables.api_keys
_links = tables.sign_in_links
_users = tables.users

# Made once: every request asks this, and SQLAlchemy takes longer to put it together than SQLite to answer it.
_SELECT_SESSION: Final = (
    sa.select(*columns_of(_keys, "k_"), *user_columns())
    .join_from(_keys, _users, sa.and_(_users.c.id == _keys.c.user_id, _users.c.deleted.is_(False)), isouter=True)
    .where(_keys.c.id == sa.bindparam("key_id"))
)


async def insert_api_key(connection: AsyncConnection, key: ApiKey) -> None:
    """Store a new key.

    Raises:
        sqlalchemy.exc.IntegrityError: the user has a token of this name.
    """
    await connection.execute(_keys.insert().values(**{name: getattr(key, name) for name in key.__slots__}))


async def find_api_key(connection: AsyncConnection, key_id: str) -> ApiKey | None:
    """One key, expired ones too."""
    row = (await connection.execute(sa.select(_keys).where(_keys.c.id == key_id))).mappings().one_or_none()
    return read_record(ApiKey, row) if row else None


async def find_session(connection: AsyncConnection, key_id: str) -> tuple[ApiKey, User | None] | None:
    """One key, expired ones too, and its user unless deleted."""
    row = (await connection.execute(_SELECT_SESSION, {"key_id": key_id})).mappings().one_or_none()
    if row is None:
        return None
    return read_record(ApiKey, row, "k_"), read_user(row) if row["id"] is not None else None


async def find_token_by_name(connection: AsyncConnection, user_id: str, token_name: str) -> ApiKey | None:
    """One named token of a user."""
    query = sa.select(_keys).where(_keys.c.user_id == user_id, _keys.c.token_name == token_name)
    row = (await connection.execute(query)).mappings().one_or_none()
    return read_record(ApiKey, row) if row else None


async def list_tokens(connection: AsyncConnection, *, user_id: str | None) -> list[tuple[ApiKey, str]]:
    """Named tokens with their owners' names; of all users when none is given."""
    query = (
        sa.select(_keys, _users.c.username)
        .join(_users, _users.c.id == _keys.c.user_id)
        .where(_keys.c.login_type == "token")
        .order_by(_keys.c.created_at)
    )
    if user_id is not None:
        query = query.where(_keys.c.user_id == user_id)
    rows = (await connection.execute(query)).mappings().all()
    return [(read_record(ApiKey, row), row["username"]) for row in rows]


async def touch_api_key(connection: AsyncConnection, key_id: str, *, now: datetime, expires_at: datetime) -> None:
    """The key was used; its expiry slides."""
    values = {"last_used": now, "updated_at": now, "expires_at": expires_at}
    await connection.execute(_keys.update().where(_keys.c.id == key_id).values(**values))


async def delete_api_key(connection: AsyncConnection, key_id: str) -> None:
    """Remove a key."""
    await connection.execute(_keys.delete().where(_keys.c.id == key_id))


async def list_key_ids(connection: AsyncConnection, user_id: str) -> list[str]:
    """The ids of all keys of a user."""
    return list((await connection.execute(sa.select(_keys.c.id).where(_keys.c.user_id == user_id))).scalars().all())


async def delete_keys_of_user(connection: AsyncConnection, user_id: str, *, keep_id: str = "") -> list[str]:
    """Remove a user's keys of all kinds but one; their ids."""
    statement = _keys.delete().where(_keys.c.user_id == user_id, _keys.c.id != keep_id).returning(_keys.c.id)
    return list((await connection.execute(statement)).scalars().all())


async def delete_app_keys(connection: AsyncConnection, user_id: str) -> None:
    """Remove the keys that a user's browser holds for workspace apps."""
    scope = KeyScope.APPLICATION_CONNECT.value
    await connection.execute(_keys.delete().where(_keys.c.user_id == user_id, _keys.c.scope == scope))


async def delete_app_keys_expired_before(connection: AsyncConnection, user_id: str, time: datetime) -> None:
    """Remove a user's keys for workspace apps that ended before a time: most were never used."""
    scope = KeyScope.APPLICATION_CONNECT.value
    await connection.execute(
        _keys.delete().where(
            _keys.c.user_id == user_id, _keys.c.scope == scope, _keys.c.token_name == "", _keys.c.expires_at < time
        )
    )


async def renew_app_key(
    connection: AsyncConnection,
    key_id: str,
    *,
    hashed_secret: bytes,
    lifetime: timedelta,
    now: datetime,
    ip_address: str,
) -> None:
    """Give a key another secret, so that the former is of no use, and a life from now on."""
    values = {
        "hashed_secret": hashed_secret,
        "lifetime_seconds": int(lifetime.total_seconds()),
        "updated_at": now,
        "last_used": now,
        "expires_at": now + lifetime,
        "ip_address": ip_address,
    }
    await connection.execute(_keys.update().where(_keys.c.id == key_id).values(**values))


async def delete_keys_expired_before(connection: AsyncConnection, user_id: str, time: datetime) -> None:
    """Remove a user's keys that ended before a time."""
    await connection.execute(_keys.delete().where(_keys.c.user_id == user_id, _keys.c.expires_at < time))


async def delete_token_by_name(connection: AsyncConnection, user_id: str, token_name: str) -> None:
    """Remove a named token if it is there."""
    await connection.execute(_keys.delete().where(_keys.c.user_id == user_id, _keys.c.token_name == token_name))


async def insert_sign_in_link(
    connection: AsyncConnection, *, hashed_secret: bytes, user_id: str, created_at: datetime, expires_at: datetime
) -> None:
    """Store a one-time link."""
    await connection.execute(
        _links.insert().values(
            hashed_secret=hashed_secret, user_id=user_id, created_at=created_at, expires_at=expires_at
        )
    )


async def delete_sign_in_links(connection: AsyncConnection, user_id: str) -> None:
    """Remove the links that would sign a user in."""
    await connection.execute(_links.delete().where(_links.c.user_id == user_id))


async def take_sign_in_link(connection: AsyncConnection, hashed_secret: bytes, *, now: datetime) -> str | None:
    """Use up a link: the user's id, or None when it is unknown, used or expired. Expired ones go too."""
    statement = _links.delete().where(_links.c.hashed_secret == hashed_secret)
    row = (await connection.execute(statement.returning(_links.c.user_id, _links.c.expires_at))).one_or_none()
    await connection.execute(_links.delete().where(_links.c.expires_at <= now))
    return row.user_id if row is not None and row.expires_at > now else None
