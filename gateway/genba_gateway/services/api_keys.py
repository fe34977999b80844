"""API keys: sessions, keys of 7 days, named tokens (contract 5.1)."""

from __future__ import annotations

import secrets
import string
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.domain.actors import Action, Resource, UserActor
from genba_gateway.domain.channels import of_key
from genba_gateway.domain.hashing import hash_secret
from genba_gateway.domain.names import explain_bad_version_name
from genba_gateway.domain.users import (
    API_KEY_ID_CHARS,
    API_KEY_SECRET_CHARS,
    KEY_LIFETIME,
    MAX_TOKEN_LIFETIME,
    SESSION_LIFETIME,
    ApiKey,
    KeyScope,
    LoginType,
    User,
    Visitor,
)
from genba_gateway.errors import BadRequest, Conflict, FieldProblem
from genba_gateway.services.visibility import Clock, not_found, require
from genba_gateway.store import api_keys as key_store
from genba_gateway.store import users as user_store
from genba_gateway.store.audit_logs import insert_audit_log
from genba_gateway.store.engine import Database
from genba_gateway.store.pubsub import PubSub

__all__ = ["KEY_LIFETIME", "ApiKeys", "make_api_key", "store_session"]

KEEP_EXPIRED: Final = timedelta(days=7)
"""An ended key is still told as expired for this long, then as unknown."""

_NS_PER_S: Final = 1_000_000_000
_ALPHABET: Final = string.ascii_letters + string.digits


def make_api_key(
    user_id: str,
    *,
    now: datetime,
    lifetime: timedelta,
    login_type: str,
    scope: KeyScope = KeyScope.ALL,
    token_name: str = "",
    ip_address: str = "",
) -> tuple[ApiKey, str]:
    """A key to store, and its token `<id>-<secret>`, which is shown once."""
    key_id, secret = _random_text(API_KEY_ID_CHARS), _random_text(API_KEY_SECRET_CHARS)
    key = ApiKey(
        id=key_id,
        user_id=user_id,
        hashed_secret=hash_secret(secret),
        login_type=login_type,
        scope=scope.value,
        token_name=token_name,
        lifetime_seconds=int(lifetime.total_seconds()),
        ip_address=ip_address,
        created_at=now,
        updated_at=now,
        last_used=now,
        expires_at=now + lifetime,
    )
    return key, f"{key_id}-{secret}"


async def store_session(connection: AsyncConnection, user: User, visitor: Visitor, now: datetime) -> str:
    """Make and record a session of 24 h for somebody who proved who they are; returns its token."""
    key, token = make_api_key(
        user.id, now=now, lifetime=SESSION_LIFETIME, login_type=user.login_type, ip_address=visitor.ip_address
    )
    await key_store.delete_keys_expired_before(connection, user.id, now - KEEP_EXPIRED)
    await key_store.insert_api_key(connection, key)
    await user_store.touch_user(connection, user.id, now=now)
    await insert_audit_log(
        connection,
        now=now,
        user_id=user.id,
        organization_id=None,
        action="login",
        resource_type="api_key",
        resource_id=key.id,
        resource_target=user.username,
        ip_address=visitor.ip_address,
        user_agent=visitor.user_agent,
        status_code=201,
    )
    return token


