"""Users: the first one, further ones, finding them (contract 5.2, 5.3)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.domain.actors import OWNER, Action, Permission, Resource, UserActor
from genba_gateway.domain.names import explain_bad_username
from genba_gateway.domain.search_query import QueryProblem
from genba_gateway.domain.user_query import parse_user_query
from genba_gateway.domain.users import LoginType, Member, User, UserStatus, Visitor
from genba_gateway.errors import BadRequest, Conflict, FieldProblem
from genba_gateway.services.organizations import ensure_default_organization
from genba_gateway.services.passwords import Passwords
from genba_gateway.services.visibility import Clock, not_found, require
from genba_gateway.store import organizations as organization_store
from genba_gateway.store import users as user_store
from genba_gateway.store.audit_logs import insert_audit_log
from genba_gateway.store.engine import Database
from genba_wire.api.users import CreateFirstUserRequest, CreateUserRequest

MAX_REAL_NAME_CHARS: Final = 128
MAX_EMAIL_CHARS: Final = 254
"""RFC 5321, as corrected by erratum 1690 of RFC 3696."""

_EMAIL: Final = re.compile(r"[^\s@]+@[^\s@]+")
_MADE_WITH: Final = {"": LoginType.PASSWORD, "password": LoginType.PASSWORD, "none": LoginType.NONE}


class Users:
    """Use cases on users."""

    def __init__(self, database: Database, passwords: Passwords, now: Clock) -> None:
        self._database = database
        self._passwords = passwords
        self._now = now

    async def has_first(self) -> bool:
        """Whether the deployment has been set up."""
        async with self._database.read() as connection:
            return await user_store.has_users(connection)

    async def create_first(self, visitor: Visitor, request: CreateFirstUserRequest) -> User:
        """Make the first user, who becomes the site's owner, and the default organization.

        Raises:
            Conflict: there is a first user.
            BadRequest: a field is wrong, or the password too weak.
        """
        if await self.has_first():
            raise _exists()
        _check_identity(request.username, request.email, request.name)
        self._passwords.check(request.password)
        password_hash = await self._passwords.hash(request.password)
        user = self._make(request.username, request.email, request.name, password_hash, roles=(OWNER,))
        async with self._database.write() as connection:
            if await user_store.has_users(connection):
                raise _exists()
            organization = await ensure_default_organization(connection, user.created_at)
            await user_store.insert_user(connection, user)
            await organization_store.insert_member(connection, _membership(user, organization.id))
            await self._audit(connection, user, user.id, visitor)
        return replace(user, organization_ids=(organization.id,))

    async def create(self, actor: UserActor, request: CreateUserRequest) -> User:
        """Make a user; login type `none` makes one who can't sign in, for tokens only.

        Raises:
            Forbidden: only owners may.
            BadRequest: a field is wrong, or the password too weak.
            NotFound: an organization does not exist.
            Conflict: the username or e-mail address is taken.
        """
        require(actor, Resource.USER, Action.CREATE, seen=True)
        _check_identity(request.username, request.email, request.name)
        login_type = _MADE_WITH.get(request.login_type)
        if login_type is None:
            raise _refuse("login_type", f"{request.login_type!r} is not supported: use password or none")
        if request.user_status not in {"", UserStatus.ACTIVE, UserStatus.DORMANT}:
            raise _refuse("user_status", f"{request.user_status!r} is neither active nor dormant")
        password_hash = ""
        if login_type is LoginType.PASSWORD:
            self._passwords.check(request.password)
            password_hash = await self._passwords.hash(request.password)
        elif request.password:
            raise _refuse("password", "must be empty for a user who can't sign in")
        user = replace(
            self._make(request.username, request.email, request.name, password_hash),
            login_type=login_type,
            status=UserStatus(request.user_status or UserStatus.ACTIVE),
        )
        async with self._database.write() as connection:
            organization_ids = await self._join(connection, user, request.organization_ids)
            await self._audit(connection, user, actor.user_id, Visitor(actor.ip_address, actor.user_agent))
        return replace(user, organization_ids=organization_ids)

    async def resolve_user(self, actor: UserActor, text: str) -> User:
        """The user that a path's `{user}` means: an id, a username, or `me`.

        Raises:
            NotFound: there is none, or the actor may not see them.
        """
        async with self._database.glance() as connection:
            if text == "me":
                found = await user_store.find_user(connection, actor.user_id)
            else:
                found = await user_store.find_user(connection, text.lower())
                found = found or await user_store.find_user_by_name(connection, text)
        if found is None:
            raise not_found()
        require(actor, Resource.USER, Action.READ, found.id)
        return found

    async def list_page(
        self, actor: UserActor, query_text: str, *, after_id: str | None, limit: int | None, offset: int
    ) -> tuple[list[User], int]:
        """One page of the users that a search finds and the actor may see, and how many those are in all.

        Raises:
            BadRequest: the search can't be understood, or `after_id` is nobody's.
        """
        try:
            query = parse_user_query(query_text)
        except QueryProblem as problem:
            raise BadRequest(
                "Invalid user search query.", validations=[FieldProblem(problem.field, problem.detail)]
            ) from problem
        sees_all = actor.may(Permission(Resource.USER, Action.READ))
        async with self._database.read() as connection:
            if after_id and await user_store.find_user(connection, after_id) is None:
                raise _refuse("after_id", f"{after_id} is no user's id")
            return await user_store.list_users(
                connection,
                search=query.search,
                status=query.status,
                role=query.role,
                login_type=query.login_type,
                last_seen_before=query.last_seen_before,
                last_seen_after=query.last_seen_after,
                created_before=query.created_before,
                created_after=query.created_after,
                user_id=None if sees_all else actor.user_id,
                after_id=after_id,
                limit=limit,
                offset=offset,
            )

    async def list_roles(self, actor: UserActor, text: str) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
        """A user's roles: those of the site, and those within each organization."""
        user = await self.resolve_user(actor, text)
        async with self._database.read() as connection:
            memberships = await organization_store.list_memberships(connection, user.id)
        return user.roles, {each: roles for each, roles in memberships.items() if roles}

    async def _join(self, connection: AsyncConnection, user: User, wanted: Sequence[str]) -> tuple[str, ...]:
        """Insert the user as a member of the wanted organizations, or of the default one."""
        try:
            await user_store.insert_user(connection, user)
        except IntegrityError as error:
            field = "email" if await user_store.find_user_by_email(connection, user.email) else "username"
            taken = user.email if field == "email" else user.username
            raise Conflict(
                f"A user with the {field} {taken!r} exists already.", validations=[FieldProblem(field, "is taken")]
            ) from error
        organization_ids = tuple(dict.fromkeys(each.lower() for each in wanted))
        if not organization_ids:
            organization_ids = ((await ensure_default_organization(connection, user.created_at)).id,)
        for organization_id in organization_ids:
            if await organization_store.find_organization(connection, organization_id) is None:
                raise not_found()
            await organization_store.insert_member(connection, _membership(user, organization_id))
        return organization_ids

    def _make(self, username: str, email: str, name: str, password_hash: str, *, roles: tuple[str, ...] = ()) -> User:
        now = self._now()
        return User(
            id=str(uuid.uuid4()),
            username=username,
            email=email.strip(),
            name=name.strip(),
            password_hash=password_hash,
            status=UserStatus.ACTIVE,
            login_type=LoginType.PASSWORD,
            avatar_url="",
            theme_preference="",
            roles=roles,
            created_at=now,
            updated_at=now,
            last_seen_at=_never(now),
        )

    async def _audit(self, connection: AsyncConnection, user: User, actor_id: str, visitor: Visitor) -> None:
        await insert_audit_log(
            connection,
            now=self._now(),
            user_id=actor_id,
            organization_id=None,
            action="create",
            resource_type="user",
            resource_id=user.id,
            resource_target=user.username,
            ip_address=visitor.ip_address,
            user_agent=visitor.user_agent,
        )


def _membership(user: User, organization_id: str) -> Member:
    return Member(user, organization_id, (), created_at=user.created_at, updated_at=user.created_at)


def _never(now: datetime) -> datetime:
    """Clients take the year 1 for "never seen" (the zero time of the contract's language)."""
    return now.replace(year=1, month=1, day=1, hour=0, minute=0, second=0, microsecond=0)


def _check_identity(username: str, email: str, name: str) -> None:
    problems: list[FieldProblem] = []
    if (problem := explain_bad_username(username)) is not None:
        problems.append(FieldProblem("username", problem))
    if len(email) > MAX_EMAIL_CHARS or not _EMAIL.fullmatch(email.strip()):
        problems.append(FieldProblem("email", "must be an e-mail address"))
    if len(name) > MAX_REAL_NAME_CHARS:
        problems.append(FieldProblem("name", f"must have at most {MAX_REAL_NAME_CHARS} characters"))
    if problems:
        raise BadRequest("Validation failed.", validations=problems)


def _refuse(field: str, detail: str) -> BadRequest:
    return BadRequest("Validation failed.", validations=[FieldProblem(field, detail)])


def _exists() -> Conflict:
    return Conflict("The first user exists already: sign in instead.")
