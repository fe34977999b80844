"""A Quart app of chosen blueprints behind the real gate, on a real database, with users to ask as."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from argon2 import PasswordHasher
from quart import Blueprint, Quart, Response
from quart.typing import TestClientProtocol

from genba_gateway.api.answers import install_error_handlers
from genba_gateway.api.gate import check_routes, install_gate
from genba_gateway.api.route_rules import RouteRule
from genba_gateway.api.stream_ends import StreamEnds, install_stream_ends
from genba_gateway.domain.actors import UserActor
from genba_gateway.domain.users import KEY_LIFETIME, KeyScope, LoginType, Member, User, UserStatus
from genba_gateway.services.api_keys import make_api_key
from genba_gateway.services.organizations import ensure_default_organization
from genba_gateway.services.passwords import Passwords
from genba_gateway.services.sessions import Sessions
from genba_gateway.store import api_keys as key_store
from genba_gateway.store import organizations as organization_store
from genba_gateway.store import users as user_store
from genba_gateway.store.engine import Database

TOKEN_HEADER = "Coder-Session-Token"


def cheap_passwords() -> Passwords:
    """Argon2 with the least work that it accepts."""
    return Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A user with a session."""

    user: User
    token: str
    organization_id: str

    @property
    def headers(self) -> dict[str, str]:
        """What to send to ask as this user."""
        return {TOKEN_HEADER: self.token}

    @property
    def actor(self) -> UserActor:
        """What the gate makes of those headers: for tests of services."""
        return UserActor(self.user.id, self.user.username, self.user.roles, self.token.partition("-")[0])


async def make_user(
    database: Database,
    username: str = "alice",
    *,
    roles: Sequence[str] = (),
    password_hash: str = "",
    status: UserStatus = UserStatus.ACTIVE,
    login_type: LoginType = LoginType.PASSWORD,
    scope: KeyScope = KeyScope.ALL,
    signed_in_at: datetime | None = None,
    key_lifetime: timedelta = KEY_LIFETIME,
) -> SignedIn:
    """Add a user who is a member of the default organization (made if needed) and has a session.

    Args:
        signed_in_at: when the session was made; now unless the test is about its end.
    """
    now = datetime.now(UTC)
    user = User(
        id=str(uuid.uuid4()),
        username=username,
        email=f"{username}@example.com",
        name=username.title(),
        password_hash=password_hash,
        status=status.value,
        login_type=login_type.value,
        avatar_url="",
        theme_preference="",
        roles=tuple(roles),
        created_at=now,
        updated_at=now,
        last_seen_at=now,
    )
    key, token = make_api_key(
        user.id, now=signed_in_at or now, lifetime=key_lifetime, login_type=login_type.value, scope=scope
    )
    async with database.write() as connection:
        organization = await ensure_default_organization(connection, now)
        await user_store.insert_user(connection, user)
        await organization_store.insert_member(connection, Member(user, organization.id, (), now, now))
        await key_store.insert_api_key(connection, key)
    return SignedIn(user, token, organization.id)


def make_app(
    database: Database,
    *blueprints: Blueprint,
    trusted_proxies: tuple[str, ...] = (),
    access_url: str = "",
    prepare: Callable[[Quart], None] | None = None,
    make_counter: Callable[[Quart], Callable[[], None]] = lambda _: lambda: None,
    stream_ends: StreamEnds | None = None,
) -> Quart:
    """An app with gate and error handlers, checked as at start-up.

    Args:
        prepare: installs more on the app, after the gate.
        make_counter: makes what the gate counts requests with: rate limits.
        stream_ends: says when streams end before their sources.
    """
    app = Quart("genba_gateway", static_folder=None)
    app.url_rule_class = RouteRule
    install_gate(app, Sessions(database), trusted_proxies, access_url, count_request=make_counter(app))
    if stream_ends is not None:
        install_stream_ends(app, stream_ends)
    install_error_handlers(app)
    if prepare is not None:
        prepare(app)
    for blueprint in blueprints:
        app.register_blueprint(blueprint)
    check_routes(app)
    return app


def client_of(app: Quart) -> TestClientProtocol:
    """A client that keeps cookies, as a browser does."""
    return app.test_client()


async def send(
    app: Quart, method: str, path: str, *, headers: Mapping[str, str] | None = None, body: object = None
) -> Response:
    """Ask with any method; `body` is sent as JSON unless None."""
    client: Any = app.test_client()  # the types of Quart's `open` demand a body
    given = {} if body is None else {"json": body}
    response: Response = await client.open(path, method=method, headers=dict(headers or {}), **given)
    return response
