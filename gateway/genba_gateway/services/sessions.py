"""Who a token belongs to: users' API keys and agents' tokens (contract 1.1, 5.1)."""

from __future__ import annotations

import logging
import uuid
from datetime import timedelta
from hmac import compare_digest
from typing import Final

from genba_gateway.domain.actors import AgentActor, UserActor
from genba_gateway.domain.channels import of_key
from genba_gateway.domain.hashing import hash_secret
from genba_gateway.domain.users import KeyScope
from genba_gateway.errors import Forbidden, Unauthenticated
from genba_gateway.services.visibility import Clock, utc_now
from genba_gateway.store import agents as agent_store
from genba_gateway.store import api_keys as key_store
from genba_gateway.store import users as user_store
from genba_gateway.store.engine import Database
from genba_gateway.store.pubsub import PubSub

REFRESH_AFTER: Final = timedelta(hours=1)
"""`last_used` and the sliding expiry are written at most this often (contract 5.1)."""

LOOK_AGAIN_S: Final = 4.0
"""An open stream ends within 5 s of its session, of whose ends only signing out is announced, and only here."""

log = logging.getLogger(__name__)


class Sessions:
    """Turns tokens into actors, and says when they are none any more.

    Args:
        pubsub: tells of keys that are taken back.
        look_again_s: how often the session of an open stream is looked at without notice.
    """

    def __init__(
        self,
        database: Database,
        *,
        pubsub: PubSub | None = None,
        now: Clock = utc_now,
        look_again_s: float = LOOK_AGAIN_S,
    ) -> None:
        self._database = database
        self._pubsub = pubsub or PubSub()
        self._now = now
        self._look_again_s = look_again_s

    async def authenticate_user(self, token: str, ip_address: str, user_agent: str) -> UserActor:
        """The user of an `<id>-<secret>` token.

        Raises:
            Unauthenticated: no token, a wrong or expired one, or a user who is suspended or gone.
            Forbidden: a key for workspace apps.
        """
        key_id, _, secret = token.partition("-")
        if not secret:
            raise Unauthenticated("You are not signed in.", detail="Sign in, or send a Coder-Session-Token header.")
        async with self._database.glance() as connection:
            key, user = await key_store.find_session(connection, key_id) or (None, None)
        if key is None or not compare_digest(key.hashed_secret, hash_secret(secret)):
            raise Unauthenticated("This session is not known. Sign in again.")
        now = self._now()
        if key.expires_at <= now:
            raise Unauthenticated("This session has expired. Sign in again.")
        if key.scope != KeyScope.ALL:
            raise Forbidden("This key opens workspace apps only: sign in to call the API.")
        if user is None or user.status == "suspended":
            raise Unauthenticated("This user is suspended. Ask an administrator.")
        if now - key.last_used > REFRESH_AFTER:
            async with self._database.write(durable=False) as connection:
                lifetime = timedelta(seconds=key.lifetime_seconds)
                await key_store.touch_api_key(connection, key_id, now=now, expires_at=now + lifetime)
                await user_store.touch_user(connection, user.id, now=now)
        return UserActor(user.id, user.username, user.roles, key.id, ip_address, user_agent)

    async def wait_for_end(self, actor: UserActor) -> str:
        """Return why what the actor has open must end, within seconds of when it must and the database can be read."""
        with self._pubsub.subscribe(of_key(actor.key_id)) as subscription:
            while True:
                try:
                    why = await self._explain_end(actor)
                except Exception:  # a database that is held by another process says nothing about the session
                    log.exception("The session of user %s could not be looked at.", actor.user_id)
                    why = ""
                if why:
                    return why
                await subscription.changed(timeout_s=self._look_again_s)

    async def _explain_end(self, actor: UserActor) -> str:
        async with self._database.glance() as connection:
            key, user = await key_store.find_session(connection, actor.key_id) or (None, None)
        if key is None:
            return "The session was signed out."
        if key.expires_at <= self._now():
            return "The session has expired: sign in again."
        if user is None or user.status == "suspended":
            return "The user is suspended. Ask an administrator."
        if set(user.roles) != set(actor.roles):
            return "Your roles were changed: open this again."
        return ""

    async def authenticate_agent(self, token: str) -> AgentActor:
        """The agent of a token, if it belongs to its workspace's latest build.

        Raises:
            Unauthenticated: no token, not a UUID, unknown, or of an older build; the agent tries again.
        """
        if not token:
            raise Unauthenticated("An agent's token is needed.", detail="Send it in the header Coder-Session-Token.")
        try:
            uuid.UUID(token)
        except ValueError:
            raise Unauthenticated("An agent's token is a UUID.") from None
        async with self._database.glance() as connection:
            actor = await agent_store.find_agent_actor(connection, hash_secret(token))
        if actor is None:
            raise Unauthenticated(
                "No agent of a current build has this token.",
                detail="The build may not have got that far yet, or a newer build took its place.",
            )
        return actor
