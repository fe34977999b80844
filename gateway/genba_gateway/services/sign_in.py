"""Signing in with a password, and out (contract 5.2)."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.domain.actors import UserActor
from genba_gateway.domain.channels import of_key
from genba_gateway.domain.users import LoginType, User, UserStatus, Visitor
from genba_gateway.errors import Forbidden, Unauthenticated
from genba_gateway.services.api_keys import store_session
from genba_gateway.services.passwords import Passwords
from genba_gateway.services.visibility import Clock
from genba_gateway.store import api_keys as key_store
from genba_gateway.store import users as user_store
from genba_gateway.store.audit_logs import insert_audit_log
from genba_gateway.store.engine import Database
from genba_gateway.store.pubsub import PubSub


class SignIn:
    """Makes and ends browsers' and command lines' sessions."""

    def __init__(self, database: Database, passwords: Passwords, pubsub: PubSub, now: Clock) -> None:
        self._database = database
        self._pubsub = pubsub
        self._passwords = passwords
        self._now = now

    async def sign_in(self, visitor: Visitor, email: str, password: str) -> str:
        """Check a password and make a session of 24 h.

        Returns:
            The session's token.

        Raises:
            Unauthenticated: no such user, another password, suspended, or changed in one of these meanwhile.
            Forbidden: the user signs in another way.
        """
        async with self._database.read() as connection:
            user = await user_store.find_user_by_email(connection, email.strip())
        matched = await self._passwords.verify(user.password_hash if user else "", password)
        if user is not None and user.login_type != LoginType.PASSWORD:
            await self._record_refusal(visitor, user, 403)
            raise Forbidden(f"This user signs in by {user.login_type}, not by password.")
        if user is None or not matched:
            await self._record_refusal(visitor, user, 401)
            raise Unauthenticated("Incorrect email or password.")
        if user.status == UserStatus.SUSPENDED:
            await self._record_refusal(visitor, user, 401)
            raise Unauthenticated("This user is suspended. Ask an administrator.")
        renewed = await self._passwords.hash(password) if self._passwords.is_outdated(user.password_hash) else ""
        async with self._database.write() as connection:
            now = self._now()
            if await _still_may_sign_in(connection, user):
                if renewed:
                    await user_store.update_user(connection, user.id, {"password_hash": renewed, "updated_at": now})
                return await store_session(connection, user, visitor, now)
        await self._record_refusal(visitor, user, 401)
        raise Unauthenticated("What you sign in with was changed just now: sign in again.")

    async def sign_out(self, actor: UserActor) -> None:
        """End the session that asks, and the user's sessions with workspace apps."""
        async with self._database.write() as connection:
            await key_store.delete_api_key(connection, actor.key_id)
            await key_store.delete_app_keys(connection, actor.user_id)
            await insert_audit_log(
                connection,
                now=self._now(),
                user_id=actor.user_id,
                organization_id=None,
                action="logout",
                resource_type="api_key",
                resource_id=actor.key_id,
                resource_target=actor.username,
                ip_address=actor.ip_address,
                user_agent=actor.user_agent,
                status_code=200,
            )
        self._pubsub.publish(of_key(actor.key_id))

    async def _record_refusal(self, visitor: Visitor, user: User | None, status_code: int) -> None:
        # What was typed as an address is not recorded when nobody has it: people type passwords there.
        async with self._database.write() as connection:
            await insert_audit_log(
                connection,
                now=self._now(),
                user_id=user.id if user else None,
                organization_id=None,
                action="login",
                resource_type="user",
                resource_id=user.id if user else "",
                resource_target=user.username if user else "",
                ip_address=visitor.ip_address,
                user_agent=visitor.user_agent,
                status_code=status_code,
            )


async def _still_may_sign_in(connection: AsyncConnection, verified: User) -> bool:
    """Checking a password takes its time, in which the user may get another one, and lose all sessions with it."""
    user = await user_store.find_user(connection, verified.id)
    return (
        user is not None
        and user.status != UserStatus.SUSPENDED
        and (user.login_type, user.password_hash) == (verified.login_type, verified.password_hash)
    )