class ApiKeys:
    """Use cases on the keys of a user, who was resolved by `Users.resolve_user`."""

    def __init__(self, database: Database, pubsub: PubSub, now: Clock) -> None:
        self._database = database
        self._pubsub = pubsub
        self._now = now

    async def create_key(self, actor: UserActor, owner: User) -> str:
        """A key of 7 days, for a command line that signs in; returns its token."""
        require(actor, Resource.API_KEY, Action.CREATE, owner.id)
        login_type = LoginType.PASSWORD.value if owner.login_type == LoginType.NONE else owner.login_type
        return await self._store(actor, owner, KEY_LIFETIME, login_type, KeyScope.ALL, "")

    async def create_token(self, actor: UserActor, owner: User, *, lifetime_ns: int, scope: str, name: str) -> str:
        """A named token.

        Args:
            lifetime_ns: 0 for 7 days.
            name: empty for a random one.

        Raises:
            BadRequest: a lifetime below 1 s or over the limit, an unknown scope, a bad name.
            Conflict: the owner has a token of that name.
        """
        require(actor, Resource.API_KEY, Action.CREATE, owner.id)
        # Compared before it is a timedelta, which can't be of any length.
        if lifetime_ns and not _NS_PER_S <= lifetime_ns <= MAX_TOKEN_LIFETIME // timedelta(microseconds=1) * 1000:
            limit_h = int(MAX_TOKEN_LIFETIME.total_seconds()) // 3600
            problem = f"must be from 1 s to {limit_h} h, in nanoseconds"
            raise BadRequest(f"The token's lifetime {problem}.", validations=[FieldProblem("lifetime", problem)])
        lifetime = timedelta(microseconds=lifetime_ns // 1000) if lifetime_ns else KEY_LIFETIME
        name = name or f"token-{secrets.token_hex(4)}"
        problem_of_name = explain_bad_version_name(name)
        if problem_of_name is not None:
            raise BadRequest(
                f"The token's name {problem_of_name}.", validations=[FieldProblem("token_name", problem_of_name)]
            )
        try:
            return await self._store(actor, owner, lifetime, LoginType.TOKEN.value, _scope(scope), name)
        except IntegrityError as error:
            raise Conflict(
                f"A token with the name {name!r} exists already: choose another, or delete that one.",
                validations=[FieldProblem("token_name", "is taken")],
            ) from error

    async def list_tokens(self, actor: UserActor, owner: User, *, include_all: bool) -> list[tuple[ApiKey, str]]:
        """Named tokens, each with its owner's username.

        Those of the owner; with `include_all` those of everybody, as far as the actor may see them.
        """
        require(actor, Resource.API_KEY, Action.READ, owner.id)
        everybody = include_all and actor.is_owner
        async with self._database.read() as connection:
            return await key_store.list_tokens(connection, user_id=None if everybody else owner.id)

    async def get_token(self, actor: UserActor, owner: User, name: str) -> ApiKey:
        """One named token."""
        require(actor, Resource.API_KEY, Action.READ, owner.id)
        async with self._database.read() as connection:
            key = await key_store.find_token_by_name(connection, owner.id, name) if name else None
        if key is None:
            raise not_found()
        return key

    async def get_key(self, actor: UserActor, owner: User, key_id: str) -> ApiKey:
        """One key of any kind, by its id."""
        require(actor, Resource.API_KEY, Action.READ, owner.id)
        async with self._database.read() as connection:
            key = await key_store.find_api_key(connection, key_id)
        if key is None or key.user_id != owner.id:
            raise not_found()
        return key

    async def delete_key(self, actor: UserActor, owner: User, key_id: str) -> None:
        """End a key."""
        require(actor, Resource.API_KEY, Action.DELETE, owner.id)
        async with self._database.write() as connection:
            key = await key_store.find_api_key(connection, key_id)
            if key is None or key.user_id != owner.id:
                raise not_found()
            await key_store.delete_api_key(connection, key_id)
            await self._audit(connection, actor, "delete", key)
        self._pubsub.publish(of_key(key_id))

    async def _store(
        self, actor: UserActor, owner: User, lifetime: timedelta, login_type: str, scope: KeyScope, name: str
    ) -> str:
        key, token = make_api_key(
            owner.id,
            now=self._now(),
            lifetime=lifetime,
            login_type=login_type,
            scope=scope,
            token_name=name,
            ip_address=actor.ip_address,
        )
        async with self._database.write() as connection:
            await key_store.delete_keys_expired_before(connection, owner.id, self._now() - KEEP_EXPIRED)
            await key_store.insert_api_key(connection, key)
            await self._audit(connection, actor, "create", key)
        return token

    async def _audit(self, connection: AsyncConnection, actor: UserActor, action: str, key: ApiKey) -> None:
        await insert_audit_log(
            connection,
            now=self._now(),
            user_id=actor.user_id,
            organization_id=None,
            action=action,
            resource_type="api_key",
            resource_id=key.id,
            resource_target=key.token_name,
            ip_address=actor.ip_address,
            user_agent=actor.user_agent,
            additional_fields={"owner_id": key.user_id},
        )


def _scope(text: str) -> KeyScope:
    try:
        return KeyScope(text) if text else KeyScope.ALL
    except ValueError:
        choices = ", ".join(KeyScope)
        raise BadRequest(
            f"{text!r} is no scope: choose among {choices}.",
            validations=[FieldProblem("scope", f"must be one of {choices}")],
        ) from None


def _random_text(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
