"""Signed app tokens: a minute in which an app's requests need no database (contract 3.5, docs/apps.md).

They are cookies of the app's own host and path, JWTs signed with the keys of tickets, and bound to all that was
decided: where, who, by which key, which app. So what takes a right away takes hold within their life.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import jwt

from genba_gateway.domain.app_access import AppTarget
from genba_gateway.domain.app_entry import AppEntry
from genba_gateway.services.ticket_keys import TicketKeys
from genba_gateway.services.visibility import Clock

TOKEN_LIFE: Final = timedelta(minutes=1)
MAX_TOKEN_CHARS: Final = 4096
"""Ours have some 700; browsers keep no longer cookies."""

MAX_REMEMBERED: Final = 1024
"""Tokens that need not be verified at each of a page's requests; the oldest are forgotten."""

_ALGORITHM: Final = "HS256"
_AUDIENCE: Final = "genba/app"


class AppTokens:
    """Issues and reads signed app tokens."""

    def __init__(self, keys: TicketKeys, now: Clock) -> None:
        self._keys = keys
        self._now = now
        self._read: dict[str, _Read] = {}

    async def issue(self, entry: AppEntry, target: AppTarget) -> str:
        """A token for an app that somebody was found to be allowed to use."""
        key = await self._keys.get_signing_key()
        claims = {
            "aud": _AUDIENCE,
            "exp": int((self._now() + TOKEN_LIFE).timestamp()),
            "realm": entry.realm,
            "sub": target.user_id,
            "key": target.key_id,
            "workspace": target.workspace_id,
            "agent": target.agent_id,
            "build": target.build_id,
            "url": target.app_url,
            "level": target.sharing_level,
            "owner": target.is_owner,
        }
        return jwt.encode(claims, key.secret, algorithm=_ALGORITHM, headers={"kid": key.id})

    async def read(self, token: str, entry: AppEntry) -> AppTarget | None:
        """What a token lets its bearer use at this address; None when it is of no use here, or any more."""
        read = self._read.get(token)
        if read is None:
            read = await self._verify(token, entry)
            if read is None:
                return None
            if len(self._read) >= MAX_REMEMBERED:
                del self._read[next(iter(self._read))]
            self._read[token] = read
        return self._use(read, entry)

    def has_read(self, token: str) -> bool:
        """Whether `recall` knows what to say of a token."""
        return token in self._read

    def recall(self, token: str, entry: AppEntry) -> AppTarget | None:
        """As `read`, of a token that it `has_read`.

        Raises:
            KeyError: it has not.
        """
        return self._use(self._read[token], entry)

    def _use(self, read: _Read, entry: AppEntry) -> AppTarget | None:
        if read.realm != entry.realm or self._now() >= read.expires_at:
            return None
        return read.target

    async def _verify(self, token: str, entry: AppEntry) -> _Read | None:
        if len(token) > MAX_TOKEN_CHARS:
            return None
        try:
            key_id = jwt.get_unverified_header(token).get("kid")
            key = await self._keys.find_verifying_key(key_id) if isinstance(key_id, str) else None
            if key is None:
                return None
            claims: dict[str, Any] = jwt.decode(
                token,
                key.secret,
                algorithms=[_ALGORITHM],
                audience=_AUDIENCE,
                # The time is asked of our clock, below; a public app's user is empty, which the library takes for none.
                options={"require": ["exp", "aud"], "verify_exp": False, "verify_sub": False},
            )
        except jwt.InvalidTokenError:
            return None
        if claims["realm"] != entry.realm:
            return None
        target = AppTarget(
            # All names of it are part of the realm.
            address=entry.address,
            workspace_id=claims["workspace"],
            agent_id=claims["agent"],
            build_id=claims["build"],
            app_url=claims["url"],
            sharing_level=claims["level"],
            user_id=claims["sub"],
            key_id=claims["key"],
            is_owner=claims.get("owner") is True,
        )
        return _Read(claims["realm"], datetime.fromtimestamp(claims["exp"], UTC), target)


@dataclass(frozen=True, slots=True)
class _Read:
    """What a token said that was found to be ours."""

    realm: str
    expires_at: datetime
    target: AppTarget
