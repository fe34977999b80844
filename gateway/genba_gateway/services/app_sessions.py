"""Sessions of browsers on the hosts of apps, and how they come there from the dashboard (contract 3.5).

A host of apps never sees the dashboard's cookie. A browser without a session there is sent to the dashboard, which
knows its user, makes a key for apps alone and sends the browser back with it; the host of the app uses that key up, and
gives the browser another secret in a cookie of its own. Both are bound to the app's realm (origin and base path).

The browser takes a random value along, as a cookie of the host that sends it, of which the dashboard gets the hash. A
key that comes back without its value was made in another browser: whoever sends somebody such a link does not sign
them in as somebody else.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from dataclasses import replace
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Final
from urllib.parse import urlencode

from genba_gateway.domain.actors import UserActor
from genba_gateway.domain.app_access import AppOrigin
from genba_gateway.domain.app_addresses import parse_path_address
from genba_gateway.domain.app_entry import CONNECT_PARAMETER, MAX_RETURN_CHARS, AppEntry
from genba_gateway.domain.app_hosts import AppHosts
from genba_gateway.domain.hashing import hash_secret
from genba_gateway.domain.users import SESSION_LIFETIME, ApiKey, KeyScope, LoginType, User, UserStatus, Visitor
from genba_gateway.errors import BadRequest, FieldProblem, Unauthenticated
from genba_gateway.services.api_keys import make_api_key
from genba_gateway.services.sessions import REFRESH_AFTER
from genba_gateway.services.visibility import Clock
from genba_gateway.store import api_keys as key_store
from genba_gateway.store import users as user_store
from genba_gateway.store.engine import Database

CONNECT_LIFE: Final = timedelta(minutes=1)
"""How long a browser has to come back with a key (contract 3.5)."""

AUTH_REDIRECT: Final = "/api/v2/applications/auth-redirect"

_STATE: Final = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
"""A hash of SHA-256, or as many random bytes, in base64 without its padding."""


def make_state() -> str:
    """A value that a browser keeps while it is away."""
    return secrets.token_urlsafe(32)


def is_state(text: str) -> bool:
    """Whether a value could be one."""
    return _STATE.fullmatch(text) is not None


class AppSessions:
    """Makes, hands over and reads the sessions of apps' hosts."""

    def __init__(self, database: Database, hosts: AppHosts, now: Clock) -> None:
        self._database = database
        self._hosts = hosts
        self._now = now

    def make_sign_in_url(self, entry: AppEntry, state: str) -> str:
        """Where a browser without a session is sent: to the dashboard, which sends it back to the app."""
        back = entry.url if len(entry.url) <= MAX_RETURN_CHARS else entry.realm
        query = urlencode({"redirect_uri": back, "state": _hash_state(state)})
        return f"{self._hosts.access_url}{AUTH_REDIRECT}?{query}"

    async def connect(self, actor: UserActor, redirect_uri: str, state_hash: str) -> str:
        """A key for the app at an address, in that address: where the dashboard sends a browser back to.

        Args:
            state_hash: of what the browser keeps for that host; without one it comes back without a key, and is sent
                here again with one.

        Raises:
            BadRequest: the address is not one of an app.
        """
        realm = self._find_realm(redirect_uri)
        if not realm:
            problem = FieldProblem("redirect_uri", "must be an address of an app of this gateway")
            raise BadRequest("This address is no app's: keys are sent to apps alone.", validations=[problem])
        if not is_state(state_hash):
            return redirect_uri
        now = self._now()
        key, token = make_api_key(
            actor.user_id,
            now=now,
            lifetime=CONNECT_LIFE,
            login_type=LoginType.PASSWORD,
            scope=KeyScope.APPLICATION_CONNECT,
            ip_address=actor.ip_address,
        )
        key = replace(key, hashed_secret=_bind(token.partition("-")[2], realm, state_hash))
        async with self._database.write(durable=False) as connection:
            await key_store.delete_app_keys_expired_before(connection, actor.user_id, now)
            await key_store.insert_api_key(connection, key)
        return f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{CONNECT_PARAMETER}={token}"

    async def redeem(self, token: str, entry: AppEntry, state: str, visitor: Visitor) -> str:
        """Use up the key that a browser brought; returns the token of its session with this app.

        Raises:
            Unauthenticated: used, expired, for another app, of another browser, or its user is suspended or gone.
        """
        key_id, _, secret = token.partition("-")
        offered = _bind(secret, entry.realm, _hash_state(state))
        # Looked at first without holding the one writer up: anybody can send what is no key.
        if await self._find(key_id, offered) is None:
            raise _refused()
        async with self._database.write() as connection:
            now = self._now()
            key, user = await key_store.find_session(connection, key_id) or (None, None)
            if key is not None and user is not None and _is_good(key, user, offered, now):
                made = secrets.token_urlsafe(24)
                await key_store.renew_app_key(
                    connection,
                    key.id,
                    hashed_secret=_bind(made, entry.realm),
                    lifetime=SESSION_LIFETIME,
                    now=now,
                    ip_address=visitor.ip_address,
                )
                return f"{key.id}-{made}"
        raise _refused()

    async def find_user(self, token: str, entry: AppEntry) -> UserActor | None:
        """Whose session a cookie's token stands for at this app; None when for nobody's any more."""
        key_id, _, secret = token.partition("-")
        return await self._find(key_id, _bind(secret, entry.realm)) if secret else None

    async def find_user_of_key(self, token: str) -> UserActor | None:
        """Whose key a program sends in a header: one for all, or one for apps."""
        key_id, _, secret = token.partition("-")
        return await self._find(key_id, hash_secret(secret)) if secret else None

    async def _find(self, key_id: str, hashed_secret: bytes) -> UserActor | None:
        async with self._database.glance() as connection:
            key, user = await key_store.find_session(connection, key_id) or (None, None)
        now = self._now()
        if key is None or user is None or not _is_good(key, user, hashed_secret, now):
            return None
        if now - key.last_used > REFRESH_AFTER:
            async with self._database.write(durable=False) as connection:
                expires_at = now + timedelta(seconds=key.lifetime_seconds)
                await key_store.touch_api_key(connection, key.id, now=now, expires_at=expires_at)
                await user_store.touch_user(connection, user.id, now=now)
        return UserActor(user.id, user.username, user.roles, key.id)

    def _find_realm(self, redirect_uri: str) -> str:
        """What a key for an address is bound to; empty when it is no app's."""
        origin = self._hosts.find_owner(redirect_uri)
        if not origin:
            return ""
        path = redirect_uri.removeprefix(origin).partition("?")[0] or "/"
        if self._hosts.classify(origin.partition("://")[2]) is AppOrigin.SUBDOMAIN:
            return f"{origin}/"
        found = parse_path_address(path)
        return origin + found.address.base_path if found else ""


def _bind(secret: str, realm: str, state_hash: str = "") -> bytes:
    """What is kept of a secret that is good at one app alone. No part can hold what is between them."""
    return hash_secret(f"{secret} {realm} {state_hash}")


def _refused() -> Unauthenticated:
    return Unauthenticated("This link was used, or is for another browser or app. Open the app once more.")


def _hash_state(state: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(state.encode()).digest()).rstrip(b"=").decode()


def _is_good(key: ApiKey, user: User, hashed_secret: bytes, now: datetime) -> bool:
    is_known = compare_digest(key.hashed_secret, hashed_secret) and key.expires_at > now
    return is_known and user.status != UserStatus.SUSPENDED
