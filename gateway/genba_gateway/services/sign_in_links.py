"""Links that sign a browser in once, for those who hold a session elsewhere: `make run`, a terminal."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Final

from genba_gateway.domain.actors import UserActor
from genba_gateway.domain.hashing import hash_secret
from genba_gateway.domain.users import UserStatus, Visitor
from genba_gateway.errors import Unauthenticated
from genba_gateway.services.api_keys import store_session
from genba_gateway.services.visibility import Clock
from genba_gateway.store import api_keys as key_store
from genba_gateway.store import users as user_store
from genba_gateway.store.audit_logs import insert_audit_log
from genba_gateway.store.engine import Database

LINK_LIFETIME: Final = timedelta(minutes=10)


class SignInLinks:
    """Makes and redeems links.

    Args:
        access_url: where browsers reach the gateway, without a slash at its end.
    """

    def __init__(self, database: Database, access_url: str, now: Clock) -> None:
        self._database = database
        self._access_url = access_url
        self._now = now

    async def create(self, actor: UserActor) -> tuple[str, datetime]:
        """A link for the actor, and when it ends. The secret in it works once."""
        code = secrets.token_urlsafe(24)
        now = self._now()
        expires_at = now + LINK_LIFETIME
        async with self._database.write() as connection:
            await key_store.insert_sign_in_link(
                connection,
                hashed_secret=hash_secret(code),
                user_id=actor.user_id,
                created_at=now,
                expires_at=expires_at,
            )
            await insert_audit_log(
                connection,
                now=now,
                user_id=actor.user_id,
                organization_id=None,
                action="create",
                resource_type="api_key",
                resource_id=actor.key_id,
                resource_target="sign-in link",
                ip_address=actor.ip_address,
                user_agent=actor.user_agent,
            )
        return f"{self._access_url}/sign-in?code={code}", expires_at

    async def redeem(self, visitor: Visitor, code: str) -> str:
        """Use a link up; returns the token of a session of 24 h.

        Raises:
            Unauthenticated: unknown, used, expired, or its user is suspended or gone.
        """
        async with self._database.write() as connection:
            now = self._now()
            user_id = await key_store.take_sign_in_link(connection, hash_secret(code), now=now)
            user = await user_store.find_user(connection, user_id) if user_id else None
            if user is not None and user.status != UserStatus.SUSPENDED:
                return await store_session(connection, user, visitor, now)
        raise Unauthenticated("This link was used, or its 10 minutes are over. Make another, or sign in below.")
