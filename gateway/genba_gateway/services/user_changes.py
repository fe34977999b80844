"""Changes of users: profile, password, appearance, status, roles, and their end (contract 5.2, 5.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.domain.actors import OWNER, Action, Permission, Resource, UserActor
from genba_gateway.domain.channels import of_key
from genba_gateway.domain.names import explain_bad_username
from genba_gateway.domain.users import LoginType, User, UserStatus
from genba_gateway.errors import BadRequest, Conflict, FieldProblem, Forbidden, PreconditionFailed
from genba_gateway.services.audit import record_change
from genba_gateway.services.passwords import Passwords
from genba_gateway.services.users import MAX_REAL_NAME_CHARS
from genba_gateway.services.visibility import Clock, not_found, require
from genba_gateway.store import api_keys as key_store
from genba_gateway.store import users as user_store
from genba_gateway.store.engine import Database
from genba_gateway.store.pubsub import PubSub

MAX_THEME_CHARS: Final = 64
ASSIGNABLE_ROLES: Final = (OWNER,)
"""Roles of the site that this version acts on; `member` everybody has (contract 5.3)."""


class UserChanges:
    """Use cases on one user, who was resolved by `Users.resolve_user`."""

    def __init__(self, database: Database, passwords: Passwords, pubsub: PubSub, now: Clock) -> None:
        self._database = database
        self._passwords = passwords
        self._pubsub = pubsub
        self._now = now

    async def set_profile(self, actor: UserActor, user: User, *, username: str, name: str) -> User:
        """Give a user another username and real name.

        Raises:
            BadRequest: one of them can't be used.
            Conflict: the username is taken.
        """
        require(actor, Resource.USER, Action.UPDATE, user.id)
        problems: list[FieldProblem] = []
        if (wrong := explain_bad_username(username)) is not None:
            problems.append(FieldProblem("username", wrong))
        if len(name.strip()) > MAX_REAL_NAME_CHARS:
            problems.append(FieldProblem("name", f"must have at most {MAX_REAL_NAME_CHARS} characters"))
        if problems:
            raise BadRequest("Validation failed.", validations=problems)
        changed = {"username": username, "name": name.strip()}
        try:
            return await self._change(actor, user, changed, changed)
        except IntegrityError as error:
            raise Conflict(
                f"A user with the username {username!r} exists already: choose another.",
                validations=[FieldProblem("username", "is taken")],
            ) from error

    async def set_theme(self, actor: UserActor, user: User, theme: str) -> User:
        """Keep which theme a user likes; what the names mean is the pages' business."""
        require(actor, Resource.USER, Action.UPDATE, user.id)
        if not 1 <= len(theme) <= MAX_THEME_CHARS:
            raise _refuse("theme_preference", f"must have 1 to {MAX_THEME_CHARS} characters")
        return await self._change(actor, user, {"theme_preference": theme}, {"theme_preference": theme})

    async def set_password(self, actor: UserActor, user: User, *, old: str, new: str) -> None:
        """Give a user another password, and end all their sessions and tokens but the session that asks.

        Raises:
            BadRequest: the user signs in another way; the old password, which users tell of themselves, is wrong;
                the new one is too weak, or the same.
            Conflict: the password was changed meanwhile.
        """
        require(actor, Resource.USER, Action.UPDATE, user.id)
        if user.login_type != LoginType.PASSWORD:
            raise BadRequest(f"User {user.username!r} signs in by {user.login_type}, not by password.")
        if actor.user_id == user.id and not await self._passwords.verify(user.password_hash, old):
            raise _refuse("old_password", "is not the password")
        self._passwords.check(new)
        if await self._passwords.verify(user.password_hash, new):
            raise _refuse("password", "is the old one: choose another")
        password_hash = await self._passwords.hash(new)
        async with self._database.write() as connection:
            # Of two changes at once the second was let in by a password that is none any more.
            if (await _read(connection, user.id)).password_hash != user.password_hash:
                raise Conflict("The password was changed just now: sign in with the new one, and then change it.")
            await self._update(connection, actor, user, {"password_hash": password_hash}, {"password": "changed"})
            ended = await key_store.delete_keys_of_user(connection, user.id, keep_id=actor.key_id)
            await key_store.delete_sign_in_links(connection, user.id)
        self._pubsub.publish(*map(of_key, ended))

    async def suspend(self, actor: UserActor, user: User) -> User:
        """Let a user do nothing any more, and end what they have open.

        Raises:
            BadRequest: it is oneself, or an owner.
        """
        self._require_administrator(actor)
        if user.id == actor.user_id:
            raise BadRequest("You can't suspend yourself: ask another owner.")
        changed = {"status": UserStatus.SUSPENDED.value}
        async with self._database.write() as connection:
            if OWNER in (await _read(connection, user.id)).roles:
                raise BadRequest(
                    f"User {user.username!r} is an owner, whom nobody can suspend: take the role away first."
                )
            await self._update(connection, actor, user, changed, changed)
            await key_store.delete_sign_in_links(connection, user.id)
            suspended = await _read(connection, user.id)
            keys = await key_store.list_key_ids(connection, user.id)
        self._pubsub.publish(*map(of_key, keys))
        return suspended

    async def activate(self, actor: UserActor, user: User) -> User:
        """Let a user in again."""
        self._require_administrator(actor)
        changed = {"status": UserStatus.ACTIVE.value}
        return await self._change(actor, user, changed, changed)

    async def set_roles(self, actor: UserActor, user: User, roles: Sequence[str]) -> User:
        """Give a user these roles of the site in place of those they have.

        Raises:
            BadRequest: an unknown role, or it is oneself.
        """
        require(actor, Resource.ASSIGN_ROLE, Action.ASSIGN, seen=True)
        if user.id == actor.user_id:
            raise BadRequest("You can't change your own roles: ask another owner.")
        unknown = [role for role in roles if role not in ASSIGNABLE_ROLES]
        if unknown:
            raise _refuse("roles", f"{unknown[0]!r} can't be given: choose among {', '.join(ASSIGNABLE_ROLES)}")
        kept = list(dict.fromkeys(roles))
        async with self._database.write() as connection:
            user = await _read(connection, user.id)
            if OWNER not in kept:
                await self._require_other_owner(connection, user)
            await self._update(connection, actor, user, {"roles": kept}, {"roles": " ".join(kept)})
            return await _read(connection, user.id)

    async def delete(self, actor: UserActor, user: User) -> None:
        """Remove a user with all sessions and keys; what they did stays in the audit log.

        Raises:
            Forbidden: it is oneself.
            PreconditionFailed: the user has workspaces.
            Conflict: nobody would be an owner.
        """
        self._require_administrator(actor)
        if user.id == actor.user_id:
            raise Forbidden("You can't delete yourself: ask another owner.")
        async with self._database.write() as connection:
            user = await _read(connection, user.id)
            count = await user_store.count_workspaces(connection, user.id)
            if count:
                raise PreconditionFailed(
                    f"User {user.username!r} has {count} workspace{'s' if count > 1 else ''}: delete them first."
                )
            await self._require_other_owner(connection, user)
            ended = await key_store.delete_keys_of_user(connection, user.id)
            await key_store.delete_sign_in_links(connection, user.id)
            await user_store.delete_user(connection, user.id, self._now())
            resource = ("user", user.id, user.username)
            await record_change(connection, actor, self._now(), resource, {}, action="delete")
        self._pubsub.publish(*map(of_key, ended))

    def _require_administrator(self, actor: UserActor) -> None:
        if not actor.may(Permission(Resource.USER, Action.DELETE)):
            raise Forbidden("Your roles don't allow to administer users.")

    async def _require_other_owner(self, connection: AsyncConnection, user: User) -> None:
        """Two owners may ask at the same moment, each for the other's end: `user` is read in the same transaction."""
        if OWNER in user.roles and not await user_store.has_other_owner(connection, user.id):
            raise Conflict(f"User {user.username!r} is the last owner: make another one first.")

    async def _change(
        self, actor: UserActor, user: User, values: Mapping[str, object], what: Mapping[str, str]
    ) -> User:
        async with self._database.write() as connection:
            await self._update(connection, actor, user, values, what)
            return await _read(connection, user.id)

    async def _update(
        self,
        connection: AsyncConnection,
        actor: UserActor,
        user: User,
        values: Mapping[str, object],
        what: Mapping[str, str],
    ) -> None:
        now = self._now()
        await user_store.update_user(connection, user.id, {**values, "updated_at": now})
        await record_change(connection, actor, now, ("user", user.id, user.username), what)


async def _read(connection: AsyncConnection, user_id: str) -> User:
    found = await user_store.find_user(connection, user_id)
    if found is None:
        raise not_found()
    return found


def _refuse(field: str, detail: str) -> BadRequest:
    return BadRequest("Validation failed.", validations=[FieldProblem(field, detail)])
